//! Dials added peers in turn, as slots allow. A name is resolved first; then its addresses are dialed one after the
//! other.

use crate::config::Split;
use crate::types::{Action, CloseReason, HostName, Kind, PeerAddress, PeerId, Route, Time, Transport};

use super::{ConnManager, PlannedDial, Timer};
use crate::manager::Obstacle;

impl ConnManager {
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
        if self.dial_candidate(id) {
            return;
        }
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

    /// Dials the next address of the peer's name that may be dialed. If an outage forbids all of them, the peer waits
    /// for the probes. Returns false if no address is left.
    fn dial_candidate(&mut self, id: PeerId) -> bool {
        let Some(peer) = self.peers.get_mut(id) else { return false };
        let (port, mut left) = (peer.address().port(), peer.take_candidates());
        left.retain(|ip| self.may_be_candidate(*ip, port));
        if left.is_empty() {
            return false;
        }
        let next = left.iter().rposition(|ip| self.candidate_obstacle(*ip, port).is_none());
        let ip = next.map(|at| left.remove(at));
        if let Some(peer) = self.peers.get_mut(id) {
            peer.set_candidates(left);
            if ip.is_none() {
                peer.block(Obstacle::NetworkDown);
            }
        }
        if let Some(ip) = ip {
            self.dial_for_peer(id, self.resolved(ip, port));
        }
        true
    }

    /// Dials an address for an added peer.
    pub(super) fn dial_for_peer(&mut self, id: PeerId, address: PeerAddress) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        peer.take_turn(address.host().ip());
        let transport = if peer.is_v1_only() { Transport::V1 } else { self.config.transport };
        let via = self.route(&address);
        self.dial(PlannedDial { kind: Kind::Added, address, peer: Some(id), transport, is_trial: false, via });
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

    /// Gives the automatic connection that has this address to the peer. If it is a dial, the peer waits until it
    /// opens. A block-relay connection would not serve the peer; it closes, and the peer is dialed.
    fn try_adopt(&mut self, id: PeerId, address: &PeerAddress) -> bool {
        let Some(conn) = self.table.dialed(address).and_then(|conn| self.table.get(conn)) else { return false };
        let conn = (conn.id(), conn.kind(), conn.is_open());
        match conn {
            (conn, Kind::Full, true) => {
                self.adopt(conn, id);
                true
            }
            // If another connection has the address too, closing this one would not free it.
            (conn, Kind::BlockRelay, _) if self.table.holders(address) == 1 => {
                // The close frees the address, and the peer is dialed before anything else can take it.
                self.close(conn, CloseReason::MadeRoom);
                self.dial_peer(id);
                true
            }
            (_, Kind::Full | Kind::BlockRelay | Kind::Feeler | Kind::AddrFetch | Kind::Added | Kind::Inbound, _) => {
                false
            }
        }
    }

    fn resolve_peer(&mut self, id: PeerId, host: HostName) {
        let (lookup, deadline) = self.begin_lookup();
        self.peers.begin_lookup(id, lookup);
        self.act(Action::ResolveHost { lookup, host, route: Route::Direct, deadline });
    }
}
