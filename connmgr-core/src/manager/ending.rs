//! How connections end, and what follows.
//!
//! There is one door out of the table, [`ConnManager::end`]: whoever ends a connection (a failed dial, the other
//! side, a deadline, a command) goes through it, so that nothing that must follow can be forgotten.

use crate::conn::{Conn, End};
use crate::mechanisms::hasher::OwnNumbers;
use crate::mechanisms::health::Outcome;
use crate::mechanisms::lru::Lru;
use crate::types::{
    Action, CloseCause, CloseReason, ConnId, DialError, DialFailure, EndReason, Event, Fault, Host, Kind, Transport,
};

use super::plan::Redial;
use super::{ConnManager, ConnState, Phase};

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its dial failed.
    Failed(DialError),
    /// It was closed under us.
    Closed(CloseCause),
    /// We close it.
    Ours(CloseReason),
}

/// How many ended connections are remembered, so that a late penalty still reaches its host; the one that ended first
/// makes room.
const REMEMBERED: u32 = 1024;

/// Connections that ended lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended(Lru<ConnId, Remembered, OwnNumbers>);

/// What a late penalty needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) host: Host,
    pub(super) no_ban: bool,
}

impl Ending {
    /// Whether it says something of the other end, or of the way there.
    pub(super) const fn is_theirs(self) -> bool {
        match self {
            Self::Closed(_) | Self::Failed(_) => true,
            Self::Ours(reason) => matches!(
                reason,
                CloseReason::DialTimeout
                    | CloseReason::HandshakeTimeout
                    | CloseReason::MissingServices
                    | CloseReason::Misbehaved
            ),
        }
    }

    /// Whether it led to nothing, whoever's doing that was: we are there already, or there are we ourselves.
    pub(super) const fn is_fruitless(self) -> bool {
        self.is_theirs() || matches!(self, Self::Ours(CloseReason::OwnAddress | CloseReason::Duplicate))
    }

    /// Whether it is a dial's that nobody answered.
    pub(super) const fn is_unanswered(self) -> bool {
        match self {
            Self::Failed(error) => !error.is_answer(),
            Self::Ours(reason) => matches!(reason, CloseReason::DialTimeout),
            Self::Closed(_) => false,
        }
    }
}

impl Ended {
    pub(super) fn new() -> Self {
        Self(Lru::new(REMEMBERED, OwnNumbers))
    }

    fn remember(&mut self, conn: &Conn) {
        let Some(host) = conn.host() else { return };
        self.0.touch_or_insert(&conn.id(), Remembered { host, no_ban: conn.permissions().no_ban });
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Remembered> {
        self.0.get(&conn)
    }
}

impl ConnManager {
    /// We close a connection or give up a dial.
    pub(super) fn close(&mut self, id: ConnId, reason: CloseReason) {
        self.end(id, Ending::Ours(reason));
    }

    /// A connection ends: the one door out of the table.
    pub(super) fn end(&mut self, id: ConnId, ending: Ending) {
        let Some(conn) = self.table.remove(id) else { return };
        if let Some(timer) = conn.notes.timer {
            self.timers.cancel(timer);
        }
        self.announce_end(&conn, ending);
        self.ended.remember(&conn);
        self.judge_dial(&conn, ending);
        self.judge_pace(&conn, ending);
        self.release_address(&conn);
        if self.downgrade(&conn, ending) {
            return;
        }
        if let (Kind::AddrFetch, Some(address)) = (conn.kind(), conn.dialed()) {
            self.end_fetch(address, conn.is_open(), ending.is_unanswered());
        }
        if let Some(peer) = conn.peer() {
            self.peer_lost(peer, &conn, ending);
        }
        if conn.kind() == Kind::Full && conn.state() == ConnState::Ready {
            self.full_lost();
        }
    }

    fn announce_end(&mut self, conn: &Conn, ending: Ending) {
        let (id, peer) = (conn.id(), conn.peer());
        if let Ending::Ours(reason) = ending {
            self.act(Action::Close { conn: id, reason });
        }
        if conn.is_open() {
            self.stats.disconnected += 1;
            self.tell(Event::Disconnected { conn: id, peer, reason: end_reason(ending) });
            return;
        }
        match ending {
            Ending::Failed(_) | Ending::Closed(_) => self.stats.dials_failed += 1,
            Ending::Ours(_) => self.stats.dials_given_up += 1,
        }
        if let Some(address) = conn.dialed().cloned() {
            self.tell(Event::DialFailed { conn: id, peer, address, error: dial_failure(ending) });
        }
    }

    /// What a dial that came to nothing says of its address and of the network.
    fn judge_dial(&mut self, conn: &Conn, ending: Ending) {
        let (false, End::Outbound { address, .. }) = (conn.is_open(), conn.end()) else {
            return self.judge_short_life(conn, ending);
        };
        let error = match ending {
            Ending::Failed(error) => error,
            Ending::Ours(CloseReason::DialTimeout) => DialError::TimedOut,
            Ending::Ours(_) | Ending::Closed(_) => return,
        };
        let (address, now) = (address.clone(), self.now());
        if error == DialError::OutOfResources {
            return self.out_of_resources(&address);
        }
        if error != DialError::Cancelled {
            self.no_shortage(conn.id());
        }
        if error.is_answer() {
            self.record_answer(&address);
            return self.book.record_failure(&address, now);
        }
        let network = self.rules().judged_network(address.host());
        let is_down = network.is_some_and(|network| self.health[network.index()].is_down());
        if is_down || error.fault() != Fault::Target {
            self.book.forgive(&address);
        } else {
            self.book.record_failure(&address, now);
        }
        match (error.fault(), error) {
            (_, DialError::Cancelled) => {}
            (Fault::Target, _) => self.record_network_failure(Outcome::Silence, &address),
            (Fault::Route, _) => self.record_network_failure(Outcome::Route, &address),
            (Fault::Ours, _) if self.is_routed(conn) => {}
            (Fault::Ours, _) => self.record_network_failure(Outcome::Own, &address),
        }
    }

    /// Whether an older dial into the same network still goes on: so there is a route, if not to every address.
    fn is_routed(&self, failed: &Conn) -> bool {
        let oldest = failed.network().and_then(|network| self.table.first_dialing_in(network));
        oldest.is_some_and(|oldest| oldest < failed.id())
    }

    /// A connection that opened but never became ready counts as a failure of its address: most are full, or speak
    /// something else. So does an automatic one that was ready but not stable. Not so when we had other reasons to
    /// close it.
    fn judge_short_life(&mut self, conn: &Conn, ending: Ending) {
        let was_good = match conn.state() {
            ConnState::Ready => !conn.kind().is_automatic() || self.was_stable(conn),
            ConnState::Dialing | ConnState::Silent | ConnState::Handshaking | ConnState::Stalled => false,
        };
        if let (true, false, Some(address)) = (ending.is_theirs(), was_good, conn.dialed()) {
            let now = self.clocks.now();
            self.book.record_failure(address, now);
        }
    }

    /// Whether a connection has been ready for `stable_after`.
    pub(super) fn was_stable(&self, conn: &Conn) -> bool {
        conn.state() == ConnState::Ready && self.now().since(conn.since()) >= self.config.stable_after
    }

    /// One fewer has the address: an added peer may have waited for it, and so may a starved kind.
    fn release_address(&mut self, conn: &Conn) {
        if conn.is_open() {
            self.feed();
        }
        if let Some(address) = conn.address() {
            self.wake_peer_at(&address);
        }
    }

    /// A v2 connection that died unheard is dialed once more as v1, on the same slot and route. Returns whether it
    /// will be.
    fn downgrade(&mut self, conn: &Conn, ending: Ending) -> bool {
        let End::Outbound { address, via, .. } = conn.end() else { return false };
        let unheard = conn.is_handshaking() && ending == Ending::Closed(CloseCause::Unheard);
        if !unheard || conn.transport() != Transport::V2 {
            return false;
        }
        self.book.set_v1_only(address);
        if let Some(peer) = conn.peer().and_then(|peer| self.peers.get_mut(peer)) {
            peer.set_v1_only();
        }
        if self.phase != Phase::Active {
            return false;
        }
        let (kind, address, is_trial) = (conn.kind(), address.clone(), conn.notes.is_trial);
        self.queue_redial(Redial { kind, address, peer: conn.peer(), via: *via, is_trial })
    }
}

const fn end_reason(ending: Ending) -> EndReason {
    match ending {
        Ending::Ours(reason) => EndReason::Ours(reason),
        Ending::Closed(cause) => EndReason::Theirs(cause),
        // A dial that is open has no failure to report any more.
        Ending::Failed(_) => EndReason::Theirs(CloseCause::Error),
    }
}

const fn dial_failure(ending: Ending) -> DialFailure {
    match ending {
        Ending::Ours(reason) => DialFailure::GivenUp(reason),
        Ending::Failed(error) => DialFailure::Failed(error),
        // A dial that is not open can't be closed by the other end.
        Ending::Closed(_) => DialFailure::Failed(DialError::Other),
    }
}
