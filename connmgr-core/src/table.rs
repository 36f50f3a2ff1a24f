//! All connections and dials, and every count of them.
//!
//! Counts change only here: in `insert`, `remove` and transitions. A transition removes the connection from every count
//! that it can affect, changes the connection, and counts it again, so that no count is forgotten. The other end of a
//! connection never changes. [`Table::check`] recounts everything.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::conn::{Conn, End, Notes, Origin};
use crate::mechanisms::groups::Group;
use crate::mechanisms::hasher::{Keyed, OwnNumbers};
use crate::types::{ConnId, ConnState, Host, Identity, Kind, NetworkKind, PeerAddress, PeerId, Time};

type Map<K, V> = HashMap<K, V, Keyed>;
type OwnMap<K, V> = HashMap<K, V, OwnNumbers>;
type Slot = u32;

/// All connections and dials, and every count of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    slots: Vec<Option<Conn>>,
    free: Vec<Slot>,
    by_id: OwnMap<ConnId, Slot>,
    counts: Counts,
}

/// All counts. Equal counts count the same connections.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Counts {
    kinds: [KindCount; Kind::ALL.len()],
    /// For added peers and each automatic kind, what holds its slots.
    holders: [Holders; Kind::ALL.len()],
    open_in: [u32; NetworkKind::ALL.len()],
    /// Dials not open yet, the oldest first.
    dialing_in: [VecDeque<ConnId>; NetworkKind::ALL.len()],
    /// Automatic dials and handshakes.
    under_way_in: [u32; NetworkKind::ALL.len()],
    /// Those of them that are overdue or without a slot.
    stuck_in: [u32; NetworkKind::ALL.len()],
    addresses: Map<PeerAddress, AddressCount>,
    groups: Map<Group, u32>,
    inbound_of: Map<Host, u32>,
    half_open: Map<Origin, u32>,
    nonces: OwnMap<u64, ConnId>,
    /// Ready connections with an identity, the oldest first.
    identities: Map<Identity, Vec<ConnId>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct KindCount {
    slots: u32,
    dialing: u32,
    silent: u32,
    stalled: u32,
    handshaking: u32,
    ready: u32,
}

/// What holds the slots of a kind: never more than its slots. Each list the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Holders {
    dialing: VecDeque<ConnId>,
    handshaking: VecDeque<ConnId>,
    ready: VecDeque<ConnId>,
    /// Dials and handshakes without progress for `hedge_after`.
    overdue: VecDeque<ConnId>,
}

/// The connections and dials with one address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct AddressCount {
    conns: u32,
    /// The one that we dialed.
    dialed: Option<ConnId>,
}

impl Table {
    /// An empty table. The keys are secret, so that no one can choose addresses with equal hashes.
    pub(crate) fn new(keys: Keyed) -> Self {
        Self { slots: Vec::new(), free: Vec::new(), by_id: HashMap::with_hasher(OwnNumbers), counts: Counts::new(keys) }
    }

    /// Adds a connection or dial.
    pub(crate) fn insert(&mut self, conn: Conn) {
        debug_assert!(!self.by_id.contains_key(&conn.id()), "an id is never reused");
        self.counts.add(&conn);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            Slot::try_from(self.slots.len() - 1).expect("limits keep the table under 2^32")
        });
        self.by_id.insert(conn.id(), slot);
        self.slots[slot as usize] = Some(conn);
    }

    /// Removes a connection or dial.
    pub(crate) fn remove(&mut self, id: ConnId) -> Option<Conn> {
        let slot = self.by_id.remove(&id)?;
        let conn = self.slots[slot as usize].take()?;
        self.free.push(slot);
        self.counts.subtract(&conn);
        Some(conn)
    }

    /// A dial or handshake has made no progress for `hedge_after`.
    pub(crate) fn make_overdue(&mut self, id: ConnId) {
        self.transition(id, Conn::make_overdue);
    }

    /// A dial or handshake gives its slot up.
    pub(crate) fn give_slot(&mut self, id: ConnId, now: Time) {
        self.transition(id, |conn| conn.give_slot(now));
    }

    /// A dial has succeeded; it has a slot or not.
    pub(crate) fn open(&mut self, id: ConnId, has_slot: bool, now: Time) {
        self.transition(id, |conn| conn.open(has_slot, now));
    }

    /// A handshake is completed.
    pub(crate) fn make_ready(&mut self, id: ConnId, identity: Option<Identity>, now: Time) {
        self.transition(id, |conn| conn.make_ready(identity, now));
    }

    /// A connection now belongs to an added peer.
    pub(crate) fn adopt(&mut self, id: ConnId, peer: PeerId) {
        self.transition(id, |conn| conn.adopt(peer));
    }

    fn transition(&mut self, id: ConnId, change: impl FnOnce(&mut Conn)) {
        debug_assert!(self.by_id.contains_key(&id), "a transition is of a connection in the table");
        let Some(slot) = self.by_id.get(&id) else { return };
        let Some(conn) = self.slots[*slot as usize].as_mut() else { return };
        let group = conn.group();
        self.counts.subtract_progress(conn);
        change(conn);
        self.counts.add_progress(conn);
        if conn.group() != group {
            self.counts.subtract_group(group);
            self.counts.add_group(conn.group());
        }
    }

    /// The connection or dial with this id.
    pub(crate) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.slots[*self.by_id.get(&id)? as usize].as_ref()
    }

    /// The parts of a connection that no count depends on.
    pub(crate) fn notes(&mut self, id: ConnId) -> Option<&mut Notes> {
        let slot = *self.by_id.get(&id)?;
        self.slots[slot as usize].as_mut().map(|conn| &mut conn.notes)
    }

    /// All connections and dials, in arbitrary order: sort before the order can reach an action.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Conn> {
        self.slots.iter().flatten()
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
        self.counts.addresses.contains_key(address)
    }

    /// How many connections and dials have this address.
    pub(crate) fn holders(&self, address: &PeerAddress) -> u32 {
        self.counts.addresses.get(address).map_or(0, |count| count.conns)
    }

    /// The connection or dial that we made to this address.
    pub(crate) fn dialed(&self, address: &PeerAddress) -> Option<ConnId> {
        self.counts.addresses.get(address)?.dialed
    }

    /// The automatic connections and dials in a group.
    pub(crate) fn in_group(&self, group: Group) -> u32 {
        self.counts.groups.get(&group).copied().unwrap_or(0)
    }

    /// The inbound connections of a host.
    pub(crate) fn inbound_of(&self, host: &Host) -> u32 {
        self.counts.inbound_of.get(host).copied().unwrap_or(0)
    }

    /// The unfinished inbound handshakes of an origin.
    pub(crate) fn half_open(&self, origin: Origin) -> u32 {
        self.counts.half_open.get(&origin).copied().unwrap_or(0)
    }

    /// The connection whose version message carries this nonce of ours.
    pub(crate) fn with_nonce(&self, nonce: u64) -> Option<ConnId> {
        self.counts.nonces.get(&nonce).copied()
    }

    /// The oldest ready connection with this identity.
    pub(crate) fn with_identity(&self, identity: Identity) -> Option<ConnId> {
        self.counts.identities.get(&identity)?.first().copied()
    }

    /// Recounts everything.
    pub(crate) fn check(&self, keys: Keyed) -> Result<(), &'static str> {
        let mut counts = Counts::new(keys);
        self.iter().for_each(|conn| counts.add(conn));
        if counts != self.counts {
            return Err("the table's counts differ from a recount");
        }
        let found = |conn: &Conn| self.get(conn.id()).is_some_and(|same| same.id() == conn.id());
        if self.iter().count() != self.by_id.len() || !self.iter().all(found) {
            return Err("the table's index does not match its connections");
        }
        Ok(())
    }
}

impl Counts {
    fn new(keys: Keyed) -> Self {
        fn map<K, V>(keys: Keyed) -> Map<K, V> {
            HashMap::with_hasher(keys)
        }
        Self {
            kinds: Default::default(),
            holders: Default::default(),
            open_in: Default::default(),
            dialing_in: Default::default(),
            under_way_in: Default::default(),
            stuck_in: Default::default(),
            addresses: map(keys),
            groups: map(keys),
            inbound_of: map(keys),
            half_open: map(keys),
            nonces: HashMap::with_hasher(OwnNumbers),
            identities: map(keys),
        }
    }

    fn add(&mut self, conn: &Conn) {
        self.add_progress(conn);
        self.add_group(conn.group());
        if let Some(address) = conn.address() {
            let count = self.addresses.entry(address).or_default();
            count.conns += 1;
            count.dialed = count.dialed.or(conn.dialed().map(|_| conn.id()));
        }
        if let End::Visible { remote, .. } = conn.end() {
            up(&mut self.inbound_of, remote.host().clone());
        }
        self.nonces.insert(conn.notes.nonce, conn.id());
    }

    fn subtract(&mut self, conn: &Conn) {
        self.subtract_progress(conn);
        self.subtract_group(conn.group());
        if let Some(address) = conn.address() {
            self.subtract_address(address, conn);
        }
        if let End::Visible { remote, .. } = conn.end() {
            down(&mut self.inbound_of, remote.host().clone());
        }
        self.nonces.remove(&conn.notes.nonce);
    }

    fn add_group(&mut self, group: Option<Group>) {
        if let Some(group) = group {
            up(&mut self.groups, group);
        }
    }

    fn subtract_group(&mut self, group: Option<Group>) {
        if let Some(group) = group {
            down(&mut self.groups, group);
        }
    }

    fn subtract_address(&mut self, address: PeerAddress, conn: &Conn) {
        if let Entry::Occupied(mut entry) = self.addresses.entry(address) {
            let count = entry.get_mut();
            count.conns -= 1;
            count.dialed = count.dialed.filter(|dialed| *dialed != conn.id());
            if count.conns == 0 {
                entry.remove();
            }
        }
    }

    /// Counts everything that a transition may change, except the group, which rarely changes.
    fn add_progress(&mut self, conn: &Conn) {
        let kind = &mut self.kinds[conn.kind().index()];
        kind.slots += u32::from(conn.holds_slot());
        *kind.of(conn.state()) += 1;
        if conn.kind().is_automatic() || conn.kind() == Kind::Added {
            self.holders[conn.kind().index()].add(conn);
        }
        if let Some(network) = conn.network() {
            let at = network.index();
            self.open_in[at] += u32::from(conn.is_open());
            self.under_way_in[at] += u32::from(is_under_way(conn));
            self.stuck_in[at] += u32::from(is_stuck(conn));
            if !conn.is_open() {
                insert(&mut self.dialing_in[at], conn.id());
            }
        }
        if let (ConnState::Handshaking, Some(origin)) = (conn.state(), conn.origin()) {
            up(&mut self.half_open, origin);
        }
        if let Some(identity) = conn.identity() {
            let ids = self.identities.entry(identity).or_default();
            ids.insert(ids.partition_point(|other| *other < conn.id()), conn.id());
        }
    }

    fn subtract_progress(&mut self, conn: &Conn) {
        let kind = &mut self.kinds[conn.kind().index()];
        kind.slots -= u32::from(conn.holds_slot());
        *kind.of(conn.state()) -= 1;
        if conn.kind().is_automatic() || conn.kind() == Kind::Added {
            self.holders[conn.kind().index()].subtract(conn);
        }
        if let Some(network) = conn.network() {
            let at = network.index();
            self.open_in[at] -= u32::from(conn.is_open());
            self.under_way_in[at] -= u32::from(is_under_way(conn));
            self.stuck_in[at] -= u32::from(is_stuck(conn));
            if !conn.is_open() {
                remove(&mut self.dialing_in[at], conn.id());
            }
        }
        if let (ConnState::Handshaking, Some(origin)) = (conn.state(), conn.origin()) {
            down(&mut self.half_open, origin);
        }
        if let Some(identity) = conn.identity() {
            self.forget_identity(identity, conn.id());
        }
    }

    fn forget_identity(&mut self, identity: Identity, id: ConnId) {
        if let Entry::Occupied(mut entry) = self.identities.entry(identity) {
            entry.get_mut().retain(|other| *other != id);
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }
}

impl KindCount {
    const fn get(&self, state: ConnState) -> u32 {
        match state {
            ConnState::Dialing => self.dialing,
            ConnState::Silent => self.silent,
            ConnState::Handshaking => self.handshaking,
            ConnState::Stalled => self.stalled,
            ConnState::Ready => self.ready,
        }
    }

    const fn of(&mut self, state: ConnState) -> &mut u32 {
        match state {
            ConnState::Dialing => &mut self.dialing,
            ConnState::Silent => &mut self.silent,
            ConnState::Handshaking => &mut self.handshaking,
            ConnState::Stalled => &mut self.stalled,
            ConnState::Ready => &mut self.ready,
        }
    }
}

impl Holders {
    /// The list of a state.
    const fn of(&mut self, state: ConnState) -> Option<&mut VecDeque<ConnId>> {
        match state {
            ConnState::Dialing => Some(&mut self.dialing),
            ConnState::Handshaking => Some(&mut self.handshaking),
            ConnState::Ready => Some(&mut self.ready),
            ConnState::Silent | ConnState::Stalled => None,
        }
    }

    fn add(&mut self, conn: &Conn) {
        if let Some(list) = self.of(conn.state()) {
            insert(list, conn.id());
        }
        if conn.is_overdue() {
            insert(&mut self.overdue, conn.id());
        }
    }

    fn subtract(&mut self, conn: &Conn) {
        if let Some(list) = self.of(conn.state()) {
            remove(list, conn.id());
        }
        if conn.is_overdue() {
            remove(&mut self.overdue, conn.id());
        }
    }
}

/// Whether it is an automatic dial or handshake.
const fn is_under_way(conn: &Conn) -> bool {
    conn.kind().is_automatic() && !matches!(conn.state(), ConnState::Ready)
}

/// Whether it is an automatic dial or handshake that is overdue or without a slot.
const fn is_stuck(conn: &Conn) -> bool {
    conn.kind().is_automatic() && (conn.is_overdue() || !conn.holds_slot())
}

/// Inserts an id in order. A new dial has the greatest id, so it usually goes last.
fn insert(ids: &mut VecDeque<ConnId>, id: ConnId) {
    let place = ids.partition_point(|other| *other < id);
    ids.insert(place, id);
}

fn remove(ids: &mut VecDeque<ConnId>, id: ConnId) {
    if let Ok(place) = ids.binary_search(&id) {
        ids.remove(place);
    }
}

fn up<K: core::hash::Hash + Eq>(counts: &mut Map<K, u32>, key: K) {
    *counts.entry(key).or_insert(0) += 1;
}

fn down<K: core::hash::Hash + Eq>(counts: &mut Map<K, u32>, key: K) {
    if let Entry::Occupied(mut entry) = counts.entry(key) {
        *entry.get_mut() -= 1;
        if *entry.get() == 0 {
            entry.remove();
        }
    }
}
