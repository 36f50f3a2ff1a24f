//! The policy for added peers: how an attempt goes on and ends, when the next one begins, and what ends a wait. The
//! planner decides which peer is dialed.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::conn::Conn;
use crate::types::{
    Action, AddPeerError, CloseReason, ConnId, Event, Keep, LookupError, NetworkKind, PeerAddress, PeerId,
};

use super::ending::Ending;
use super::{ConnManager, ConnState, Obstacle, PeerState, Phase, Timer};

/// How many addresses of one name an attempt tries. The next attempt begins with those not tried yet; a peer with
/// `Keep::Once` has only these.
const MAX_CANDIDATES: usize = 16;

impl ConnManager {
    /// Whether a peer with this address may be added.
    pub(super) fn may_add(&self, address: &PeerAddress) -> Result<(), AddPeerError> {
        if matches!(self.phase, Phase::Stopping | Phase::Stopped) {
            return Err(AddPeerError::ShuttingDown);
        }
        if self.peers.with_address(address).is_some() {
            return Err(AddPeerError::Duplicate);
        }
        if self.peers.len() >= self.limits.added {
            return Err(AddPeerError::Full);
        }
        match self.rules().standing_obstacle(address) {
            Some(Obstacle::NotDialable(why)) => Err(AddPeerError::NotDialable(why)),
            Some(Obstacle::Unreachable) => Err(AddPeerError::Unreachable),
            Some(Obstacle::OwnAddress) => Err(AddPeerError::OwnAddress),
            Some(Obstacle::Banned) => Err(AddPeerError::Banned),
            Some(Obstacle::AddressInUse | Obstacle::NetworkDown) | None => Ok(()),
        }
    }

    /// Queues a peer that waits or is blocked, so that it is dialed now.
    pub(super) fn hurry_peer(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(id) else { return };
        match peer.state() {
            PeerState::Waiting | PeerState::Blocked(_) => {
                self.disarm(Timer::Peer(id));
                self.peers.enqueue(id);
            }
            PeerState::Queued | PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_) => {}
        }
    }

    /// The manager is active again: queues every added peer that waits or is blocked.
    pub(super) fn wake_peers(&mut self) {
        for id in self.peers.ids() {
            self.hurry_peer(id);
        }
    }

    /// A connection or dial to this address opened or ended. Queues the added peer that is blocked by it.
    pub(super) fn wake_peer_at(&mut self, address: &PeerAddress) {
        let Some(id) = self.peers.with_address(address) else { return };
        if self.peers.get(id).is_some_and(|peer| peer.state() == PeerState::Blocked(Obstacle::AddressInUse)) {
            self.peers.enqueue(id);
        }
    }

    /// Gives a connection to an added peer.
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

    /// A peer's name was looked up: its addresses are tried one after the other.
    pub(super) fn use_peer_lookup(&mut self, id: PeerId, result: Result<&[IpAddr], LookupError>) {
        match result {
            Ok(ips) => {
                self.note_candidates(id, ips);
                if !self.go_on(id, true) {
                    self.fail_lookup(id, LookupError::NotFound);
                }
            }
            Err(error) => self.fail_lookup(id, error),
        }
    }

    /// Stores the addresses that this attempt tries: each once (an IPv4 address and its mapped form are the same), at
    /// most [`MAX_CANDIDATES`], those that earlier attempts did not reach first.
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

    /// What forbids dialing this address of a name now, if anything does.
    pub(super) fn candidate_obstacle(&self, ip: IpAddr, port: u16) -> Option<Obstacle> {
        self.rules().obstacle(&self.resolved(ip, port))
    }

    /// Whether this address of a name may be dialed, now or after an outage.
    pub(super) fn may_be_candidate(&self, ip: IpAddr, port: u16) -> bool {
        matches!(self.candidate_obstacle(ip, port), None | Some(Obstacle::NetworkDown))
    }

    fn fail_lookup(&mut self, id: PeerId, error: LookupError) {
        self.tell(Event::LookupFailed { peer: id, error });
        // Only "no such name" is an answer; any other error may be an outage.
        self.attempt_failed(id, error != LookupError::NotFound, None);
    }

    /// Continues the attempt with the next address of the peer's name that may be dialed, ahead of other peers; if
    /// `may_wait` is set, also where an outage forbids all that are left. Returns whether the attempt continues.
    fn go_on(&mut self, id: PeerId, may_wait: bool) -> bool {
        let Some(peer) = self.peers.get_mut(id) else { return false };
        let (port, mut left) = (peer.address().port(), peer.take_candidates());
        left.retain(|ip| self.may_be_candidate(*ip, port));
        let goes_on = left.iter().any(|ip| may_wait || self.candidate_obstacle(*ip, port).is_none());
        if let Some(peer) = self.peers.get_mut(id).filter(|_| goes_on) {
            peer.set_candidates(left);
            self.peers.enqueue_first(id);
        }
        goes_on
    }

    /// The connection or dial of an added peer has ended.
    pub(super) fn peer_lost(&mut self, id: PeerId, conn: &Conn, ending: Ending) {
        let is_its_own = |state| state == PeerState::Dialing(conn.id()) || state == PeerState::Connected(conn.id());
        if !self.peers.get(id).is_some_and(|peer| is_its_own(peer.state())) {
            return;
        }
        let network = conn.dialed().and_then(|address| self.rules().health_network(address.host()));
        let is_down = network.is_some_and(|network| self.health[network.index()].is_down());
        if conn.state() != ConnState::Ready && self.may_try_another(ending) && self.go_on(id, is_down) {
            return;
        }
        let was_stable = self.was_stable(conn);
        let Some(peer) = self.peers.get_mut(id) else { return };
        peer.lose(was_stable, conn.dialed().and_then(|address| address.host().ip()));
        self.attempt_failed(id, ending.is_unanswered(), network);
    }

    /// Whether another address of the same name may succeed where this one ended before it was ready. False if the end
    /// has nothing to do with the address.
    fn may_try_another(&self, ending: Ending) -> bool {
        self.phase == Phase::Active
            && match ending {
                Ending::Failed(_) | Ending::Closed(_) => true,
                Ending::Ours(reason) => match reason {
                    CloseReason::DialTimeout
                    | CloseReason::HandshakeTimeout
                    | CloseReason::MissingServices
                    | CloseReason::Misbehaved
                    | CloseReason::Banned
                    | CloseReason::OwnAddress
                    | CloseReason::Duplicate => true,
                    CloseReason::Surplus
                    | CloseReason::Late
                    | CloseReason::Done
                    | CloseReason::Evicted
                    | CloseReason::Requested
                    | CloseReason::PeerRemoved
                    | CloseReason::MadeRoom
                    | CloseReason::LimitLowered
                    | CloseReason::Inactive
                    | CloseReason::Shutdown => false,
                },
            }
    }

    /// An attempt at an added peer has failed; `network` is where its last dial went. Schedules the next attempt, or
    /// finishes a peer with `Keep::Once`.
    pub(super) fn attempt_failed(&mut self, id: PeerId, unanswered: bool, network: Option<NetworkKind>) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        if peer.keep() == Keep::Once {
            self.forget_peer(id);
            return self.tell(Event::PeerFinished { peer: id });
        }
        if self.phase != Phase::Active {
            // Being inactive is no failure: the peer is dialed as soon as the manager is active again.
            return self.peers.enqueue(id);
        }
        self.fruitless_attempts = self.fruitless_attempts.saturating_add(1);
        // While the network is down, a failure says nothing about the peer: its back-off does not grow.
        let frozen = unanswered && network.is_some_and(|network| self.health[network.index()].is_down());
        let Some(peer) = self.peers.get_mut(id) else { return };
        let attempt = peer.wait(unanswered, !frozen);
        let retry = peer.retry().copied().unwrap_or(self.config.retry);
        let wait = retry.next(attempt, &mut self.rng);
        let at = self.at_least_a_tick(self.now().after(wait));
        self.arm(Timer::Peer(id), at);
        self.stats.retries_scheduled += 1;
        self.act(Action::ScheduleRetry { peer: id, at, attempt });
    }

    /// Removes an added peer, its timer and its lookup.
    pub(super) fn forget_peer(&mut self, id: PeerId) {
        self.disarm(Timer::Peer(id));
        if let Some(lookup) = self.peers.lookup_of(id) {
            self.end_lookup(lookup);
        }
        self.peers.remove(id);
    }
}
