//! The planner, and the only place that emits a dial.
//!
//! [`plan`](ConnManager::plan) ends every input. It is a fixpoint: planning twice at the same time does nothing the
//! second time. What it must leave undone (no slot, nobody to dial, too fast, too much for one call) it does when a
//! fact changes that, or at a deadline of its own.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::config::Split;
use crate::conn::{Conn, End, Notes, via};
use crate::types::{
    Action, CloseReason, ConnId, Event, Host, HostName, Isolation, IsolationToken, Kind, LookupError, LookupId,
    PeerAddress, PeerId, Route, Time, Transport,
};

use super::{ConnManager, ConnState, Obstacle, Phase, Timer};

/// A dial that was decided on.
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) address: PeerAddress,
    pub(super) peer: Option<PeerId>,
    pub(super) transport: Transport,
    /// No hedge has its slot, however long it takes to be ready; what comes further before it may.
    pub(super) is_trial: bool,
    /// The route of an earlier attempt that this one repeats.
    pub(super) same_route: Option<Option<(core::net::SocketAddr, Isolation)>>,
}

impl ConnManager {
    /// Does all that is to be done now.
    pub(super) fn plan(&mut self) {
        if self.sweep_wanted {
            self.sweep();
        }
        if self.phase != Phase::Active {
            return;
        }
        let split = self.split();
        self.dial_added(&split);
        // After it, for what an added peer takes over may leave a place without a slot to another.
        self.hedge();
        self.dial_probes(&split);
        self.notice_long_lives();
        for kind in self.kinds_in_turn() {
            self.dial_automatic(kind, &split);
        }
        self.dial_addr_fetches(&split);
    }

    fn dial_added(&mut self, split: &Split) {
        while let Some(peer) = self.peers.first_queued() {
            if !self.has_slot(Kind::Added, split) || self.must_pause() {
                return;
            }
            self.dial_peer(peer);
        }
    }

    /// Whether no dial may be made now: this call has done enough, or the machine has no room for another. Then the
    /// planner goes on later.
    pub(super) fn must_pause(&mut self) -> bool {
        let until = if self.has_room() { self.shortage.until(self.now()) } else { Some(self.now()) };
        if let Some(until) = until {
            self.arm_earlier(Timer::Plan, until);
        }
        until.is_some()
    }

    /// Begins an attempt at an added peer, or notes what forbids it.
    fn dial_peer(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(id) else { return };
        let address = peer.address().clone();
        if let Some(obstacle) = self.rules().obstacle(&address) {
            return self.meet_obstacle(id, &address, obstacle);
        }
        match (address.name(), self.rules().proxy(&address)) {
            (Some(name), None) => self.resolve_peer(id, name.clone()),
            (Some(_) | None, _) => {
                self.dial_for_peer(id, address);
            }
        }
    }

    /// Dials an address for an added peer.
    pub(super) fn dial_for_peer(&mut self, id: PeerId, address: PeerAddress) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        peer.take_turn(address.host().ip());
        let transport = if peer.is_v1_only() { Transport::V1 } else { self.config.transport };
        let plan = Plan { kind: Kind::Added, address, peer: Some(id), transport, is_trial: false, same_route: None };
        self.dial(plan);
    }

    fn meet_obstacle(&mut self, id: PeerId, address: &PeerAddress, obstacle: Obstacle) {
        if obstacle == Obstacle::AddressInUse && self.try_adopt(id, address) {
            return;
        }
        let ban_ends = self.bans.until(address.host(), self.now());
        if obstacle == Obstacle::Banned {
            self.arm(Timer::Peer(id), ban_ends.unwrap_or(Time::MAX));
        }
        if let Some(peer) = self.peers.get_mut(id) {
            peer.block(obstacle);
        }
    }

    /// An automatic connection with the peer's address becomes the peer's. A dial does when it succeeds; until then
    /// the peer waits. A block-relay connection is not what was asked for, and makes room.
    fn try_adopt(&mut self, id: PeerId, address: &PeerAddress) -> bool {
        let Some(conn) = self.table.dialed(address).and_then(|conn| self.table.get(conn)) else { return false };
        let conn = (conn.id(), conn.kind(), conn.is_open());
        match conn {
            (conn, Kind::Full, true) => {
                self.adopt(conn, id);
                true
            }
            // Where a stranger has the address too, nothing would be won.
            (conn, Kind::BlockRelay, _) if self.table.holders(address) == 1 => {
                // Its end frees the address, for which the peer then has the first turn.
                self.close(conn, CloseReason::MadeRoom);
                self.dial_peer(id);
                true
            }
            (_, Kind::Full | Kind::BlockRelay | Kind::Feeler | Kind::AddrFetch | Kind::Added | Kind::Inbound, _) => {
                false
            }
        }
    }

    /// A connection belongs to an added peer from now on.
    pub(super) fn adopt(&mut self, conn: ConnId, id: PeerId) {
        self.table.adopt(conn, id);
        if self.table.get(conn).is_some_and(|conn| conn.state() == ConnState::Ready) {
            self.disarm(Timer::Conn(conn));
        }
        if let Some(peer) = self.peers.get_mut(id) {
            peer.adopt(conn);
        }
        self.tell(Event::Adopted { conn, peer: id });
    }

    fn resolve_peer(&mut self, id: PeerId, host: HostName) {
        let lookup = self.begin_lookup();
        self.peers.begin_lookup(id, lookup);
        let deadline = self.now().after(self.config.dial.lookup_timeout);
        self.act(Action::ResolveHost { lookup, host, route: Route::Direct, deadline });
    }

    /// A new lookup with its deadline.
    pub(super) fn begin_lookup(&mut self) -> LookupId {
        let lookup = self.next_lookup.take();
        self.await_lookup(lookup, self.now().after(self.config.dial.lookup_timeout));
        self.stats.lookups += 1;
        lookup
    }

    /// A peer's name was looked up: try its addresses one after the other. Looks at `book.max_per_call` of them.
    pub(super) fn use_peer_lookup(&mut self, id: PeerId, result: Result<&[IpAddr], LookupError>) {
        match result {
            Ok(ips) => {
                self.note_candidates(id, ips);
                if !self.dial_next_candidate(id, true) {
                    self.fail_lookup(id, LookupError::NotFound);
                }
            }
            Err(error) => self.fail_lookup(id, error),
        }
    }

    /// Those that this attempt tries: each address once, an IPv4 one and its mapped form being the same; where there are
    /// more than [`MAX_CANDIDATES`], those that the attempts before have not come to.
    fn note_candidates(&mut self, id: PeerId, ips: &[IpAddr]) {
        let most = usize::try_from(self.config.book.max_per_call).unwrap_or(usize::MAX);
        let mut seen = BTreeSet::new();
        let each = ips.iter().take(most).map(IpAddr::to_canonical).filter(|ip| seen.insert(*ip));
        let answer: Vec<IpAddr> = each.collect();
        let Some(peer) = self.peers.get_mut(id) else { return };
        let (port, mut candidates) = (peer.address().port(), peer.order_answer(&answer));
        candidates.retain(|ip| self.may_be_candidate(*ip, port));
        candidates.truncate(MAX_CANDIDATES);
        candidates.reverse();
        if let Some(peer) = self.peers.get_mut(id) {
            peer.set_candidates(candidates);
        }
    }

    /// Whether an outage is all that may forbid to dial this address of a name.
    fn may_be_candidate(&self, ip: IpAddr, port: u16) -> bool {
        let obstacle = self.rules().obstacle(&PeerAddress::new(Host::from(ip), port));
        matches!(obstacle, None | Some(Obstacle::NetworkDown))
    }

    fn fail_lookup(&mut self, id: PeerId, error: LookupError) {
        self.tell(Event::LookupFailed { peer: id, error });
        // Only that there is no such name is an answer.
        self.attempt_failed(id, error != LookupError::NotFound, None);
    }

    /// Dials the next address of a peer's name that may be dialed. If an outage alone forbids those that are left,
    /// and it is worth waiting for, they are left to the probes. Where the limits have fallen meanwhile, or the machine
    /// has no room for another dial, the peer waits, and its name is resolved again then. Returns whether the attempt
    /// goes on.
    pub(super) fn dial_next_candidate(&mut self, id: PeerId, may_wait: bool) -> bool {
        let Some(peer) = self.peers.get_mut(id) else { return false };
        let (port, mut left) = (peer.address().port(), peer.take_candidates());
        left.retain(|ip| self.may_be_candidate(*ip, port));
        let must_wait = !self.has_slot(Kind::Added, &self.split()) || self.shortage.until(self.now()).is_some();
        if !left.is_empty() && must_wait {
            self.peers.enqueue(id);
            return true;
        }
        let obstacle = |ip: &IpAddr| self.rules().obstacle(&PeerAddress::new(Host::from(*ip), port));
        let next = left.iter().rposition(|ip| obstacle(ip).is_none());
        let ip = next.map(|at| left.remove(at));
        if ip.is_none() && (left.is_empty() || !may_wait) {
            return false;
        }
        if let Some(peer) = self.peers.get_mut(id) {
            peer.set_candidates(left);
            peer.block(Obstacle::NetworkDown);
        }
        if let Some(ip) = ip {
            self.dial_for_peer(id, PeerAddress::new(Host::from(ip), port));
        }
        true
    }

    /// Dials an address that was chosen from the book.
    pub(super) fn dial_from_book(&mut self, kind: Kind, address: PeerAddress) {
        let plan = self.plan_from_book(kind, address);
        self.dial(plan);
    }

    /// The same, for a network's trial.
    pub(super) fn dial_for_trial(&mut self, kind: Kind, address: PeerAddress) {
        let plan = Plan { is_trial: true, ..self.plan_from_book(kind, address) };
        self.dial(plan);
    }

    fn plan_from_book(&self, kind: Kind, address: PeerAddress) -> Plan {
        let transport = if self.book.is_v1_only(&address) { Transport::V1 } else { self.config.transport };
        Plan { kind, address, peer: None, transport, is_trial: false, same_route: None }
    }

    fn dial_addr_fetches(&mut self, split: &Split) {
        while self.has_slot(Kind::AddrFetch, split) {
            if self.must_pause() {
                return;
            }
            let Some(seed) = self.seeds.next_fetch() else { return };
            let address = self.fetch_address(seed);
            if self.rules().obstacle(&address).is_some() {
                self.end_fetch(&address, false, true);
                continue;
            }
            let transport = self.config.transport;
            let kind = Kind::AddrFetch;
            self.dial(Plan { kind, address, peer: None, transport, is_trial: false, same_route: None });
        }
    }

    /// Dials. Slot, address and group are taken in the same step.
    pub(super) fn dial(&mut self, plan: Plan) {
        let Plan { kind, address, peer, transport, is_trial, same_route } = plan;
        let id = self.next_conn.take();
        let now = self.now();
        let via = same_route.unwrap_or_else(|| self.route(&address));
        let is_proxied = via.is_some();
        let deadline = self.at_least_a_tick(now.after(self.patience(is_proxied).timeout));
        let group = self.rules().group(kind, &address);
        let end = End::Outbound { address: address.clone(), via, group };
        let notes = Notes { is_trial, ..Notes::new(self.rng.next_u64(), deadline) };
        self.table.insert(Conn::dial(id, kind, end, peer, transport, notes, now));
        self.look_for_progress(id);
        self.shortage.record_dial(&self.config.health, now);
        if let (true, Some(network)) = (kind.is_automatic(), address.network()) {
            self.paces[network.index()].record_dial(id.as_u64(), now);
        }
        if let Some(peer) = peer.and_then(|peer| self.peers.get_mut(peer)) {
            peer.dial(id);
        }
        self.book.record_try(&address, now);
        self.stats.dials += 1;
        if let Some(action) = self.table.get(id).and_then(Conn::dial_action) {
            self.act(action);
        }
    }

    fn route(&mut self, address: &PeerAddress) -> Option<(core::net::SocketAddr, Isolation)> {
        let proxy = self.rules().proxy(address);
        via(proxy, self.isolation(proxy.is_some_and(|proxy| proxy.isolate)))
    }

    /// A circuit of its own, or any.
    pub(super) fn isolation(&mut self, isolate: bool) -> Isolation {
        if isolate { Isolation::Token(IsolationToken::from_u64(self.rng.next_u64())) } else { Isolation::Shared }
    }
}

/// How many addresses of one name are tried in one attempt. The next attempt goes on behind them; a peer that is added for
/// one attempt has these.
const MAX_CANDIDATES: usize = 16;
