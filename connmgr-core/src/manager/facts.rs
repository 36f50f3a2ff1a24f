//! What the manager is told. Facts cannot fail: an id that is unknown, ended or told twice is counted and ignored.

use core::net::IpAddr;

use crate::book::{SourceGroup, hearsay};
use crate::config::Mode;
use crate::mechanisms::groups::{Group, is_routable};
use crate::types::{
    Action, Activity, AddressInfo, CloseCause, CloseReason, ConnId, DialError, Event, Kind, ListenerId, LookupError,
    LookupId, PeerAddress, PeerInfo, Source, Time, UnixTime,
};

use super::ending::Ending;
use super::{ConnManager, ConnState, Phase, Timer};

impl ConnManager {
    /// Time has passed. Does what is due; before [`poll_timeout`](Self::poll_timeout) it does nothing.
    pub fn handle_timeout(&mut self, now: Time) {
        self.begin(now);
        let now = self.now();
        if self.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        self.earliest = now.after(super::TICK);
        // A cause that emits nothing is work too: both are bounded by the same limit.
        for _ in 0..self.config.max_actions_per_input {
            if !self.has_room() {
                break;
            }
            let Some(timer) = self.timers.pop_due(now) else { break };
            self.fire(timer);
        }
        self.plan();
    }

    fn fire(&mut self, timer: Timer) {
        self.fired(timer);
        match timer {
            Timer::Conn(id) => self.conn_is_due(id),
            Timer::Peer(id) => {
                if self.peers.get(id).is_some() {
                    self.peers.enqueue(id);
                }
            }
            Timer::Lookup(id) => {
                self.end_lookup(id);
                self.use_lookup(id, Err(LookupError::TimedOut));
            }
            // The planner follows every timeout.
            Timer::Plan => {}
            Timer::Probe(network) => self.probe_is_due(network),
            Timer::Seeds => self.seeds_are_due(),
            Timer::FixedSeeds => self.fixed_seeds_are_due(),
            Timer::Bans => self.bans_are_due(),
            Timer::StartOver => self.start_over(),
            Timer::Save => self.act(Action::Save),
        }
    }

    /// The one timer of a connection has fired: what it means depends on how far the connection has come.
    fn conn_is_due(&mut self, id: ConnId) {
        let Some(conn) = self.table.get(id) else { return };
        let is_over = conn.deadline() <= self.now();
        match conn.state() {
            ConnState::Dialing | ConnState::Silent if is_over => self.close(id, CloseReason::DialTimeout),
            ConnState::Handshaking | ConnState::Stalled if is_over => self.close(id, CloseReason::HandshakeTimeout),
            ConnState::Dialing | ConnState::Silent | ConnState::Handshaking | ConnState::Stalled => {
                self.no_progress(id);
            }
            ConnState::Ready if conn.kind().is_visit() => self.close(id, CloseReason::Done),
            ConnState::Ready => self.is_stable(id),
        }
    }

    /// The world's clocks say this. Moves no deadline, and changes no age: what is remembered by date (when an address
    /// was seen, when a ban was given) moves with the clock. Tell it before anything else when a wake-up finds the two
    /// clocks more than a second from their known offset.
    pub fn handle_clock(&mut self, unix: UnixTime, now: Time) {
        self.begin(now);
        self.clocks.set_unix(unix);
    }

    /// A dial has ended. A success that comes after its `Close` is answered with another.
    pub fn handle_dial_result(&mut self, conn: ConnId, result: Result<(), DialError>, now: Time) {
        self.begin(now);
        match (self.table.get(conn).map(|conn| conn.is_open()), result) {
            (Some(false), Ok(())) => self.dial_succeeded(conn),
            (Some(false), Err(error)) => self.end(conn, Ending::Failed(error)),
            (None, Ok(())) if self.was_given(conn) && self.phase != Phase::Stopped => {
                self.ignore();
                self.act(Action::Close { conn, reason: CloseReason::Late });
            }
            (Some(true) | None, _) => self.ignore(),
        }
        self.plan();
    }

    fn was_given(&self, conn: ConnId) -> bool {
        (ConnId::FIRST..self.next_conn).contains(&conn)
    }

    fn dial_succeeded(&mut self, id: ConnId) {
        let Some(conn) = self.table.get(id) else { return };
        let (kind, is_silent, peer) = (conn.kind(), conn.state() == ConnState::Silent, conn.peer());
        let address = conn.dialed().cloned();
        if let Some(address) = &address {
            self.record_answer(address);
            self.book.record_answered(address, self.clocks.now());
        }
        self.no_shortage(id);
        let has_slot = !is_silent || self.take_slot(kind, false);
        if !has_slot && self.table.ready(kind) >= self.split().of(kind) {
            return self.close(id, CloseReason::Surplus);
        }
        self.stats.dials_succeeded += 1;
        let deadline = self.handshake_deadline();
        self.table.open(id, has_slot, self.clocks.now());
        if let Some(notes) = self.table.notes(id) {
            notes.deadline = deadline;
        }
        self.look_for_progress(id);
        if let Some(peer) = peer.and_then(|peer| self.peers.get_mut(peer)) {
            peer.connect(id);
        }
        self.tell_connected(id);
        // An added peer may have waited for this very address: now the connection can become its own.
        if let Some(address) = &address {
            self.wake_peer_at(address);
        }
    }

    pub(super) fn tell_connected(&mut self, id: ConnId) {
        if let Some(conn) = self.table.get(id) {
            let connected = conn.connected();
            self.tell(Event::Connected(connected));
        }
    }

    /// The handshake is done.
    pub fn handle_ready(&mut self, conn: ConnId, info: PeerInfo, now: Time) {
        self.begin(now);
        if self.table.get(conn).is_some_and(crate::conn::Conn::is_handshaking) {
            self.judge_handshake(conn, info);
        } else {
            self.ignore();
        }
        self.plan();
    }

    fn judge_handshake(&mut self, id: ConnId, info: PeerInfo) {
        if self.is_ourselves(&info) {
            return self.close_self_connection(id, &info);
        }
        let Some(conn) = self.table.get(id) else { return };
        let kind = conn.kind();
        let dialed = conn.dialed().cloned();
        if let Some(notes) = self.table.notes(id) {
            notes.services = info.services;
        }
        if let Some(address) = &dialed {
            let now = self.now();
            self.book.record_success(address, info.services, now);
            if !kind.is_automatic() {
                self.book.record_stable(address);
            }
            self.save_later(self.config.book.save_every);
        }
        if !info.services.has(self.config.required.of(kind)) {
            return self.close(id, CloseReason::MissingServices);
        }
        if let Some(loser) = self.duplicate(id, &info) {
            self.close_duplicate(loser, id, &info);
            if loser == id {
                return;
            }
        }
        let is_stalled = self.table.get(id).is_some_and(|conn| conn.state() == ConnState::Stalled);
        if is_stalled && !self.take_slot(kind, true) {
            return self.close(id, CloseReason::Surplus);
        }
        self.make_ready(id, &info);
    }

    fn make_ready(&mut self, id: ConnId, info: &PeerInfo) {
        let Some(conn) = self.table.get(id) else { return };
        let (kind, peer, now) = (conn.kind(), conn.peer(), self.now());
        self.table.make_ready(id, info.identity, now);
        self.stats.ready += 1;
        self.record_life_of(id);
        if peer.is_some() {
            self.added_is_ready();
        }
        match kind {
            Kind::Feeler => self.close(id, CloseReason::Done),
            Kind::AddrFetch => self.arm(Timer::Conn(id), now.after(self.config.addr_fetch_timeout)),
            Kind::Full | Kind::BlockRelay => {
                self.automatic_is_ready(id);
                self.arm(Timer::Conn(id), now.after(self.config.stable_after));
            }
            Kind::Added | Kind::Inbound => self.disarm(Timer::Conn(id)),
        }
    }

    /// A connection was closed by the other end, or its stream was dropped.
    pub fn handle_closed(&mut self, conn: ConnId, cause: CloseCause, now: Time) {
        self.begin(now);
        if self.table.get(conn).is_some_and(|conn| conn.is_open()) {
            self.end(conn, Ending::Closed(cause));
        } else {
            self.ignore();
        }
        self.plan();
    }

    /// Somebody tells us addresses. Those nobody could dial are left out; of a peer's, those beyond its rate. Looks
    /// at `book.max_per_call` of them at the most.
    pub fn handle_addresses(&mut self, source: Source, addresses: &[AddressInfo], now: Time) {
        self.begin(now);
        if self.config.mode == Mode::Automatic && self.phase != Phase::Stopped {
            self.learn(source, addresses);
        }
        if let Source::Peer(conn) = source {
            self.end_addr_fetch(conn, addresses.len());
        }
        self.plan();
    }

    fn learn(&mut self, source: Source, addresses: &[AddressInfo]) {
        let Some(group) = self.source_group(source) else { return self.ignore() };
        let mut learnt = 0;
        let most = usize::try_from(self.config.book.max_per_call).unwrap_or(usize::MAX);
        for info in addresses.iter().take(most) {
            learnt += u64::from(self.learn_one(source, group, info));
        }
        self.stats.addresses_learnt += learnt;
        self.stats.addresses_ignored += addresses.len() as u64 - learnt;
        if learnt > 0 {
            self.feed();
            self.save_later(self.config.book.save_every);
        }
    }

    /// Who stands behind a source; none if it is no live connection.
    fn source_group(&self, source: Source) -> Option<SourceGroup> {
        match source {
            Source::Application => Some(SourceGroup(SOURCE_APPLICATION)),
            Source::Peer(conn) => {
                let conn = self.table.get(conn).filter(|conn| conn.is_open())?;
                let group = conn.host().as_ref().and_then(Group::of);
                Some(SourceGroup(group.map_or(SOURCE_HIDDEN, |group| group.as_u64())))
            }
        }
    }

    fn learn_one(&mut self, source: Source, group: SourceGroup, info: &AddressInfo) -> bool {
        let (unix, now) = (self.unix(), self.now());
        let heard = match source {
            Source::Application => info.clone(),
            Source::Peer(conn) => {
                let Some(notes) = self.table.notes(conn) else { return false };
                if !notes.gossip.take(&self.config.book.gossip, now) {
                    return false;
                }
                AddressInfo { last_seen: hearsay(info.last_seen, unix), ..info.clone() }
            }
        };
        self.is_worth_knowing(&heard.address) && self.book.add(&heard, group, unix, now, &mut self.rng)
    }

    /// Whether an address could ever be dialed.
    pub(super) fn is_worth_knowing(&self, address: &PeerAddress) -> bool {
        address.name().is_none()
            && is_routable(address.host(), self.config.loopback_is_public)
            && self.rules().is_reachable(address)
            && !self.own.contains(address)
    }

    /// An addr-fetch has its answer when it brings more than one address: one may be just the peer's own.
    fn end_addr_fetch(&mut self, conn: ConnId, count: usize) {
        if count > 1 && self.table.get(conn).is_some_and(|conn| conn.kind() == Kind::AddrFetch) {
            self.close(conn, CloseReason::Done);
        }
    }

    /// A lookup has ended.
    pub fn handle_lookup_result(&mut self, lookup: LookupId, result: Result<&[IpAddr], LookupError>, now: Time) {
        self.begin(now);
        if self.end_lookup(lookup) {
            self.use_lookup(lookup, result);
        } else {
            self.ignore();
        }
        self.plan();
    }

    /// A connection has been good for something, or just said something; its network is evidently up. To be told at
    /// least every fifth of `health.traffic_within` while bytes come: without it, a network in which few dials are
    /// answered may be taken for down though its connections live.
    pub fn handle_activity(&mut self, conn: ConnId, activity: Activity, now: Time) {
        self.begin(now);
        match self.table.notes(conn) {
            Some(notes) => {
                notes.activity = notes.activity.and(activity);
                self.record_life_of(conn);
            }
            None => self.ignore(),
        }
        self.plan();
    }

    /// Accepting on a listener failed for want of descriptors, buffers or memory: pause, longer each time in a row.
    pub fn handle_accept_error(&mut self, listener: ListenerId, now: Time) {
        self.begin(now);
        if self.config.listeners.iter().any(|known| known.id == listener) && self.phase != Phase::Stopped {
            self.pause_accepting(listener);
        } else {
            self.ignore();
        }
    }

    /// The machine's network has changed (an interface came up, an address was assigned): whatever is suspected
    /// down is tried at full speed, added peers that gave no answer are dialed within 15 s, and seeds that failed may
    /// be asked again. At most once a minute: what is told sooner has its effect when the minute is over.
    pub fn handle_network_changed(&mut self, now: Time) {
        self.begin(now);
        if self.phase == Phase::Stopped {
            return self.ignore();
        }
        if self.may_start_over() {
            self.start_over();
        }
        self.plan();
    }
}

/// Source groups that are no network group. A network group has its network in the highest byte; these lie above all.
const SOURCE_APPLICATION: u64 = u64::MAX;
const SOURCE_HIDDEN: u64 = u64::MAX - 1;
