//! How connections end, and what follows.
//!
//! Every connection and dial leaves the table through [`ConnManager::end`], so that no consequence is forgotten.

use alloc::vec::Vec;

use crate::book::Numbered;
use crate::conn::{Conn, End};
use crate::mechanisms::health::DialOutcome;
use crate::peers::Awaited;
use crate::types::{
    Action, CloseCause, CloseReason, ConnId, DialError, DialFailure, EndReason, Event, Fault, Host, Kind, Transport,
};

use super::plan::Redial;
use super::{ConnManager, ConnState, Phase};

/// Why a connection or dial ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The dial failed.
    Failed(DialError),
    /// The peer closed it, or it broke.
    Closed(CloseCause),
    /// The application dropped its stream.
    Dropped,
    /// We close it.
    Ours(CloseReason),
}

/// How many ended connections are remembered, so that a late penalty still reaches the host. Beyond that, the earliest
/// to end is forgotten.
const REMEMBERED: usize = 1024;

/// Connections that ended lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// A ring: the one at `oldest` makes room for the next, once there are [`REMEMBERED`].
    ring: Vec<Remembered>,
    oldest: usize,
}

/// What a late penalty needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    id: ConnId,
    pub(super) host: Host,
    pub(super) no_ban: bool,
}

impl Ending {
    /// Whether the ending of a dial or handshake says something about the peer, or about the route to it.
    pub(super) const fn is_theirs(self) -> bool {
        match self {
            // An application drops a handshake when it failed: there is no other way to say so.
            Self::Closed(_) | Self::Failed(_) | Self::Dropped => true,
            Self::Ours(reason) => matches!(
                reason,
                CloseReason::DialTimeout
                    | CloseReason::HandshakeTimeout
                    | CloseReason::MissingServices
                    | CloseReason::WrongIdentity
                    | CloseReason::Misbehaved
            ),
        }
    }

    /// Whether the dial was in vain, for any reason: also when it reached a peer we are connected to, or ourselves.
    pub(super) const fn is_fruitless(self) -> bool {
        self.is_theirs() || matches!(self, Self::Ours(CloseReason::OwnAddress | CloseReason::Duplicate))
    }

    /// Whether all connections end, for no reason of their own.
    const fn is_parting(self) -> bool {
        matches!(self, Self::Ours(CloseReason::Shutdown | CloseReason::Inactive))
    }

    /// Whether a dial ended without any answer.
    pub(super) const fn is_unanswered(self) -> bool {
        match self {
            Self::Failed(error) => !error.is_answer(),
            Self::Ours(reason) => matches!(reason, CloseReason::DialTimeout),
            Self::Closed(_) | Self::Dropped => false,
        }
    }
}

impl Ended {
    pub(super) const fn new() -> Self {
        Self { ring: Vec::new(), oldest: 0 }
    }

    #[inline]
    fn remember(&mut self, conn: &Conn) {
        let Some(remote) = conn.remote() else { return };
        let remembered = Remembered { id: conn.id(), host: remote.host().clone(), no_ban: conn.is_spared() };
        if self.ring.len() < REMEMBERED {
            return self.ring.push(remembered);
        }
        self.ring[self.oldest] = remembered;
        self.oldest = (self.oldest + 1) % REMEMBERED;
    }

    /// Looks through the ring, the latest first. Every end is written to it and hardly any is ever looked for, so there is
    /// no index.
    pub(super) fn get(&self, conn: ConnId) -> Option<&Remembered> {
        let (latest, earliest) = self.ring.split_at(self.oldest);
        latest.iter().rev().chain(earliest.iter().rev()).find(|ended| ended.id == conn)
    }
}

impl ConnManager {
    /// Closes a connection or gives up a dial.
    pub(super) fn close(&mut self, id: ConnId, reason: CloseReason) {
        self.end(id, Ending::Ours(reason));
    }

    /// Ends a connection or dial: the only way out of the table.
    pub(super) fn end(&mut self, id: ConnId, ending: Ending) {
        let Some(conn) = self.table.remove(id) else { return };
        self.record_end(&conn, ending);
        self.table.recycle(conn);
    }

    /// What follows from the end of a connection or dial that has left the table.
    fn record_end(&mut self, conn: &Conn, ending: Ending) {
        if let Some(timer) = conn.notes.timer {
            self.timers.cancel(timer);
        }
        self.announce_end(conn, ending);
        self.ended.remember(conn);
        if !conn.kind().is_inbound() {
            self.record_end_at_address(conn, ending);
        }
        self.release_address(conn);
        if self.downgrade(conn, ending) {
            return;
        }
        self.give_admission_back(conn, ending);
        if let (Kind::AddrFetch, Some(address)) = (conn.kind(), conn.dialed()) {
            self.end_fetch(address, conn.is_open(), ending.is_unanswered());
        }
        if let Some(peer) = conn.peer() {
            self.peer_lost(peer, conn, ending);
        }
        if conn.kind() == Kind::Full && conn.state() == ConnState::Ready {
            self.full_lost();
        }
    }

    /// What the end of a connection that we dialed says about its address and its network.
    fn record_end_at_address(&mut self, conn: &Conn, ending: Ending) {
        self.record_dial_end(conn, ending);
        self.record_pace(conn, ending);
        if let (true, false, Some(address)) = (conn.is_open(), ending.is_parting(), conn.numbered()) {
            self.book.record_end(address);
        }
    }

    fn announce_end(&mut self, conn: &Conn, ending: Ending) {
        let (id, peer, tag) = (conn.id(), conn.peer(), conn.notes.tag);
        if let Ending::Ours(reason) = ending {
            self.act(Action::Close { conn: id, reason });
        }
        if conn.is_open() {
            self.stats.disconnected += 1;
            self.tell(Event::Disconnected { conn: id, peer, tag, reason: end_reason(ending) });
            return;
        }
        match ending {
            Ending::Failed(_) | Ending::Closed(_) | Ending::Dropped => self.stats.dials_failed += 1,
            Ending::Ours(_) => self.stats.dials_given_up += 1,
        }
        if let Some(address) = conn.dialed().cloned() {
            self.tell(Event::DialFailed { conn: id, peer, tag, address, error: dial_failure(ending) });
        }
    }

    /// Records what a failed dial says about its address and its network.
    fn record_dial_end(&mut self, conn: &Conn, ending: Ending) {
        let (false, End::Outbound { address, .. }) = (conn.is_open(), conn.end()) else {
            return self.record_short_life_of(conn, ending);
        };
        let error = match ending {
            Ending::Failed(error) => error,
            Ending::Ours(CloseReason::DialTimeout) => DialError::TimedOut,
            Ending::Ours(_) | Ending::Closed(_) | Ending::Dropped => return,
        };
        let numbered = Numbered::new(address, conn.notes.address_id);
        if error == DialError::OutOfResources {
            return self.record_shortage(numbered);
        }
        if error != DialError::Cancelled {
            self.end_shortage(conn.id());
        }
        if error.is_answer() {
            self.record_answer(address, conn.notes.tells_of);
            return self.record_failure_of(conn);
        }
        let network = conn.notes.tells_of;
        let is_down = network.is_some_and(|network| self.health[network.index()].is_down());
        if is_down || error.fault() != Fault::Target {
            self.book.forgive(numbered);
        } else {
            self.record_failure_of(conn);
        }
        match (error.fault(), error) {
            (_, DialError::Cancelled) => {}
            (Fault::Target, _) => self.record_network_failure(DialOutcome::Silence, address, network),
            (Fault::Route, _) => self.record_network_failure(DialOutcome::Route, address, network),
            (Fault::Ours, _) if self.is_routed(conn) => {}
            (Fault::Ours, _) => self.record_network_failure(DialOutcome::Own, address, network),
        }
    }

    /// Whether an older dial into the same network is still under way. If so, the network has a route, perhaps not to
    /// every address.
    fn is_routed(&self, failed: &Conn) -> bool {
        let oldest = failed.network().and_then(|network| self.table.first_dialing_in(network));
        oldest.is_some_and(|oldest| oldest < failed.id())
    }

    /// An open connection that never became ready counts as a failure of its address: most such peers are full or speak
    /// another protocol. So does an automatic one that was ready but not stable. Neither counts when we closed it for a
    /// reason of our own, nor the latter when the application dropped it.
    fn record_short_life_of(&mut self, conn: &Conn, ending: Ending) {
        let was_good = match conn.state() {
            ConnState::Ready => !conn.kind().is_automatic() || ending == Ending::Dropped || self.was_stable(conn),
            ConnState::Dialing | ConnState::Silent | ConnState::Handshaking | ConnState::Stalled => false,
        };
        if ending.is_theirs() && !was_good {
            self.record_failure_of(conn);
        }
    }

    /// The address of a connection is at fault. An added peer is dialed however often it fails: that tells nothing of the
    /// addresses that are chosen.
    fn record_failure_of(&mut self, conn: &Conn) {
        let Some(address) = conn.numbered() else { return };
        if conn.kind() != Kind::Added {
            self.book.doubt_tried(address);
        }
        self.book.record_failure(address, self.clocks.now());
    }

    /// Whether a connection has been ready for `stable_after`.
    pub(super) fn was_stable(&self, conn: &Conn) -> bool {
        conn.state() == ConnState::Ready && self.now().since(conn.since()) >= self.config.stable_after
    }

    /// The address is free again: wakes the added peers that wait for it or for the connection, and the starved kinds.
    fn release_address(&mut self, conn: &Conn) {
        if conn.is_open() {
            self.wake_starved();
        }
        if !self.peers.is_any_waiting() {
            return;
        }
        if let Some(address) = conn.address() {
            self.wake_peers_at(&Awaited::Address(address));
        }
        self.wake_peers_at(&Awaited::Conn(conn.id()));
    }

    /// Queues a v2 dial that was closed before any byte arrived to be repeated as v1, on the same route. Returns
    /// whether it was queued.
    fn downgrade(&mut self, conn: &Conn, ending: Ending) -> bool {
        let End::Outbound { address, via, .. } = conn.end() else { return false };
        let unheard = conn.is_handshaking() && ending == Ending::Closed(CloseCause::Unheard);
        if !unheard || conn.transport() != Transport::V2 {
            return false;
        }
        self.book.set_v1_only(Numbered::new(address, conn.notes.address_id));
        if let Some(peer) = conn.peer().and_then(|peer| self.peers.get_mut(peer)) {
            peer.set_v1_only();
        }
        if self.phase != Phase::Active {
            return false;
        }
        let (kind, address, notes) = (conn.kind(), address.clone(), &conn.notes);
        let (of, is_trial) = (notes.of, notes.is_trial);
        self.queue_redial(Redial { kind, address, peer: conn.peer(), of, via: via.clone(), is_trial })
    }
}

const fn end_reason(ending: Ending) -> EndReason {
    match ending {
        Ending::Ours(reason) => EndReason::Ours(reason),
        Ending::Closed(cause) => EndReason::Theirs(cause),
        Ending::Dropped => EndReason::Dropped,
        // An open connection has no dial left to fail.
        Ending::Failed(_) => EndReason::Theirs(CloseCause::Error),
    }
}

const fn dial_failure(ending: Ending) -> DialFailure {
    match ending {
        Ending::Ours(reason) => DialFailure::GivenUp(reason),
        Ending::Failed(error) => DialFailure::Failed(error),
        // A dial that is not open has no stream to be closed or dropped.
        Ending::Closed(_) | Ending::Dropped => DialFailure::Failed(DialError::Other),
    }
}
