//! What an attacker announces: so many addresses of so many groups, through so many source groups.

use connmgr_core::{AddressInfo, Services, SourceGroup, UnixTime};

use super::Announcement;
use super::land::{GROUPS, HOSTS, Owner, address, far_source, source};
use crate::types::{Dice, DrawPurpose};

/// An attack on the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttackPlan {
    /// Addresses that are announced, each once. In one group there are at most 65 536.
    pub addresses: u32,
    /// Source groups that announce them in turn.
    pub sources: u32,
    /// Groups that they are in; the most there are is 27 520.
    pub groups: u32,
    /// What they are said to offer.
    pub services: Services,
}

impl AttackPlan {
    /// As many groups as there are.
    pub const ANYWHERE: u32 = GROUPS;

    /// Addresses anywhere, all announced by one source group.
    pub const fn new(addresses: u32) -> Self {
        let services = Services::from_bits(Services::NETWORK.bits() | Services::WITNESS.bits());
        Self { addresses, sources: 1, groups: Self::ANYWHERE, services }
    }

    /// Announced by so many source groups.
    #[must_use]
    pub const fn sources(self, sources: u32) -> Self {
        Self { sources, ..self }
    }

    /// In so many groups.
    #[must_use]
    pub const fn groups(self, groups: u32) -> Self {
        Self { groups, ..self }
    }

    /// Every announcement, each said to be seen an hour ago. No address comes twice.
    pub fn announcements(self, seed: u64, unix: UnixTime) -> impl Iterator<Item = Announcement> {
        let dice = Dice::new(seed, DrawPurpose::Attack, 0);
        let groups = self.groups.clamp(1, GROUPS);
        let first_group = dice.part(0).below_u32(GROUPS);
        let first_host = dice.part(1).below_u32(HOSTS);
        let last_seen = unix.before(super::population::SEEN_AGO);
        let most = groups.saturating_mul(HOSTS).max(HOSTS);
        (0..self.addresses.min(most)).map(move |number| {
            // Odd strides reach every host of a group once.
            let (group, host) = (number % groups, (number / groups).wrapping_mul(0x9e37).wrapping_add(first_host));
            let address = address(Owner::Attacker, first_group + group * stride(groups), host);
            let by = dice.part(2 + u64::from(number)).below_u32(self.sources.max(1));
            let info = AddressInfo::new(address).services(self.services).last_seen(last_seen);
            Announcement { source: self.source(by), info }
        })
    }

    /// His own groups announce, unless he has more sources than there are.
    fn source(self, number: u32) -> SourceGroup {
        if self.sources <= GROUPS { source(Owner::Attacker, number) } else { far_source(number) }
    }
}

/// How far apart groups are: far, where there are few; without a common divisor with [`GROUPS`].
const fn stride(groups: u32) -> u32 {
    if groups < 1000 { 27 } else { 1 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::attack::is_attackers;

    const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);

    fn counts(plan: AttackPlan) -> [usize; 3] {
        let all: Vec<Announcement> = plan.announcements(1, UNIX).collect();
        assert!(all.iter().all(|one| is_attackers(&one.info.address)));
        let group = |one: &Announcement| one.info.address.to_string().split('.').take(2).collect::<Vec<_>>().join(".");
        let addresses: BTreeSet<_> = all.iter().map(|one| &one.info.address).collect();
        let sources: BTreeSet<_> = all.iter().map(|one| one.source).collect();
        [addresses.len(), sources.len(), all.iter().map(group).collect::<BTreeSet<_>>().len()]
    }

    #[test]
    fn an_attack_has_the_addresses_sources_and_groups_that_it_says() {
        assert_eq!(counts(AttackPlan::new(20_000)), [20_000, 1, 20_000]);
        assert_eq!(counts(AttackPlan::new(20_000).sources(256).groups(7)), [20_000, 256, 7]);
        assert_eq!(counts(AttackPlan::new(65_000).groups(1)), [65_000, 1, 1]);
        assert_eq!(counts(AttackPlan::new(1000).groups(990)), [1000, 1, 990]);
    }

    #[test]
    fn a_seed_is_one_attack() {
        let first = |seed| AttackPlan::new(10).announcements(seed, UNIX).next();
        assert_eq!(first(3), first(3));
        assert_ne!(first(3), first(4));
    }
}
