//! Every count of connections and dials. The [table](super) alone changes them.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::conn::{Conn, End, Origin};
use crate::mechanisms::groups::Group;
use crate::mechanisms::hasher::Folding;
use crate::mechanisms::tally::Tally;
use crate::types::{ConnId, ConnState, Host, Identity, Kind, NetworkKind};

/// All counts. Equal counts count the same connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) kinds: [KindCount; Kind::ALL.len()],
    /// For added peers and each automatic kind, what holds its slots.
    pub(super) holders: [Holders; Kind::ALL.len()],
    pub(super) open_in: [u32; NetworkKind::ALL.len()],
    /// Dials not open yet, the oldest first.
    pub(super) dialing_in: [VecDeque<ConnId>; NetworkKind::ALL.len()],
    /// Automatic dials and handshakes.
    pub(super) under_way_in: [u32; NetworkKind::ALL.len()],
    /// Those of them that are overdue or without a slot.
    pub(super) stuck_in: [u32; NetworkKind::ALL.len()],
    groups: Tally<Group>,
    inbound_of: Tally<Host>,
    half_open: Tally<Origin>,
    /// Ready connections with an identity, the oldest first.
    identities: HashMap<Identity, Vec<ConnId>, Folding>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KindCount {
    pub(super) slots: u32,
    pub(super) dialing: u32,
    pub(super) silent: u32,
    pub(super) stalled: u32,
    pub(super) handshaking: u32,
    pub(super) ready: u32,
}

/// What holds the slots of a kind: never more than its slots. Each list the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Holders {
    pub(super) dialing: VecDeque<ConnId>,
    pub(super) handshaking: VecDeque<ConnId>,
    pub(super) ready: VecDeque<ConnId>,
    /// Dials and handshakes without progress for `hedge_after`.
    pub(super) overdue: VecDeque<ConnId>,
}

impl Counts {
    pub(super) const fn new(keys: Folding) -> Self {
        Self {
            kinds: [KindCount::NONE; Kind::ALL.len()],
            holders: [const { Holders::new() }; Kind::ALL.len()],
            open_in: [0; NetworkKind::ALL.len()],
            dialing_in: [const { VecDeque::new() }; NetworkKind::ALL.len()],
            under_way_in: [0; NetworkKind::ALL.len()],
            stuck_in: [0; NetworkKind::ALL.len()],
            groups: Tally::new(keys),
            inbound_of: Tally::new(keys),
            half_open: Tally::new(keys),
            identities: HashMap::with_hasher(keys),
        }
    }

    #[inline]
    pub(super) fn add(&mut self, conn: &Conn) {
        self.add_progress(conn);
        self.add_group(conn.group());
        if let End::Visible { remote, .. } = conn.end() {
            self.inbound_of.up(remote.host());
        }
    }

    #[inline]
    pub(super) fn subtract(&mut self, conn: &Conn) {
        self.subtract_progress(conn);
        self.subtract_group(conn.group());
        if let End::Visible { remote, .. } = conn.end() {
            self.inbound_of.down(remote.host());
        }
    }

    #[inline]
    pub(super) fn in_group(&self, group: Group) -> u32 {
        self.groups.get(&group)
    }

    #[inline]
    pub(super) fn inbound_of(&self, host: &Host) -> u32 {
        self.inbound_of.get(host)
    }

    #[inline]
    pub(super) fn half_open(&self, origin: Origin) -> u32 {
        self.half_open.get(&origin)
    }

    /// The oldest ready connection with this identity.
    pub(super) fn with_identity(&self, identity: Identity) -> Option<ConnId> {
        self.identities.get(&identity)?.first().copied()
    }

    pub(super) fn add_group(&mut self, group: Option<Group>) {
        if let Some(group) = group {
            self.groups.up(&group);
        }
    }

    pub(super) fn subtract_group(&mut self, group: Option<Group>) {
        if let Some(group) = group {
            self.groups.down(&group);
        }
    }

    /// Counts everything that a transition may change, except the group, which rarely changes.
    pub(super) fn add_progress(&mut self, conn: &Conn) {
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
        if let Some(origin) = half_open_at(conn) {
            self.half_open.up(&origin);
        }
        if let Some(identity) = conn.identity() {
            let ids = self.identities.entry(identity).or_default();
            ids.insert(ids.partition_point(|other| *other < conn.id()), conn.id());
        }
    }

    pub(super) fn subtract_progress(&mut self, conn: &Conn) {
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
        if let Some(origin) = half_open_at(conn) {
            self.half_open.down(&origin);
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
    const NONE: Self = Self { slots: 0, dialing: 0, silent: 0, stalled: 0, handshaking: 0, ready: 0 };

    pub(super) const fn get(&self, state: ConnState) -> u32 {
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
    const fn new() -> Self {
        Self {
            dialing: VecDeque::new(),
            handshaking: VecDeque::new(),
            ready: VecDeque::new(),
            overdue: VecDeque::new(),
        }
    }

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

/// Where it counts as an unfinished inbound handshake.
fn half_open_at(conn: &Conn) -> Option<Origin> {
    if conn.state() == ConnState::Handshaking && conn.kind().is_inbound() { conn.origin() } else { None }
}

/// Whether it is an automatic dial or handshake that is overdue or without a slot.
const fn is_stuck(conn: &Conn) -> bool {
    conn.kind().is_automatic() && (conn.is_overdue() || !conn.holds_slot())
}

/// Inserts an id in order. A new dial has the greatest id, so it usually goes last.
fn insert(ids: &mut VecDeque<ConnId>, id: ConnId) {
    if ids.back().is_none_or(|last| *last < id) {
        return ids.push_back(id);
    }
    let place = ids.partition_point(|other| *other < id);
    ids.insert(place, id);
}

fn remove(ids: &mut VecDeque<ConnId>, id: ConnId) {
    if ids.back() == Some(&id) {
        ids.pop_back();
    } else if let Ok(place) = ids.binary_search(&id) {
        ids.remove(place);
    }
}
