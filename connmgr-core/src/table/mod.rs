//! All connections and dials, and every count of them.
//!
//! Counts change only here: in `insert`, `remove` and transitions. A transition removes the connection from every count
//! that it can affect, changes the connection, and counts it again, so that no count is forgotten. The other end of a
//! connection never changes. [`Table::check`] recounts everything.

mod counts;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::BuildHasher as _;

use crate::conn::{Conn, Notes, Origin};
use crate::mechanisms::groups::Group;
use crate::mechanisms::hash_index::HashIndex;
use crate::mechanisms::hasher::{Folding, OwnNumbers};
use crate::types::{ConnId, ConnState, Host, Identity, Kind, NetworkKind, PeerAddress, PeerId, Time};

use counts::Counts;

type Slot = u32;

/// All connections and dials, and every count of them.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    keys: Folding,
    /// In boxes, because a connection is large to move.
    slots: Vec<Option<Box<Conn>>>,
    free: Vec<Slot>,
    /// Boxes of connections that ended, for the next ones.
    #[allow(clippy::vec_box, reason = "a box moves into a slot as it is")]
    spare: Vec<Box<Conn>>,
    by_id: HashIndex,
    /// By the nonce of our version message.
    by_nonce: HashIndex,
    /// All that have a visible address.
    by_address: HashIndex,
    counts: Counts,
}

impl Table {
    /// An empty table. The keys are secret, so that no one can choose addresses with equal hashes.
    pub(crate) const fn new(keys: Folding) -> Self {
        Self {
            keys,
            slots: Vec::new(),
            free: Vec::new(),
            spare: Vec::new(),
            by_id: HashIndex::new(),
            by_nonce: HashIndex::new(),
            by_address: HashIndex::new(),
            counts: Counts::new(keys),
        }
    }

    /// Adds a connection or dial. Returns it.
    #[inline(always)]
    pub(crate) fn insert(&mut self, conn: Conn) -> &Conn {
        // Into its box before anything else: a connection is large, and is to be written once.
        let conn = match self.spare.pop() {
            Some(mut spare) => {
                *spare = conn;
                spare
            }
            None => Box::new(conn),
        };
        self.insert_boxed(conn)
    }

    fn insert_boxed(&mut self, conn: Box<Conn>) -> &Conn {
        debug_assert!(self.slot(conn.id()).is_none(), "an id is given once");
        self.counts.add(&conn);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            Slot::try_from(self.slots.len() - 1).expect("limits keep the table under 2^32")
        });
        self.by_id.insert(hash_of(conn.id()), slot);
        self.by_nonce.insert(OwnNumbers.hash_one(conn.notes.nonce), slot);
        if let Some(address) = conn.remote() {
            self.by_address.insert(self.keys.hash_one(address), slot);
        }
        self.slots[slot as usize].insert(conn)
    }

    /// Removes a connection or dial. [Give it back](Self::recycle) when it is done with.
    #[inline]
    pub(crate) fn remove(&mut self, id: ConnId) -> Option<Box<Conn>> {
        let slot = self.slot(id)?;
        let conn = self.slots[slot as usize].take()?;
        self.by_id.remove(hash_of(id), slot);
        self.by_nonce.remove(OwnNumbers.hash_one(conn.notes.nonce), slot);
        if let Some(address) = conn.remote() {
            self.by_address.remove(self.keys.hash_one(address), slot);
        }
        self.free.push(slot);
        self.counts.subtract(&conn);
        Some(conn)
    }

    /// Keeps the box of a removed connection for the next one.
    pub(crate) fn recycle(&mut self, ended: Box<Conn>) {
        self.spare.push(ended);
    }

    /// A dial or handshake has made no progress for `hedge_after`.
    pub(crate) fn make_overdue(&mut self, id: ConnId) {
        self.transition(id, Conn::make_overdue);
    }

    /// A dial or handshake gives its slot up.
    pub(crate) fn give_slot(&mut self, id: ConnId, now: Time) {
        self.transition(id, |conn| conn.give_slot(now));
    }

    /// A dial has succeeded; it has a slot or not. The deadline is that of the handshake.
    pub(crate) fn open(&mut self, id: ConnId, has_slot: bool, deadline: Time, now: Time) {
        self.transition(id, |conn| conn.open(has_slot, deadline, now));
    }

    /// A handshake is completed.
    pub(crate) fn make_ready(&mut self, id: ConnId, identity: Option<Identity>, now: Time) {
        self.transition(id, |conn| conn.make_ready(identity, now));
    }

    /// A connection now belongs to an added peer.
    pub(crate) fn adopt(&mut self, id: ConnId, peer: PeerId) {
        // No other transition changes the group.
        let group_of = |table: &Self| table.get(id).and_then(Conn::group);
        let group = group_of(self);
        self.transition(id, |conn| conn.adopt(peer));
        self.counts.subtract_group(group);
        self.counts.add_group(group_of(self));
    }

    fn transition(&mut self, id: ConnId, change: impl FnOnce(&mut Conn)) {
        let slot = self.slot(id);
        debug_assert!(slot.is_some(), "a transition is of a connection in the table");
        let Some(conn) = slot.and_then(|slot| self.slots[slot as usize].as_deref_mut()) else { return };
        self.counts.subtract_progress(conn);
        change(conn);
        self.counts.add_progress(conn);
    }

    /// The connection or dial with this id.
    #[inline]
    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.slots[self.slot(id)? as usize].as_deref()
    }

    #[inline]
    fn slot(&self, id: ConnId) -> Option<Slot> {
        self.by_id.find(hash_of(id), |slot| in_slot(&self.slots, slot).id() == id)
    }

    /// The parts of a connection that no count depends on. The nonce never changes.
    #[inline]
    pub(crate) fn notes(&mut self, id: ConnId) -> Option<&mut Notes> {
        let slot = self.slot(id)?;
        self.slots[slot as usize].as_deref_mut().map(|conn| &mut conn.notes)
    }

    /// All connections and dials, in arbitrary order: sort before the order can reach an action.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Conn> {
        self.slots.iter().flatten().map(AsRef::as_ref)
    }

    /// The number of connections and dials.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.by_id.len()).expect("limits keep the table under 2^32")
    }

    /// The slots held by a kind.
    pub(crate) const fn slots_held(&self, kind: Kind) -> u32 {
        self.counts.kinds[kind.index()].slots
    }

    /// The connections or dials of a kind in a state.
    pub(crate) const fn count(&self, kind: Kind, state: ConnState) -> u32 {
        self.counts.kinds[kind.index()].get(state)
    }

    /// The ready connections of an automatic kind, the oldest first.
    pub(crate) fn ready_ids(&self, kind: Kind) -> impl Iterator<Item = ConnId> {
        self.counts.holders[kind.index()].ready.iter().copied()
    }

    /// Whether a kind has dials or handshakes.
    pub(crate) const fn is_dialing(&self, kind: Kind) -> bool {
        let count = &self.counts.kinds[kind.index()];
        count.dialing + count.silent + count.handshaking + count.stalled > 0
    }

    /// The dials and handshakes of a kind without a slot.
    pub(crate) const fn without_slot(&self, kind: Kind) -> u32 {
        let count = &self.counts.kinds[kind.index()];
        count.silent + count.stalled
    }

    /// The oldest overdue dial or handshake of a kind: without progress for `hedge_after`, but still with a slot.
    pub(crate) fn first_overdue(&self, kind: Kind) -> Option<ConnId> {
        self.counts.holders[kind.index()].overdue.front().copied()
    }

    /// The overdue dials and handshakes of a kind, the oldest first.
    pub(crate) fn overdue(&self, kind: Kind) -> impl Iterator<Item = ConnId> {
        self.counts.holders[kind.index()].overdue.iter().copied()
    }

    /// The youngest handshake of an automatic kind that holds a slot.
    pub(crate) fn youngest_handshaking(&self, kind: Kind) -> Option<ConnId> {
        self.counts.holders[kind.index()].handshaking.back().copied()
    }

    /// Whether a kind has dials that hold a slot.
    pub(crate) const fn is_dialing_with_slot(&self, kind: Kind) -> bool {
        self.counts.kinds[kind.index()].dialing > 0
    }

    /// The dials of an automatic kind that hold a slot, the youngest first.
    pub(crate) fn dialing(&self, kind: Kind) -> impl Iterator<Item = ConnId> {
        self.counts.holders[kind.index()].dialing.iter().rev().copied()
    }

    /// The ready connections of a kind.
    pub(crate) const fn ready(&self, kind: Kind) -> u32 {
        self.counts.kinds[kind.index()].ready
    }

    /// The open connections in a network.
    pub(crate) const fn open_in(&self, network: NetworkKind) -> u32 {
        self.counts.open_in[network.index()]
    }

    /// The oldest dial in a network.
    pub(crate) fn first_dialing_in(&self, network: NetworkKind) -> Option<ConnId> {
        self.counts.dialing_in[network.index()].front().copied()
    }

    /// The automatic dials and handshakes in a network.
    pub(crate) const fn under_way_in(&self, network: NetworkKind) -> u32 {
        self.counts.under_way_in[network.index()]
    }

    /// Those of them that are overdue or without a slot.
    pub(crate) const fn stuck_in(&self, network: NetworkKind) -> u32 {
        self.counts.stuck_in[network.index()]
    }

    /// Whether any connection or dial has this address.
    pub(crate) fn has_address(&self, address: &PeerAddress) -> bool {
        let is_it = |slot: Slot| in_slot(&self.slots, slot).remote() == Some(address);
        self.by_address.len() > 0 && self.by_address.find(self.keys.hash_one(address), is_it).is_some()
    }

    /// How many connections and dials have this address.
    pub(crate) fn holders(&self, address: &PeerAddress) -> u32 {
        let alike = self.by_address.all(self.keys.hash_one(address));
        let holders = alike.filter(|slot| in_slot(&self.slots, *slot).remote() == Some(address)).count();
        u32::try_from(holders).expect("limits keep the table under 2^32")
    }

    /// The connection or dial that we made to this address. There is at most one.
    pub(crate) fn dialed(&self, address: &PeerAddress) -> Option<ConnId> {
        let is_it = |slot: Slot| in_slot(&self.slots, slot).dialed() == Some(address);
        let slot = self.by_address.find(self.keys.hash_one(address), is_it)?;
        Some(in_slot(&self.slots, slot).id())
    }

    /// The automatic connections and dials in a group.
    pub(crate) fn in_group(&self, group: Group) -> u32 {
        self.counts.in_group(group)
    }

    /// The inbound connections of a host.
    pub(crate) fn inbound_of(&self, host: &Host) -> u32 {
        self.counts.inbound_of(host)
    }

    /// The unfinished inbound handshakes of an origin.
    pub(crate) fn half_open(&self, origin: Origin) -> u32 {
        self.counts.half_open(origin)
    }

    /// The connection whose version message carries this nonce of ours.
    pub(crate) fn with_nonce(&self, nonce: u64) -> Option<ConnId> {
        let is_it = |slot: Slot| in_slot(&self.slots, slot).notes.nonce == nonce;
        let slot = self.by_nonce.find(OwnNumbers.hash_one(nonce), is_it)?;
        Some(in_slot(&self.slots, slot).id())
    }

    /// The oldest ready connection with this identity.
    pub(crate) fn with_identity(&self, identity: Identity) -> Option<ConnId> {
        self.counts.with_identity(identity)
    }

    /// Recounts everything.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let mut counts = Counts::new(self.keys);
        self.iter().for_each(|conn| counts.add(conn));
        if counts != self.counts {
            return Err("the table's counts differ from a recount");
        }
        let is_found = |conn: &Conn| {
            let id = Some(conn.id());
            self.get(conn.id()).map(Conn::id) == id
                && self.with_nonce(conn.notes.nonce) == id
                && conn.remote().is_none_or(|address| self.holders(address) > 0)
                && conn.dialed().is_none_or(|address| self.dialed(address) == id)
        };
        let (all, addressed) = (self.iter().count(), self.iter().filter(|conn| conn.remote().is_some()).count());
        let lengths = [self.by_id.len(), self.by_nonce.len(), self.by_address.len()];
        if lengths != [all, all, addressed] || !self.iter().all(is_found) {
            return Err("an index of the table does not match its connections");
        }
        Ok(())
    }
}

/// Equal if the connections are equal: the indexes follow from them.
impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        let Self { keys, slots, free, spare: _, by_id: _, by_nonce: _, by_address: _, counts } = self;
        *keys == other.keys && *slots == other.slots && *free == other.free && *counts == other.counts
    }
}

impl Eq for Table {}

#[inline]
fn in_slot(slots: &[Option<Box<Conn>>], slot: Slot) -> &Conn {
    slots[slot as usize].as_deref().expect("an indexed slot is taken")
}

/// The hash of an id in the index.
#[inline]
fn hash_of(id: ConnId) -> u64 {
    OwnNumbers.hash_one(id.as_u64())
}
