//! The list of [added peers](AddedPeer), the queue of those to dial, and their lookups.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use hashbrown::HashTable;

use crate::mechanisms::hasher::{Keyed, OwnNumbers};
use crate::peer::AddedPeer;
use crate::types::{Keep, LookupId, PeerAddress, PeerId, PeerState};

/// All added peers.
#[derive(Clone, Debug)]
pub(crate) struct AddedPeers {
    keyed: Keyed,
    slots: Vec<Option<AddedPeer>>,
    free: Vec<u32>,
    /// Slots by the hash of the peer's id.
    by_id: HashTable<u32>,
    /// Slots by the hash of the peer's address.
    by_address: HashTable<u32>,
    /// Peers in [`PeerState::Queued`], in order. A peer that has left that state is skipped.
    queue: VecDeque<PeerId>,
    /// The peer of each lookup.
    lookups: BTreeMap<LookupId, PeerId>,
}

impl AddedPeers {
    pub(crate) fn new(keys: Keyed) -> Self {
        Self {
            keyed: keys,
            slots: Vec::new(),
            free: Vec::new(),
            by_id: HashTable::new(),
            by_address: HashTable::new(),
            queue: VecDeque::new(),
            lookups: BTreeMap::new(),
        }
    }

    /// Adds a peer, in [`PeerState::Queued`].
    pub(crate) fn insert(&mut self, id: PeerId, address: PeerAddress, keep: Keep) {
        debug_assert!(self.get(id).is_none() && self.with_address(&address).is_none(), "a peer is added once");
        let peer = AddedPeer::new(id, address, keep);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("limits keep the list under 2^32")
        });
        let (keyed, hashes) = (self.keyed, (OwnNumbers.hash_one(id), self.keyed.hash_one(peer.address())));
        self.slots[slot as usize] = Some(peer);
        let slots = &self.slots;
        self.by_id.insert_unique(hashes.0, slot, |slot| OwnNumbers.hash_one(in_slot(slots, *slot).id()));
        self.by_address.insert_unique(hashes.1, slot, |slot| keyed.hash_one(in_slot(slots, *slot).address()));
        self.queue.push_back(id);
    }

    /// Removes a peer and its lookup, if any.
    pub(crate) fn remove(&mut self, id: PeerId) -> Option<AddedPeer> {
        let slot = self.find(id)?;
        let peer = self.slots[slot as usize].take()?;
        self.free.push(slot);
        for (index, hash) in
            [(&mut self.by_id, OwnNumbers.hash_one(id)), (&mut self.by_address, self.keyed.hash_one(peer.address()))]
        {
            index.find_entry(hash, |other| *other == slot).expect(INDEXED).remove();
        }
        if let PeerState::Resolving = peer.state() {
            self.lookups.retain(|_, whose| *whose != id);
        }
        self.trim_queue();
        Some(peer)
    }

    /// Puts a peer at the end of the queue.
    pub(crate) fn enqueue(&mut self, id: PeerId) {
        let Some(peer) = self.get_mut(id) else { return };
        if peer.state() != PeerState::Queued {
            peer.enqueue();
            self.trim_queue();
            self.queue.push_back(id);
        }
    }

    /// Puts a peer at the head of the queue, to continue its current attempt.
    pub(crate) fn enqueue_first(&mut self, id: PeerId) {
        let Some(peer) = self.get_mut(id) else { return };
        if peer.state() != PeerState::Queued {
            peer.go_on();
            self.trim_queue();
            self.queue.push_front(id);
        }
    }

    /// The peer to dial next.
    pub(crate) fn first_queued(&mut self) -> Option<PeerId> {
        while let Some(id) = self.queue.front().copied() {
            if self.get(id).is_some_and(|peer| peer.state() == PeerState::Queued) {
                return Some(id);
            }
            self.queue.pop_front();
        }
        None
    }

    /// The queued peers, in order.
    pub(crate) fn queued(&self) -> impl Iterator<Item = PeerId> {
        let waits = |id: &&PeerId| self.get(**id).is_some_and(|peer| peer.state() == PeerState::Queued);
        self.queue.iter().filter(waits).copied()
    }

    /// Removes entries of peers that have left the queue, once there are many.
    fn trim_queue(&mut self) {
        if self.queue.len() > 2 * self.by_id.len() + 16 {
            let mut queue = core::mem::take(&mut self.queue);
            let mut kept = alloc::collections::BTreeSet::new();
            queue.retain(|id| self.get(*id).is_some_and(|peer| peer.state() == PeerState::Queued) && kept.insert(*id));
            self.queue = queue;
        }
    }

    /// Begins a lookup of a peer's name. It holds the peer's slot.
    pub(crate) fn begin_lookup(&mut self, id: PeerId, lookup: LookupId) {
        if let Some(peer) = self.get_mut(id) {
            peer.resolve();
            self.lookups.insert(lookup, id);
        }
    }

    /// Ends a lookup. Returns its peer.
    pub(crate) fn end_lookup(&mut self, lookup: LookupId) -> Option<PeerId> {
        self.lookups.remove(&lookup)
    }

    /// The lookup of a peer's name, if there is one.
    pub(crate) fn lookup_of(&self, id: PeerId) -> Option<LookupId> {
        self.get(id).filter(|peer| peer.state() == PeerState::Resolving)?;
        self.lookups.iter().find(|(_, whose)| **whose == id).map(|(lookup, _)| *lookup)
    }

    /// Lookups under way. Each holds a slot.
    pub(crate) fn lookups(&self) -> u32 {
        u32::try_from(self.lookups.len()).expect("no more lookups than peers")
    }

    fn find(&self, id: PeerId) -> Option<u32> {
        self.by_id.find(OwnNumbers.hash_one(id), |slot| in_slot(&self.slots, *slot).id() == id).copied()
    }

    pub(crate) fn get(&self, id: PeerId) -> Option<&AddedPeer> {
        self.slots[self.find(id)? as usize].as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: PeerId) -> Option<&mut AddedPeer> {
        let slot = self.find(id)?;
        self.slots[slot as usize].as_mut()
    }

    pub(crate) fn with_address(&self, address: &PeerAddress) -> Option<PeerId> {
        if self.by_address.is_empty() {
            return None;
        }
        let is_it = |slot: &u32| in_slot(&self.slots, *slot).address() == address;
        let slot = self.by_address.find(self.keyed.hash_one(address), is_it)?;
        Some(in_slot(&self.slots, *slot).id())
    }

    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.by_id.len()).expect("limits keep the list under 2^32")
    }

    /// The ids of all peers, sorted.
    pub(crate) fn ids(&self) -> Vec<PeerId> {
        let mut ids: Vec<PeerId> = self.iter().map(|peer| peer.id()).collect();
        ids.sort_unstable();
        ids
    }

    /// All peers, in arbitrary order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &AddedPeer> {
        self.slots.iter().flatten()
    }

    /// Checks the indexes and the queue against the list.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let indexed = |peer: &AddedPeer| {
            self.get(peer.id()).is_some_and(|same| same.id() == peer.id())
                && self.with_address(peer.address()) == Some(peer.id())
        };
        let queued = |peer: &AddedPeer| peer.state() != PeerState::Queued || self.queue.contains(&peer.id());
        let resolving = self.iter().filter(|peer| peer.state() == PeerState::Resolving).count();
        if self.iter().count() != self.by_id.len() || self.by_id.len() != self.by_address.len() {
            return Err("an index of the added peers does not match their list");
        }
        if !self.iter().all(indexed) {
            return Err("an added peer is not found by its id or address");
        }
        if !self.iter().all(queued) {
            return Err("a queued added peer is not in the queue");
        }
        if resolving != self.lookups.len() {
            return Err("the number of lookups differs from that of resolving peers");
        }
        Ok(())
    }
}

/// Equal if the lists are equal: the indexes follow from the list.
impl PartialEq for AddedPeers {
    fn eq(&self, other: &Self) -> bool {
        let Self { keyed, slots, free, by_id: _, by_address: _, queue, lookups } = self;
        *keyed == other.keyed
            && *slots == other.slots
            && *free == other.free
            && *queue == other.queue
            && *lookups == other.lookups
    }
}

impl Eq for AddedPeers {}

const INDEXED: &str = "every peer is in both indexes";

fn in_slot(slots: &[Option<AddedPeer>], slot: u32) -> &AddedPeer {
    slots[slot as usize].as_ref().expect("an indexed slot is taken")
}
