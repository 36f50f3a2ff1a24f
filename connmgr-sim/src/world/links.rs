//! Every dial and connection of the world, each seen from one manager.

use std::time::Duration;

use connmgr_core::{ConnId, Kind, NetworkKind};

use crate::scenario::map::Who;
use crate::types::{Dice, Instant};

/// The id of a link: its slot, and how often the slot was reused. The id of a removed link finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkId {
    index: u32,
    generation: u32,
}

impl LinkId {
    /// No link, ever.
    pub const NONE: Self = Self { index: u32::MAX, generation: u32::MAX };
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkEnd {
    /// A host that we dialed.
    Host(u32),
    /// A manager of the world.
    Node {
        /// Which manager.
        node: u32,
        /// That manager's own link, once there is one.
        link: Option<LinkId>,
    },
    /// A peer from outside the world that connected to us.
    Stranger {
        /// Which entry of the scenario's `inbound`.
        sort: u16,
    },
    /// Nobody.
    Nobody,
}

impl LinkEnd {
    /// Whether it is this host or manager.
    pub fn is(self, who: Who) -> bool {
        match (self, who) {
            (Self::Host(host), Who::Host(other)) => host == other,
            (Self::Node { node, .. }, Who::Node(other)) => node == other,
            (Self::Host(_) | Self::Node { .. } | Self::Stranger { .. } | Self::Nobody, _) => false,
        }
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStage {
    /// Being dialed.
    Dialing,
    /// The dial was aborted, but its result is still reported.
    GivenUp,
    /// Open.
    Open,
    /// The handshake is done.
    Ready,
}

/// A dial or connection, seen from one manager.
#[derive(Clone, Debug)]
pub struct WorldLink {
    /// The manager it belongs to.
    pub node: u32,
    /// Its id there.
    pub conn: ConnId,
    /// Who is at the other end.
    pub end: LinkEnd,
    /// The network of the other end.
    pub network: NetworkKind,
    /// How far it has come.
    pub stage: LinkStage,
    /// What it is for, once it is open.
    pub kind: Kind,
    /// It is dead, but not closed.
    pub is_hung: bool,
    /// It was dialed with the encrypted transport.
    pub is_v2: bool,
    /// The last ping was not answered.
    pub missed_ping: bool,
    /// The round trip.
    pub round_trip: Duration,
    /// When it was begun.
    pub since: Instant,
    /// When its handshake was done.
    pub ready_at: Option<Instant>,
    /// The nonce of our handshake.
    pub nonce: u64,
    /// The draws for what happens on it.
    pub dice: Dice,
}

impl WorldLink {
    /// A dial of a manager, or an inbound connection that asks to be admitted.
    pub fn new(node: u32, conn: ConnId, end: LinkEnd, network: NetworkKind, since: Instant, dice: Dice) -> Self {
        Self {
            node,
            conn,
            end,
            network,
            stage: LinkStage::Dialing,
            kind: Kind::Full,
            is_hung: false,
            is_v2: false,
            missed_ping: false,
            round_trip: Duration::ZERO,
            since,
            ready_at: None,
            nonce: 0,
            dice,
        }
    }

    /// Whether we dialed it, and it has been ready for `after`.
    pub fn is_stable(&self, after: Duration, now: Instant) -> bool {
        !self.kind.is_inbound() && self.ready_at.is_some_and(|at| now.since(at) >= after)
    }
}

/// All links, by id.
#[derive(Clone, Debug, Default)]
pub struct Links {
    places: Vec<(u32, Option<WorldLink>)>,
    free: Vec<u32>,
}

impl Links {
    /// Adds a link.
    pub fn insert(&mut self, link: WorldLink) -> LinkId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, None));
            u32::try_from(self.places.len() - 1).expect("fewer links than memory has bytes")
        });
        let (generation, place) = &mut self.places[index as usize];
        *place = Some(link);
        LinkId { index, generation: *generation }
    }

    /// A link, unless it was removed.
    pub fn get(&self, id: LinkId) -> Option<&WorldLink> {
        let (generation, link) = self.places.get(id.index as usize)?;
        link.as_ref().filter(|_| *generation == id.generation)
    }

    /// A link, to change it.
    pub fn get_mut(&mut self, id: LinkId) -> Option<&mut WorldLink> {
        let (generation, link) = self.places.get_mut(id.index as usize)?;
        link.as_mut().filter(|_| *generation == id.generation)
    }

    /// Removes a link.
    pub fn remove(&mut self, id: LinkId) -> Option<WorldLink> {
        let (generation, place) = self.places.get_mut(id.index as usize)?;
        let link = place.take_if(|_| *generation == id.generation)?;
        *generation = generation.wrapping_add(1);
        self.free.push(id.index);
        Some(link)
    }

    /// All links, in the order of slots.
    pub fn iter(&self) -> impl Iterator<Item = (LinkId, &WorldLink)> {
        (0..)
            .zip(&self.places)
            .filter_map(|(index, (generation, link))| Some((LinkId { index, generation: *generation }, link.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> WorldLink {
        let dice = Dice::new(0, crate::types::DrawPurpose::Session, 0);
        WorldLink::new(0, ConnId::from_u64(1), LinkEnd::Nobody, NetworkKind::Ipv4, Instant::ZERO, dice)
    }

    #[test]
    fn the_id_of_a_link_that_has_gone_finds_nothing_even_when_its_place_is_taken() {
        let mut links = Links::default();
        let first = links.insert(link());
        assert!(links.remove(first).is_some() && links.remove(first).is_none());
        let second = links.insert(link());
        assert!(links.get(first).is_none() && links.get(second).is_some());
        assert_eq!(links.iter().count(), 1);
    }
}
