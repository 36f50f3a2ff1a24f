//! Dials added peers in turn, as slots allow. A name is resolved first. The addresses of one peer are dialed one after
//! the other; one that stays silent goes on beside the next.

use crate::config::Split;
use crate::conn::Conn;
use crate::mechanisms::turns::Candidate;
use crate::peer::Peer;
use crate::types::{Action, CloseReason, ConnId, HostName, Kind, PeerAddress, PeerId, Route, Transport};

use super::{ConnManager, PlannedDial};
use crate::manager::Obstacle;

/// How many dials of one attempt go on at the same time. More would hardly be faster, and one answer ends all others.
const MAX_AT_ONCE: usize = 3;

/// What to do next for an added peer.
enum Next {
    Dial(Candidate),
    /// This connection has one of its addresses, and becomes its own.
    Adopt(ConnId),
    /// This connection has one of its addresses and would not serve it.
    MakeRoom(ConnId),
    Nothing,
}

impl ConnManager {
    /// Dials of added peers that have been silent for `attempt_delay` go on without a slot, and their peers dial the
    /// next address, where the rest of the total has room.
    pub(super) fn race(&mut self) {
        while let Some(conn) = self.table.first_overdue(Kind::Added) {
            if !self.has_race_room() {
                return;
            }
            self.table.give_slot(conn, self.now());
            if let Some(peer) = self.table.get(conn).and_then(|conn| conn.peer()) {
                self.peers.enqueue_first(peer);
            }
        }
    }

    /// Whether one more dial fits beside all connections that are wanted.
    fn has_race_room(&self) -> bool {
        let split = self.split();
        let without_slot: u32 = Kind::ALL.into_iter().map(|kind| self.table.without_slot(kind)).sum();
        let visits = self.table.slots_held(Kind::AddrFetch);
        self.table.slots_held(Kind::Inbound) + without_slot + visits < split.inbound
    }

    /// Whether the peer of this dial has another address to dial beside it.
    pub(in crate::manager) fn may_race(&self, conn: &Conn) -> bool {
        let Some(peer) = conn.peer().and_then(|id| self.peers.get(id)) else { return false };
        if peer.has_one_address() {
            return false;
        }
        let others = peer.dials().iter().filter(|other| **other != conn.id()).count();
        self.config.dial.max_hedged != Some(0)
            && others + 1 < MAX_AT_ONCE
            && peer.to_try().any(|one| self.candidate_obstacle(peer, &one).is_none())
    }

    pub(super) fn dial_added(&mut self, split: &Split) {
        while let Some(peer) = self.peers.first_queued() {
            if !self.has_slot(Kind::Added, split) || self.pause_if_needed() {
                return;
            }
            self.dial_peer(peer);
        }
    }

    /// Begins or continues an attempt at an added peer, or records what forbids it.
    fn dial_peer(&mut self, id: PeerId) {
        if self.meet_twin(id) {
            return;
        }
        if let Some(peer) = self.peers.get_mut(id) {
            peer.begin_attempt();
        }
        match self.next_for(id) {
            Next::Dial(candidate) => self.try_candidate(id, candidate),
            Next::Adopt(conn) => self.adopt(conn, id),
            Next::MakeRoom(conn) => {
                // The close frees the address, and the peer is dialed before anything else can take it.
                self.close(conn, CloseReason::MadeRoom);
                self.dial_peer(id);
            }
            Next::Nothing => {
                if !self.peers.get_mut(id).is_some_and(Peer::wait_for_dials) {
                    self.settle_attempt(id);
                }
            }
        }
    }

    /// If the node of a peer is connected already, by its identity, the peer takes the connection or waits for its end.
    /// Returns whether it is.
    fn meet_twin(&mut self, id: PeerId) -> bool {
        let identity = self.peers.get(id).and_then(|peer| peer.identity());
        let twin = identity.and_then(|identity| self.table.with_identity(identity));
        let Some(twin) = twin.and_then(|twin| self.table.get(twin)).filter(|twin| !twin.kind().is_visit()) else {
            return false;
        };
        match (twin.id(), twin.peer()) {
            (conn, None) => self.adopt(conn, id),
            (conn, Some(_)) => self.block_by_twin(id, conn),
        }
        true
    }

    /// What to do with the first address of the attempt that is of any use.
    fn next_for(&self, id: PeerId) -> Next {
        let Some(peer) = self.peers.get(id) else { return Next::Nothing };
        for candidate in peer.to_try() {
            let next = match self.candidate_obstacle(peer, &candidate) {
                None => Next::Dial(candidate),
                Some(Obstacle::AddressInUse) => self.take_from(peer, &candidate.address),
                Some(_) => Next::Nothing,
            };
            if !matches!(next, Next::Nothing) {
                return next;
            }
        }
        Next::Nothing
    }

    /// Whether an address in use can become a peer's now.
    pub(in crate::manager) fn is_takeable(&self, peer: &Peer, address: &PeerAddress) -> bool {
        !matches!(self.take_from(peer, address), Next::Nothing)
    }

    /// How a peer gets an address that is in use: it takes the automatic connection. If that is still a dial, the peer
    /// waits until it opens. A block-relay connection would not serve the peer; it closes.
    fn take_from(&self, peer: &Peer, address: &PeerAddress) -> Next {
        let Some(conn) = self.table.dialed(address).and_then(|conn| self.table.get(conn)) else { return Next::Nothing };
        let wanted = peer.identity();
        let is_other = wanted.is_some() && conn.identity().is_some() && conn.identity() != wanted;
        match (conn.kind(), conn.is_open()) {
            (Kind::Full, true) if !is_other => Next::Adopt(conn.id()),
            // If another connection has the address too, closing this one would not free it.
            (Kind::BlockRelay, _) if self.table.holders(address) == 1 => Next::MakeRoom(conn.id()),
            (Kind::Full | Kind::BlockRelay | Kind::Feeler | Kind::AddrFetch | Kind::Added | Kind::Inbound, _) => {
                Next::Nothing
            }
        }
    }

    fn try_candidate(&mut self, id: PeerId, candidate: Candidate) {
        match (candidate.address.name(), self.rules().proxy(&candidate.address)) {
            (Some(name), None) => {
                let name = name.clone();
                self.resolve_peer(id, name, candidate);
            }
            (Some(_) | None, _) => self.dial_for_peer(id, candidate),
        }
    }

    /// Dials an address for an added peer.
    pub(super) fn dial_for_peer(&mut self, id: PeerId, candidate: Candidate) {
        let Some(peer) = self.peers.get(id) else { return };
        let Candidate { of, address } = candidate;
        // What gossip says of its services does not count: the peer is the operator's.
        let is_v1_only = peer.is_v1_only() || self.book.is_without_v2(&address);
        let transport = if is_v1_only { Transport::V1 } else { self.config.transport };
        let via = self.route(&address);
        let (kind, peer) = (Kind::Added, Some(id));
        // An added peer takes no group.
        self.dial(PlannedDial { kind, address, id: None, group: None, peer, of, transport, is_trial: false, via });
    }

    fn resolve_peer(&mut self, id: PeerId, host: HostName, candidate: Candidate) {
        let (lookup, deadline) = self.begin_lookup();
        self.peers.begin_lookup(id, lookup, candidate);
        self.act(Action::ResolveHost { lookup, host, route: Route::Direct, deadline });
    }
}
