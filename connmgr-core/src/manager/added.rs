//! The policy for added peers: how an attempt goes on and ends, when the next one begins, and what ends a wait. The
//! planner decides which peer is dialed.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;

use crate::attempt::{Failure, MAX_CANDIDATES};
use crate::conn::Conn;
use crate::mechanisms::turns::Candidate;
use crate::peer::Peer;
use crate::peers::Awaited;
use crate::types::{
    Action, AddPeerError, AddedPeer, CloseReason, ConnId, Event, Identity, Keep, LookupError, PeerAddress, PeerId,
    PeerInfo, ResolvedIp,
};

use super::ending::Ending;
use super::{ConnManager, ConnState, Obstacle, PeerState, Phase, Timer};

/// A blocked peer looks again at most this often, however short its back-off: a look that dials nothing is only a wake-up.
const LEAST_LOOK_IN_VAIN: Duration = Duration::from_secs(1);

impl ConnManager {
    /// Whether this peer may be added.
    pub(super) fn may_add(&self, wanted: &AddedPeer) -> Result<(), AddPeerError> {
        if matches!(self.phase, Phase::Stopping | Phase::Stopped) {
            return Err(AddPeerError::ShuttingDown);
        }
        if wanted.addresses.len() > AddedPeer::MAX_ADDRESSES {
            return Err(AddPeerError::TooManyAddresses);
        }
        if wanted.retry.is_some_and(|retry| retry.check().is_err()) {
            return Err(AddPeerError::BadBackoff);
        }
        if self.peers.same_as(wanted).is_some() {
            return Err(AddPeerError::Duplicate);
        }
        if self.peers.len() >= self.limits.added {
            return Err(AddPeerError::Full);
        }
        // One address that may be dialed, now or later, is enough.
        let errors = wanted.addresses.iter().map(|address| self.standing_error(address));
        errors.reduce(Option::and).unwrap_or(Some(AddPeerError::NoAddress)).map_or(Ok(()), Err)
    }

    /// Why a peer with only this address can't be added, if it can't.
    fn standing_error(&self, address: &PeerAddress) -> Option<AddPeerError> {
        match self.rules().standing_obstacle(address)? {
            Obstacle::NotDialable(why) => Some(AddPeerError::NotDialable(why)),
            Obstacle::Unreachable => Some(AddPeerError::Unreachable),
            Obstacle::OwnAddress => Some(AddPeerError::OwnAddress),
            Obstacle::Banned => Some(AddPeerError::Banned),
            Obstacle::AddressInUse | Obstacle::AlreadyConnected | Obstacle::NetworkDown => None,
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

    /// A connection or dial has opened or ended. Queues the added peers that are blocked by it.
    pub(super) fn wake_peers_at(&mut self, awaited: &Awaited) {
        for id in self.peers.take_waiting(awaited) {
            let state = self.peers.get(id).map(|peer| peer.state());
            if let Some(PeerState::Blocked(Obstacle::AddressInUse | Obstacle::AlreadyConnected)) = state {
                self.hurry_peer(id);
            }
        }
    }

    /// Gives a connection to an added peer, in place of what it has under way.
    pub(super) fn adopt(&mut self, conn: ConnId, id: PeerId) {
        self.give_up_dials(id, None);
        self.disarm(Timer::Peer(id));
        self.table.adopt(conn, id);
        if self.table.get(conn).is_some_and(|conn| conn.state() == ConnState::Ready) {
            self.disarm(Timer::Conn(conn));
        }
        let Some(peer) = self.peers.get_mut(id) else { return };
        peer.adopt(conn);
        let (tag, is_spared) = (peer.tag(), peer.is_spared());
        if let Some(notes) = self.table.notes(conn) {
            (notes.tag, notes.is_spared) = (tag, is_spared);
        }
        self.tell(Event::Adopted { conn, peer: id, tag });
    }

    /// A peer is about to lose the connection it has to another one, and will not see its end. If it was stable, the back-off
    /// starts over, as at any end.
    pub(super) fn record_service(&mut self, id: PeerId) {
        let Some(PeerState::Connected(conn)) = self.peers.get(id).map(Peer::state) else { return };
        let stable = self.table.get(conn).filter(|conn| self.was_stable(conn));
        let at = stable.map(candidate_of);
        if let (Some(at), Some(peer)) = (at, self.peers.get_mut(id)) {
            peer.serve(at);
        }
    }

    /// A connection that belongs to no added peer is ready with this identity. The peer that is wanted with it takes it,
    /// unless it has one.
    pub(super) fn offer_to_peers(&mut self, conn: ConnId, identity: Identity) {
        let Some(peer) = self.peers.with_identity(identity).and_then(|id| self.peers.get(id)) else { return };
        let is_free = self.table.get(conn).is_some_and(|conn| conn.peer().is_none() && !conn.kind().is_visit());
        if is_free && !matches!(peer.state(), PeerState::Connected(_)) {
            self.adopt(conn, peer.id());
        }
    }

    /// One of a peer's names was looked up: its addresses are tried next.
    pub(super) fn use_peer_lookup(&mut self, id: PeerId, name: &Candidate, result: Result<&[ResolvedIp], LookupError>) {
        let answer = result.map(|ips| self.candidates(id, name, ips));
        match answer {
            Ok(answer) if !answer.is_empty() => {
                if let Some(peer) = self.peers.get_mut(id) {
                    peer.use_answer(answer);
                }
            }
            Ok(_) => self.fail_lookup(id, LookupError::NotFound),
            Err(error) => self.fail_lookup(id, error),
        }
        self.go_on(id);
    }

    /// What a name leads to: each address once (an IPv4 address and its mapped form are the same), those that may be
    /// dialed before those that a rule forbids.
    fn candidates(&self, id: PeerId, name: &Candidate, ips: &[ResolvedIp]) -> Vec<Candidate> {
        let Some(peer) = self.peers.get(id) else { return Vec::new() };
        let most = usize::try_from(self.config.book.max_per_call).unwrap_or(usize::MAX);
        let mut seen = BTreeSet::new();
        let each = ips.iter().take(most).copied().filter(|ip| seen.insert(*ip));
        let all = each.map(|ip| self.resolved(ip, name.address.port()));
        let may = |one: &Candidate| matches!(self.candidate_obstacle(peer, one), None | Some(Obstacle::NetworkDown));
        let (mut first, forbidden): (Vec<_>, Vec<_>) =
            all.map(|address| Candidate { of: name.of, address }).partition(may);
        first.extend(forbidden.into_iter().take(MAX_CANDIDATES));
        first
    }

    /// What forbids dialing this address for this peer now, if anything does.
    #[inline]
    pub(super) fn candidate_obstacle(&self, peer: &Peer, candidate: &Candidate) -> Option<Obstacle> {
        let rules = self.rules();
        // The ban of a name covers what it leads to.
        if peer.addresses().get(candidate.of).is_some_and(|address| rules.is_banned(address.host())) {
            return Some(Obstacle::Banned);
        }
        rules.obstacle(&candidate.address)
    }

    fn fail_lookup(&mut self, id: PeerId, error: LookupError) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        let tag = peer.tag();
        // Only "no such name" is an answer; any other error may be an outage.
        peer.record_failure(Failure { unanswered: error != LookupError::NotFound, network: None });
        self.tell(Event::LookupFailed { peer: id, tag, error });
    }

    /// A step of an attempt has ended. Continues with the next address that may be dialed, ahead of other peers, or with
    /// the dials under way; else the attempt is over.
    fn go_on(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(id) else { return };
        if peer.to_try().any(|one| self.is_of_use(peer, &one)) {
            self.peers.enqueue_first(id);
        } else if !self.peers.get_mut(id).is_some_and(Peer::wait_for_dials) {
            self.settle_attempt(id);
        }
    }

    /// Whether the planner can do anything with this address now.
    fn is_of_use(&self, peer: &Peer, candidate: &Candidate) -> bool {
        match self.candidate_obstacle(peer, candidate) {
            None => true,
            Some(Obstacle::AddressInUse) => self.is_takeable(peer, &candidate.address),
            Some(_) => false,
        }
    }

    /// Nothing of an attempt is under way, and nothing it has left may be dialed: the peer is blocked or waits.
    pub(super) fn settle_attempt(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(id) else { return };
        let failure = peer.failure();
        let may_wait = failure.is_none_or(|failure| self.is_down(failure));
        let obstacles: Vec<Obstacle> = peer.to_try().filter_map(|one| self.candidate_obstacle(peer, &one)).collect();
        // The one that most likely goes first.
        let told = obstacles.into_iter().min_by_key(|obstacle| match obstacle {
            Obstacle::NetworkDown => 0,
            Obstacle::AddressInUse => 1,
            Obstacle::AlreadyConnected => 2,
            Obstacle::Banned => 3,
            Obstacle::OwnAddress => 4,
            Obstacle::Unreachable => 5,
            Obstacle::NotDialable(_) => 6,
        });
        match (told, failure) {
            (Some(Obstacle::NetworkDown), _) if may_wait => self.block_peer(id, Obstacle::NetworkDown),
            (Some(obstacle), None) => self.block_peer(id, obstacle),
            (_, failure) => self.attempt_failed(id, failure.unwrap_or_default()),
        }
    }

    fn is_down(&self, failure: Failure) -> bool {
        failure.network.is_some_and(|network| self.health[network.index()].is_down())
    }

    /// Every address of a peer meets an obstacle. The peer looks again when it goes; where a name may lead elsewhere
    /// by then, or nothing tells that it goes, also after the longest back-off, or a second if that is shorter.
    pub(super) fn block_peer(&mut self, id: PeerId, obstacle: Obstacle) {
        let Some(peer) = self.peers.get(id) else { return };
        let left: Vec<PeerAddress> = peer.to_try().map(|one| one.address).collect();
        let has_name = peer.addresses().iter().any(|address| address.name().is_some());
        let in_vain = self.now().after(self.config.retry.cap.max(LEAST_LOOK_IN_VAIN));
        let look_again = has_name.then_some(in_vain);
        let look_again_at = match obstacle {
            Obstacle::NetworkDown | Obstacle::AlreadyConnected => None,
            Obstacle::AddressInUse => look_again,
            Obstacle::Banned => {
                let hosts = left.iter().chain(peer.addresses()).map(PeerAddress::host);
                let ends = hosts.filter_map(|host| self.bans.until(host, self.now())).min();
                Some(ends.into_iter().chain(look_again).min().unwrap_or(crate::types::Time::MAX))
            }
            Obstacle::OwnAddress | Obstacle::Unreachable | Obstacle::NotDialable(_) => Some(in_vain),
        };
        if let Some(peer) = self.peers.get_mut(id) {
            peer.block(obstacle);
        }
        if let Some(at) = look_again_at {
            let at = self.at_least_a_tick(at);
            self.arm(Timer::Peer(id), at);
        }
        if obstacle == Obstacle::AddressInUse {
            left.into_iter().for_each(|address| self.peers.wait_for(id, Awaited::Address(address)));
        }
    }

    /// A connection of an added peer is ready. If it proved the identity that is wanted, its address is the right one,
    /// however soon it ends: the next attempt begins there.
    pub(super) fn record_proof(&mut self, id: PeerId, conn: ConnId, info: &PeerInfo) {
        let at = self.table.get(conn).and_then(candidate_of);
        let Some(peer) = self.peers.get_mut(id).filter(|peer| peer.claims(conn)) else { return };
        if let (Some(wanted), Some(at)) = (peer.identity(), at) {
            if info.identity == Some(wanted) {
                peer.begin_next_with(at);
            }
        }
    }

    /// A dial or connection of an added peer has ended.
    pub(super) fn peer_lost(&mut self, id: PeerId, conn: &Conn, ending: Ending) {
        let Some(peer) = self.peers.get_mut(id).filter(|peer| peer.claims(conn.id())) else { return };
        peer.end_dial(conn.id());
        let (newest, has_others) = (peer.state(), !peer.has_one_address());
        let was_newest = newest == PeerState::Dialing(conn.id()) || newest == PeerState::Connected(conn.id());
        let network = conn.dialed().and(conn.notes.tells_of);
        let failure = Failure { unanswered: ending.is_unanswered(), network };
        if conn.state() == ConnState::Ready {
            let (was_stable, at) = (self.was_stable(conn), candidate_of(conn));
            if let Some(peer) = self.peers.get_mut(id).filter(|_| was_stable) {
                peer.serve(at);
            }
            return self.attempt_failed(id, failure);
        }
        if !has_others || (self.phase == Phase::Active && !may_try_another(ending)) {
            return self.attempt_failed(id, failure);
        }
        let Some(peer) = self.peers.get_mut(id) else { return };
        peer.record_failure(failure);
        if self.phase != Phase::Active {
            // Each dial ends by itself.
            if !peer.wait_for_dials() {
                self.attempt_failed(id, failure);
            }
        } else if was_newest {
            self.go_on(id);
        } else if let PeerState::Dialing(newest) = newest {
            // One dial less is under way beside it.
            self.look_for_race(newest);
        }
    }

    /// If the newest dial of an attempt has been silent for long enough, the next address may be dialed beside it.
    fn look_for_race(&mut self, newest: ConnId) {
        let Some(conn) = self.table.get(newest) else { return };
        let is_silent = conn.since().after(self.attempt_delay(conn)) <= self.now();
        if is_silent && conn.state() == ConnState::Dialing && !conn.is_overdue() && self.may_race(conn) {
            self.table.make_overdue(newest);
        }
    }

    /// Gives up what a peer has under way beside `winner`; the addresses may be tried again in this attempt.
    #[inline]
    pub(super) fn give_up_dials(&mut self, id: PeerId, winner: Option<ConnId>) {
        let is_other = |conn: &ConnId| Some(*conn) != winner;
        if self.peers.get(id).is_some_and(|peer| peer.lookup().is_some() || peer.dials().iter().any(is_other)) {
            self.give_up_each(id, winner);
        }
    }

    fn give_up_each(&mut self, id: PeerId, winner: Option<ConnId>) {
        if let Some((lookup, name)) = self.peers.end_lookup_of(id) {
            self.end_lookup(lookup);
            if let Some(peer) = self.peers.get_mut(id) {
                peer.try_last(name);
            }
        }
        let Some(peer) = self.peers.get(id) else { return };
        let others: Vec<ConnId> = peer.dials().iter().copied().filter(|conn| Some(*conn) != winner).collect();
        for conn in others {
            let at = self.table.get(conn).and_then(candidate_of);
            if let Some(peer) = self.peers.get_mut(id) {
                peer.end_dial(conn);
                at.into_iter().for_each(|at| peer.try_last(at));
            }
            self.close(conn, CloseReason::Superseded);
        }
    }

    /// An attempt at an added peer has failed. Schedules the next attempt, or finishes a peer with `Keep::Once`.
    fn attempt_failed(&mut self, id: PeerId, failure: Failure) {
        self.give_up_dials(id, None);
        let Some(peer) = self.peers.get_mut(id) else { return };
        if peer.keep() == Keep::Once {
            let tag = peer.tag();
            self.forget_peer(id);
            return self.tell(Event::PeerFinished { peer: id, tag });
        }
        if self.phase != Phase::Active {
            // Being inactive is no failure: the peer is dialed as soon as the manager is active again.
            return self.peers.enqueue(id);
        }
        self.fruitless_attempts = self.fruitless_attempts.saturating_add(1);
        // While the network is down, a failure says nothing about the peer: its back-off does not grow.
        let frozen =
            failure.unanswered && failure.network.is_some_and(|network| self.health[network.index()].is_down());
        let attempt = peer.wait(failure.unanswered, !frozen);
        let retry = peer.retry().unwrap_or(self.config.retry);
        let wait = retry.next(attempt, &mut self.rng);
        let at = self.at_least_a_tick(self.now().after(wait));
        self.arm_peer(id, at);
        self.stats.retries_scheduled += 1;
        self.act(Action::ScheduleRetry { peer: id, at, attempt });
    }

    /// The node that a peer's connection reached is connected already, for another added peer. Until that ends, there is
    /// nothing to gain by another dial.
    pub(super) fn block_by_twin(&mut self, id: PeerId, twin: ConnId) {
        self.give_up_dials(id, None);
        self.block_peer(id, Obstacle::AlreadyConnected);
        self.peers.wait_for(id, Awaited::Conn(twin));
    }

    /// Removes an added peer, its timer and its lookup.
    pub(super) fn forget_peer(&mut self, id: PeerId) {
        self.disarm(Timer::Peer(id));
        if let Some((lookup, _)) = self.peers.end_lookup_of(id) {
            self.end_lookup(lookup);
        }
        self.peers.remove(id);
        self.share_anew();
    }
}

/// For what an added peer was dialed, if the connection was dialed for one.
fn candidate_of(conn: &Conn) -> Option<Candidate> {
    conn.dialed().map(|address| Candidate { of: conn.notes.of, address: address.clone() })
}

/// Whether another address of the same peer may succeed where this one ended before it was ready. False if the end has
/// nothing to do with the address.
const fn may_try_another(ending: Ending) -> bool {
    match ending {
        Ending::Failed(_) | Ending::Closed(_) | Ending::Dropped => true,
        Ending::Ours(reason) => match reason {
            CloseReason::DialTimeout
            | CloseReason::HandshakeTimeout
            | CloseReason::MissingServices
            | CloseReason::Misbehaved
            | CloseReason::Banned
            | CloseReason::OwnAddress
            | CloseReason::WrongIdentity
            | CloseReason::Duplicate => true,
            CloseReason::Surplus
            | CloseReason::Superseded
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
