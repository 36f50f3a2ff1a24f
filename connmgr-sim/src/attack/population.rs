//! Honest nodes: where they live, and who announced each.

use std::time::Duration;

use connmgr_core::{AddressInfo, Placement, SavedAddress, Services, SourceGroup, UnixTime};

use super::Announcement;
use super::land::{GROUPS, HOSTS, Owner, address, source};
use crate::types::{Dice, DrawPurpose};

/// How long ago every address was seen, as others say.
pub(super) const SEEN_AGO: Duration = Duration::from_secs(3600);
/// How long ago a node that was ready before was dialed last.
const READY_AGO: Duration = Duration::from_secs(12 * 3600);

/// Honest nodes of a seed, without end.
#[derive(Clone, Copy, Debug)]
pub struct HonestNodes {
    dice: Dice,
    /// Of how many groups they are.
    groups: u32,
}

/// An honest node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HonestNode {
    /// Who announced it first, and as what.
    pub announced: Announcement,
    /// We were connected to it before.
    pub is_tried: bool,
}

impl HonestNodes {
    /// Groups in which honest nodes are.
    const GROUPS: u32 = 8000;

    /// Honest nodes as they are on the internet: in a few thousand groups, of which the greatest has one in a hundred
    /// and most have one node.
    pub const fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed, DrawPurpose::Attack, 1), groups: Self::GROUPS }
    }

    /// The first `count`, of which the first `tried` were connected to before. Each was announced by another node.
    pub fn first(self, count: u32, tried: u32, unix: UnixTime) -> impl Iterator<Item = HonestNode> {
        (0..count).map(move |number| {
            let mut dice = self.dice.part(number.into());
            let group = self.group(&mut dice);
            // The upper bits count, so hardly any node is there twice.
            let host = dice.below_u32(HOSTS >> 4).wrapping_add(number << 12 & 0xf000);
            let services = Services::NETWORK | Services::WITNESS;
            let address = address(Owner::Honest, group, host);
            let info = AddressInfo::new(address).services(services).last_seen(unix.before(SEEN_AGO));
            let source = self.source(&mut dice);
            HonestNode { announced: Announcement { source, info }, is_tried: number < tried }
        })
    }

    fn source(self, dice: &mut Dice) -> SourceGroup {
        source(Owner::Honest, self.group(dice))
    }

    /// A group, the low numbers more often: the square of a uniform draw.
    fn group(self, dice: &mut Dice) -> u32 {
        let draw = u64::from(dice.below_u32(1 << 16));
        let place = (draw * draw * u64::from(self.groups)) >> 32;
        // Neighbouring numbers are far apart.
        u32::try_from(place).expect("below the number of groups") * 4001 % GROUPS
    }
}

impl HonestNode {
    /// As a snapshot holds it.
    pub fn saved(&self, unix: UnixTime) -> SavedAddress {
        let Announcement { source, info } = self.announced.clone();
        let ready = if self.is_tried { unix.before(READY_AGO) } else { UnixTime::default() };
        SavedAddress {
            address: info.address,
            services: info.services,
            last_seen: info.last_seen,
            last_try: ready,
            last_success: ready,
            failures: 0,
            v1_only: false,
            source,
            placement: if self.is_tried { Placement::Tried } else { Placement::Anew },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::attack::is_attackers;

    #[test]
    fn honest_nodes_are_spread_as_on_the_internet() {
        let nodes: Vec<HonestNode> =
            HonestNodes::new(1).first(10_000, 5000, UnixTime::from_secs(1_767_225_600)).collect();
        assert!(nodes.iter().all(|node| !is_attackers(&node.announced.info.address)));
        let addresses: BTreeSet<_> = nodes.iter().map(|node| &node.announced.info.address).collect();
        assert!(addresses.len() > 9_990, "{}", addresses.len());
        let mut groups: BTreeMap<String, u32> = BTreeMap::new();
        for node in &nodes {
            let text = node.announced.info.address.to_string();
            *groups.entry(text.split('.').take(2).collect::<Vec<_>>().join(".")).or_default() += 1;
        }
        let most = groups.values().max().copied().unwrap_or(0);
        assert!((50..200).contains(&most) && groups.len() > 3000, "{most} of {} groups", groups.len());
        assert_eq!(nodes.iter().filter(|node| node.is_tried).count(), 5000);
    }
}
