//! Facts: what happened. A fact cannot fail; one about an unknown or ended id, or one repeated, is counted and ignored.

use crate::book::Numbered;
use crate::peers::Awaited;
use crate::types::{
    Action, Activity, CloseCause, CloseReason, ConnId, DialError, Event, Identity, Kind, ListenerId, LookupError,
    LookupId, PeerInfo, ResolvedIp, Time, UnixTime,
};

use super::ending::Ending;
use super::{ConnManager, ConnState, Phase, Timer};

impl ConnManager {
    /// Time has passed. Does what is due. Does nothing before [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, now: Time) {
        self.begin(now);
        let now = self.now();
        if self.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        self.earliest = now.after(super::TICK);
        // A timer may emit nothing and still cost time, so the limit of actions bounds the number of timers too.
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
            Timer::Conn(id) => self.conn_timer_fired(id),
            Timer::Peer(id) => self.peers.enqueue(id),
            Timer::Lookup(id) => {
                self.end_lookup(id);
                self.use_lookup(id, Err(LookupError::TimedOut));
            }
            // `handle_timeout` plans after every timer.
            Timer::Plan => {}
            Timer::Probe(network) => self.probe_timer_fired(network),
            Timer::Seeds => self.seeds_timer_fired(),
            Timer::FixedSeeds => self.fixed_seeds_timer_fired(),
            Timer::Bans => self.bans_timer_fired(),
            Timer::OwnAddresses => self.own_addresses_timer_fired(),
            Timer::StartOver => self.start_over(),
            Timer::Refusals => self.tell_refusals(),
            Timer::SaveBans => self.save_bans(),
            Timer::SaveBook => self.save_all(),
        }
    }

    /// A connection's timer has fired. Its meaning depends on the connection's state.
    fn conn_timer_fired(&mut self, id: ConnId) {
        let Some(conn) = self.table.get(id) else { return };
        let is_over = conn.deadline() <= self.now();
        match conn.state() {
            ConnState::Dialing | ConnState::Silent if is_over => self.close(id, CloseReason::DialTimeout),
            ConnState::Handshaking | ConnState::Stalled if is_over => self.close(id, CloseReason::HandshakeTimeout),
            ConnState::Dialing | ConnState::Silent | ConnState::Handshaking | ConnState::Stalled => {
                self.handle_no_progress(id);
            }
            ConnState::Ready if conn.kind().is_visit() => self.close(id, CloseReason::Done),
            ConnState::Ready => self.record_stable_conn(id),
        }
    }

    /// The wall clock says `unix`. Moves no deadline and changes no age; dates (when an address was seen, when a ban
    /// began) move with the clock. Bans of an earlier run keep their dates, and are judged anew. So is every date of
    /// the book that came in by a clock that may be wrong, from a snapshot or a report: by one before 2020, or one that
    /// does not fit what we did by the snapshot (nothing in the 60 days before it, or much after it), and for the first
    /// hour by one that fits but is then set 60 days ahead or more. Once it fits, this is over. A step of less than a
    /// day moves no age. Report it before any other input when a wake-up finds the two clocks more than a second off
    /// their known offset.
    pub fn handle_clock(&mut self, unix: UnixTime, now: Time) {
        self.begin(now);
        self.clocks.set_unix(unix);
        self.judge_bans_anew();
        self.judge_book_anew();
    }

    /// A dial has ended. A success after its [`Action::Close`] is answered with another `Close`.
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
        let (address, address_id) = (conn.dialed().cloned(), conn.notes.address_id);
        let tells_of = conn.notes.tells_of;
        if let Some(address) = &address {
            self.record_answer(address, tells_of);
            self.book.record_answered(Numbered::new(address, address_id), self.clocks.now());
        }
        self.end_shortage(id);
        if let Some(peer) = peer {
            self.give_up_dials(peer, Some(id));
        }
        let has_slot = !is_silent || self.take_slot(kind, false);
        if !has_slot && self.table.ready(kind) >= self.split().of(kind) {
            return self.close(id, CloseReason::Surplus);
        }
        self.stats.dials_succeeded += 1;
        let deadline = self.handshake_deadline();
        self.table.open(id, has_slot, deadline, self.clocks.now());
        self.arm_progress_timer(id);
        let mut wanted = None;
        if let Some(peer) = peer.and_then(|peer| self.peers.get_mut(peer)) {
            peer.connect(id);
            wanted = peer.identity();
        }
        self.tell_connected(id, wanted);
        // An added peer may wait for this address: now it can adopt the connection.
        if let Some(address) = address.filter(|_| self.peers.is_any_waiting()) {
            self.wake_peers_at(&Awaited::Address(address));
        }
    }

    fn tell_connected(&mut self, id: ConnId, wanted: Option<Identity>) {
        if let Some(conn) = self.table.get(id) {
            let connected = conn.connected(wanted);
            self.tell(Event::Connected(connected));
        }
    }

    /// The application has completed the handshake.
    pub fn handle_ready(&mut self, conn: ConnId, info: PeerInfo, now: Time) {
        self.begin(now);
        if self.table.get(conn).is_some_and(crate::conn::Conn::is_handshaking) {
            self.assess_handshake(conn, info);
        } else {
            self.ignore();
        }
        self.plan();
    }

    fn assess_handshake(&mut self, id: ConnId, info: PeerInfo) {
        if self.is_ourselves(&info) {
            return self.close_self_connection(id, &info);
        }
        let Some(conn) = self.table.get(id) else { return };
        let kind = conn.kind();
        let (dialed, address_id) = (conn.dialed().cloned(), conn.notes.address_id);
        if let Some(notes) = self.table.notes(id) {
            notes.services = info.services;
        }
        if let Some(address) = &dialed {
            let (now, address) = (self.now(), Numbered::new(address, address_id));
            if kind != Kind::Added {
                self.book.trust_tried(address);
            }
            self.book.record_success(address, info.services, now);
            if !kind.is_automatic() {
                self.book.record_stable(address);
            }
            self.save_book_later();
        }
        if !info.services.has(self.config.required.of(kind)) {
            return self.close(id, CloseReason::MissingServices);
        }
        if self.has_wrong_identity(id, &info) {
            return self.close(id, CloseReason::WrongIdentity);
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
        let now = self.now();
        self.table.make_ready(id, info.identity, now);
        self.stats.ready += 1;
        self.record_life_of(id);
        if let Some(identity) = info.identity {
            self.offer_to_peers(id, identity);
        }
        let Some(conn) = self.table.get(id) else { return };
        let (kind, peer) = (conn.kind(), conn.peer());
        if let Some(peer) = peer {
            self.record_added_ready();
            self.record_proof(peer, id, info);
        }
        match kind {
            Kind::Feeler => self.close(id, CloseReason::Done),
            Kind::AddrFetch => self.arm(Timer::Conn(id), now.after(self.config.addr_fetch_timeout)),
            Kind::Full | Kind::BlockRelay => {
                self.record_automatic_ready(id);
                self.arm(Timer::Conn(id), now.after(self.config.stable_after));
            }
            Kind::Added => self.disarm(Timer::Conn(id)),
            Kind::Inbound => {
                self.earn_returns(id);
                self.disarm(Timer::Conn(id));
            }
        }
    }

    /// The peer closed a connection, or it broke.
    pub fn handle_closed(&mut self, conn: ConnId, cause: CloseCause, now: Time) {
        self.ended(conn, Ending::Closed(cause), now);
    }

    /// The application dropped the stream of a connection of which it had seen no end.
    ///
    /// During the handshake this says that the handshake failed: it counts against the address as if the peer had closed,
    /// and another address of the same added peer is tried. But an inbound connection costs nothing of the rate of its
    /// group ([`InboundConfig::rate`](crate::InboundConfig::rate)), within limits: the peer may have tried another
    /// transport first, and dials again at once.
    ///
    /// Of a connection that was ready it says nothing about the peer: the address has not failed, however short the
    /// connection was. An application that finds fault with a peer reports its
    /// [misbehavior](Self::handle_misbehavior) before.
    ///
    /// An added peer is dialed again after its back-off, or finished if it was added with
    /// [`Keep::Once`](crate::Keep::Once).
    pub fn handle_dropped(&mut self, conn: ConnId, now: Time) {
        self.ended(conn, Ending::Dropped, now);
    }

    fn ended(&mut self, conn: ConnId, ending: Ending, now: Time) {
        self.begin(now);
        if self.table.get(conn).is_some_and(|conn| conn.is_open()) {
            self.end(conn, ending);
        } else {
            self.ignore();
        }
        self.plan();
    }

    /// A lookup has ended.
    pub fn handle_lookup_result(&mut self, lookup: LookupId, result: Result<&[ResolvedIp], LookupError>, now: Time) {
        self.begin(now);
        if self.end_lookup(lookup) {
            self.use_lookup(lookup, result);
        } else {
            self.ignore();
        }
        self.plan();
    }

    /// A connection was useful, or bytes arrived on it. While bytes arrive, report it at least every fifth of
    /// `health.traffic_within`: without it, a network in which few dials are answered may count as down although its
    /// connections live.
    pub fn handle_activity(&mut self, conn: ConnId, activity: Activity, now: Time) {
        self.begin(now);
        let now = self.now();
        match self.table.notes(conn) {
            Some(notes) => {
                notes.activity = notes.activity.and(activity);
                notes.heard = now;
                self.record_life_of(conn);
            }
            None => self.ignore(),
        }
        self.plan();
    }

    /// Accepting on a listener failed for lack of descriptors, buffers or memory. Emits [`Action::PauseAccept`]; the
    /// pause starts at `inbound.first_pause`, doubles with each failure in a row, and is at most `inbound.max_pause`.
    pub fn handle_accept_error(&mut self, listener: ListenerId, now: Time) {
        self.begin(now);
        if self.config.listeners.iter().any(|known| known.id == listener) && self.phase != Phase::Stopped {
            self.pause_accepting(listener);
        } else {
            self.ignore();
        }
    }

    /// The machine's network has changed (an interface came up, an address was assigned). Addresses where we met ourselves
    /// are forgotten, suspected networks count as up again and are dialed at full speed, added peers that gave no answer
    /// are dialed within 15 s, and seeds that failed may be asked again. Takes effect at most once a minute; an earlier
    /// report takes effect when the minute is over.
    pub fn handle_network_changed(&mut self, now: Time) {
        self.begin(now);
        if self.phase == Phase::Stopped {
            return self.ignore();
        }
        self.has_moved = true;
        self.start_over_soon();
        self.plan();
    }
}
