//! Connections to ourselves, and second connections to the same peer.

use crate::conn::Conn;
use crate::types::{CloseReason, CommandError, ConnId, Keep, PeerAddress, PeerInfo, Time};

use super::{ConnManager, Obstacle, Timer};

impl ConnManager {
    /// Reports one of our own addresses: it is not dialed until it is forgotten by
    /// [`forget_own_address`](Self::forget_own_address). At most 1024 are remembered, those of the configuration
    /// included; more are ignored.
    pub fn handle_own_address(&mut self, address: &PeerAddress, now: Time) {
        self.begin(now);
        let address = &self.settled(address.clone());
        self.own.give(address);
        self.arm_own_addresses();
        self.book.forget(address);
        if let Some(conn) = self.table.dialed(address) {
            self.close(conn, CloseReason::OwnAddress);
        }
        self.plan();
    }

    pub(super) fn is_ourselves(&self, info: &PeerInfo) -> bool {
        let ours = |nonce| self.table.with_nonce(nonce).is_some();
        info.nonce.is_some_and(ours) || (info.identity.is_some() && info.identity == self.config.identity)
    }

    /// Closes both ends of a connection to ourselves, and remembers the address as ours.
    pub(super) fn close_self_connection(&mut self, id: ConnId, info: &PeerInfo) {
        let other = info.nonce.and_then(|nonce| self.table.with_nonce(nonce)).filter(|other| *other != id);
        for end in [Some(id), other].into_iter().flatten() {
            let dialed = self.table.get(end).and_then(|conn| conn.dialed()).cloned();
            self.close(end, CloseReason::OwnAddress);
            if let Some(address) = dialed {
                let now = self.now();
                self.own.meet(&address, now);
                self.book.forget(&address);
            }
        }
        self.arm_own_addresses();
    }

    /// An address is not ours, or no longer: it may be dialed like any other. One of the configuration counts as ours
    /// again in the next life. By themselves, only addresses where we met ourselves are forgotten: after a day, and when
    /// the machine's network changes.
    ///
    /// # Errors
    /// [`CommandError::NotOurs`] if it is none of ours; [`CommandError::ShuttingDown`].
    pub fn forget_own_address(&mut self, address: &PeerAddress, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        let address = self.settled(address.clone());
        if !self.own.forget(&address) {
            return Err(CommandError::NotOurs);
        }
        self.own_addresses_forgotten();
        self.plan();
        Ok(())
    }

    /// Forgets the addresses where we met ourselves.
    pub(super) fn forget_met_addresses(&mut self) {
        if self.own.forget_met() {
            self.own_addresses_forgotten();
        }
    }

    pub(super) fn own_addresses_timer_fired(&mut self) {
        let now = self.now();
        self.own.expire(now);
        self.own_addresses_forgotten();
    }

    /// Added peers at addresses that are no longer ours need not wait. The book learns of such addresses anew.
    fn own_addresses_forgotten(&mut self) {
        self.arm_own_addresses();
        self.release_blocked_by(Obstacle::OwnAddress);
    }

    fn arm_own_addresses(&mut self) {
        match self.own.next_expiry() {
            Some(at) => self.arm(Timer::OwnAddresses, at),
            None => self.disarm(Timer::OwnAddresses),
        }
    }

    /// Whether the connection belongs to an added peer that is wanted with another identity.
    pub(super) fn has_wrong_identity(&self, id: ConnId, info: &PeerInfo) -> bool {
        let peer = self.table.get(id).and_then(|conn| conn.peer()).and_then(|peer| self.peers.get(peer));
        peer.and_then(|peer| peer.identity()).is_some_and(|wanted| info.identity != Some(wanted))
    }

    /// Which of two connections to the same peer should close; `None` if neither.
    ///
    /// If nothing has come by the older for `health.traffic_within`, it goes: the newer has just shown life. Of two that
    /// live, one dialed by each side, both sides keep the one that the greater identity dialed. Of two in the same
    /// direction, the dialer keeps the older; the acceptor closes neither, because the two sides might close one each.
    /// A visit (feeler, addr-fetch) ends soon anyway, so it is the one to close.
    pub(super) fn duplicate(&self, newer: ConnId, info: &PeerInfo) -> Option<ConnId> {
        let theirs = info.identity?;
        let older = self.table.with_identity(theirs)?;
        let is_visit = |id| self.table.get(id).is_some_and(|conn| conn.kind().is_visit());
        if is_visit(newer) || is_visit(older) {
            return Some(if is_visit(newer) { newer } else { older });
        }
        if self.is_mute(older) {
            return Some(older);
        }
        let inbound = |id| self.table.get(id).is_some_and(|conn| conn.kind().is_inbound());
        match (inbound(older), inbound(newer), self.config.identity) {
            (true, true, _) => None,
            (false, false, _) | (true, false, None) | (false, true, None) => Some(newer),
            (true, false, Some(ours)) => Some(if ours > theirs { older } else { newer }),
            (false, true, Some(ours)) => Some(if ours > theirs { newer } else { older }),
        }
    }

    /// Whether a ready connection has shown no life for so long that its other end may be gone without a word.
    fn is_mute(&self, id: ConnId) -> bool {
        let heard = |conn: &Conn| self.now().since(conn.since().max(conn.notes.heard));
        self.table.get(id).is_some_and(|conn| heard(conn) >= self.config.health.traffic_within)
    }

    /// Closes one of two connections. If it belonged to an added peer, the other becomes that peer's, or, if it is
    /// another's, the peer waits for its end.
    pub(super) fn close_duplicate(&mut self, loser: ConnId, newer: ConnId, info: &PeerInfo) {
        let older = info.identity.and_then(|identity| self.table.with_identity(identity));
        let winner = if loser == newer { older } else { Some(newer) };
        let peer = self.table.get(loser).and_then(|conn| conn.peer());
        let dialed = self.table.get(loser).and_then(|conn| conn.dialed());
        if let (Some(address), Some(winner)) = (dialed, winner) {
            self.aliases.meet(address, winner);
        }
        if let (Some(peer), Some(winner)) = (peer, winner) {
            self.record_service(peer);
            let is_once = self.peers.get(peer).is_some_and(|peer| peer.keep() == Keep::Once);
            match self.table.get(winner).map(|conn| conn.peer()) {
                Some(None) => self.adopt(winner, peer),
                Some(Some(_)) if !is_once => self.block_by_twin(peer, winner),
                Some(Some(_)) | None => {}
            }
        }
        self.close(loser, CloseReason::Duplicate);
    }
}
