//! The list of [added peers](Peer), the queue of those to dial, their lookups, and what the blocked ones wait for.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use hashbrown::HashTable;

use crate::mechanisms::hash_index::HashIndex;
use crate::mechanisms::hasher::{Folding, OwnNumbers};
use crate::mechanisms::turns::Candidate;
use crate::peer::Peer;
use crate::types::{AddedPeer, ConnId, Identity, LookupId, PeerAddress, PeerId, PeerState};

/// All added peers.
#[derive(Clone, Debug)]
pub(crate) struct Peers {
    keyed: Folding,
    slots: Vec<Option<Peer>>,
    free: Vec<u32>,
    by_id: HashIndex,
    /// Slots by the hash of each of the peer's addresses.
    by_address: HashTable<AddressOf>,
    by_identity: BTreeMap<Identity, PeerId>,
    /// Peers in [`PeerState::Queued`], in order. A peer that has left that state is skipped.
    queue: VecDeque<PeerId>,
    /// The peer of each lookup.
    lookups: BTreeMap<LookupId, PeerId>,
    /// Peers that look again when this opens or ends. Some no longer wait for it.
    awaiting: BTreeMap<Awaited, BTreeSet<PeerId>>,
}

/// One address of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct AddressOf {
    slot: u32,
    /// Its place in the peer's list.
    of: u32,
}

/// What a blocked peer waits for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Awaited {
    /// The connection or dial that has this address.
    Address(PeerAddress),
    /// This connection.
    Conn(ConnId),
}

impl Peers {
    pub(crate) fn new(keys: Folding) -> Self {
        Self {
            keyed: keys,
            slots: Vec::new(),
            free: Vec::new(),
            by_id: HashIndex::new(),
            by_address: HashTable::new(),
            by_identity: BTreeMap::new(),
            queue: VecDeque::new(),
            lookups: BTreeMap::new(),
            awaiting: BTreeMap::new(),
        }
    }

    /// Adds a peer, in [`PeerState::Queued`].
    pub(crate) fn insert(&mut self, id: PeerId, wanted: AddedPeer) {
        debug_assert!(self.get(id).is_none() && self.same_as(&wanted).is_none(), "a peer is added once");
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("limits keep the list under 2^32")
        });
        if let Some(identity) = wanted.identity {
            self.by_identity.insert(identity, id);
        }
        let keyed = self.keyed;
        let hashes: Vec<u64> = wanted.addresses.iter().map(|address| keyed.hash_one(address)).collect();
        self.slots[slot as usize] = Some(Peer::new(id, wanted));
        let slots = &self.slots;
        self.by_id.insert(OwnNumbers.hash_one(id.as_u64()), slot);
        for (of, hash) in (0..).zip(hashes) {
            self.by_address.insert_unique(hash, AddressOf { slot, of }, |at| keyed.hash_one(address_of(slots, *at)));
        }
        self.queue.push_back(id);
    }

    /// Removes a peer and its lookup, if any.
    pub(crate) fn remove(&mut self, id: PeerId) -> Option<Peer> {
        let slot = self.find(id)?;
        self.end_lookup_of(id);
        self.by_id.remove(OwnNumbers.hash_one(id.as_u64()), slot);
        let peer = self.slots[slot as usize].take()?;
        self.free.push(slot);
        for (of, address) in (0..).zip(peer.addresses()) {
            let at = AddressOf { slot, of };
            self.by_address.find_entry(self.keyed.hash_one(address), |other| *other == at).expect(INDEXED).remove();
        }
        if let Some(identity) = peer.identity() {
            self.by_identity.remove(&identity);
        }
        self.trim_queue();
        Some(peer)
    }

    /// Puts a peer at the end of the queue.
    #[inline]
    pub(crate) fn enqueue(&mut self, id: PeerId) {
        let Some(peer) = self.get_mut(id) else { return };
        if !peer.is_queued() {
            peer.enqueue();
            self.trim_queue();
            self.queue.push_back(id);
        }
    }

    /// Puts a peer at the head of the queue, to continue its current attempt.
    pub(crate) fn enqueue_first(&mut self, id: PeerId) {
        let Some(peer) = self.get_mut(id) else { return };
        if !peer.is_queued() {
            peer.go_on();
            self.trim_queue();
            self.queue.push_front(id);
        }
    }

    /// The peer to dial next.
    #[inline]
    pub(crate) fn first_queued(&mut self) -> Option<PeerId> {
        // Mostly none is queued, and this is asked after every input.
        if self.queue.is_empty() { None } else { self.skip_to_queued() }
    }

    fn skip_to_queued(&mut self) -> Option<PeerId> {
        while let Some(id) = self.queue.front().copied() {
            if self.get(id).is_some_and(|peer| peer.is_queued()) {
                return Some(id);
            }
            self.queue.pop_front();
        }
        None
    }

    /// The queued peers, in order.
    pub(crate) fn queued(&self) -> impl Iterator<Item = PeerId> {
        let waits = |id: &&PeerId| self.get(**id).is_some_and(|peer| peer.is_queued());
        self.queue.iter().filter(waits).copied()
    }

    /// Removes entries of peers that have left the queue, once there are many.
    #[inline]
    fn trim_queue(&mut self) {
        if self.queue.len() > 2 * self.by_id.len() + 16 {
            let mut queue = core::mem::take(&mut self.queue);
            let mut kept = alloc::collections::BTreeSet::new();
            queue.retain(|id| self.get(*id).is_some_and(|peer| peer.is_queued()) && kept.insert(*id));
            self.queue = queue;
        }
    }

    /// Begins a lookup of one of a peer's names. It holds the peer's slot.
    pub(crate) fn begin_lookup(&mut self, id: PeerId, lookup: LookupId, name: Candidate) {
        if let Some(peer) = self.get_mut(id) {
            peer.resolve(lookup, name);
            self.lookups.insert(lookup, id);
        }
    }

    /// Ends a lookup. Returns its peer, and the name.
    pub(crate) fn end_lookup(&mut self, lookup: LookupId) -> Option<(PeerId, Candidate)> {
        let id = self.lookups.remove(&lookup)?;
        Some((id, self.get_mut(id)?.end_lookup()?))
    }

    /// Ends the lookup of a peer's name, if there is one. Returns it, and the name.
    pub(crate) fn end_lookup_of(&mut self, id: PeerId) -> Option<(LookupId, Candidate)> {
        let lookup = self.get(id)?.lookup()?;
        self.end_lookup(lookup).map(|(_, name)| (lookup, name))
    }

    /// Dialing is off, and the lookup of a peer's name has ended: the peer waits for its dials to end, or for its turn.
    pub(crate) fn stop_resolving(&mut self, id: PeerId) {
        if !self.get_mut(id).is_some_and(Peer::wait_for_dials) {
            self.enqueue(id);
        }
    }

    /// Lookups under way. Each holds a slot.
    pub(crate) fn lookups(&self) -> u32 {
        u32::try_from(self.lookups.len()).expect("no more lookups than peers")
    }

    #[inline]
    fn find(&self, id: PeerId) -> Option<u32> {
        self.by_id.find(OwnNumbers.hash_one(id.as_u64()), |slot| in_slot(&self.slots, slot).id() == id)
    }

    #[inline]
    pub(crate) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.slots[self.find(id)? as usize].as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        let slot = self.find(id)?;
        self.slots[slot as usize].as_mut()
    }

    pub(crate) fn with_address(&self, address: &PeerAddress) -> Option<PeerId> {
        if self.by_address.is_empty() {
            return None;
        }
        let is_it = |at: &AddressOf| address_of(&self.slots, *at) == address;
        let at = self.by_address.find(self.keyed.hash_one(address), is_it)?;
        Some(in_slot(&self.slots, at.slot).id())
    }

    pub(crate) fn with_identity(&self, identity: Identity) -> Option<PeerId> {
        self.by_identity.get(&identity).copied()
    }

    /// The peer that has one of these addresses or this identity already.
    pub(crate) fn same_as(&self, wanted: &AddedPeer) -> Option<PeerId> {
        let same = wanted.addresses.iter().find_map(|address| self.with_address(address));
        same.or_else(|| wanted.identity.and_then(|identity| self.with_identity(identity)))
    }

    /// A blocked peer looks again when this opens or ends.
    pub(crate) fn wait_for(&mut self, id: PeerId, awaited: Awaited) {
        self.awaiting.entry(awaited).or_default().insert(id);
    }

    /// Whether any peer waits for anything.
    pub(crate) fn is_any_waiting(&self) -> bool {
        !self.awaiting.is_empty()
    }

    /// This has opened or ended. Returns the peers that waited for it, or for something else by now, sorted.
    pub(crate) fn take_waiting(&mut self, awaited: &Awaited) -> BTreeSet<PeerId> {
        self.awaiting.remove(awaited).unwrap_or_default()
    }

    /// What blocked peers wait for.
    pub(crate) fn awaiting(&self) -> impl Iterator<Item = (&Awaited, PeerId)> {
        self.awaiting.iter().flat_map(|(awaited, ids)| ids.iter().map(move |id| (awaited, *id)))
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Peer> {
        self.slots.iter().flatten()
    }

    /// Checks the indexes and the queue against the list.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let indexed = |peer: &Peer| {
            self.get(peer.id()).is_some_and(|same| same.id() == peer.id())
                && peer.addresses().iter().all(|address| self.with_address(address) == Some(peer.id()))
                && peer.identity().is_none_or(|identity| self.with_identity(identity) == Some(peer.id()))
        };
        let queued = |peer: &Peer| !peer.is_queued() || self.queue.contains(&peer.id());
        let resolving = self.iter().filter(|peer| peer.state() == PeerState::Resolving).count();
        let addresses: usize = self.iter().map(|peer| peer.addresses().len()).sum();
        if self.iter().count() != self.by_id.len() || addresses != self.by_address.len() {
            return Err("an index of the added peers does not match their list");
        }
        if !self.iter().all(indexed) {
            return Err("an added peer is not found by its id, address or identity");
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
impl PartialEq for Peers {
    fn eq(&self, other: &Self) -> bool {
        let Self { keyed, slots, free, by_id: _, by_address: _, by_identity: _, queue, lookups, awaiting } = self;
        *keyed == other.keyed
            && *slots == other.slots
            && *free == other.free
            && *queue == other.queue
            && *lookups == other.lookups
            && *awaiting == other.awaiting
    }
}

impl Eq for Peers {}

const INDEXED: &str = "every peer is in the indexes";

#[inline]
fn in_slot(slots: &[Option<Peer>], slot: u32) -> &Peer {
    slots[slot as usize].as_ref().expect("an indexed slot is taken")
}

fn address_of(slots: &[Option<Peer>], at: AddressOf) -> &PeerAddress {
    &in_slot(slots, at.slot).addresses()[at.of as usize]
}
