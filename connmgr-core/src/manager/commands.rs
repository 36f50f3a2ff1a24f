//! What the manager is asked to do. Commands may be refused, with a reason.

use alloc::vec::Vec;

use crate::types::{
    AddPeerError, AddressInfo, Backoff, CloseReason, CommandError, ConnId, Keep, Limits, NetworkKind, PeerAddress,
    PeerId, Time,
};

use super::{ConnManager, PeerState, Phase};

/// The most addresses that one answer to getaddr may hold (BIP 155).
const MAX_SAMPLE: u32 = 1000;

impl ConnManager {
    /// Adds a peer: it is dialed now, and with [`Keep::Always`] again whenever the connection is lost, until it is
    /// removed. A name is resolved again at each attempt, which tries up to 16 of its addresses; the next
    /// attempt goes on behind them. A connection that we have with the address already becomes the peer's.
    ///
    /// # Errors
    /// [`AddPeerError`] says why the peer was not added.
    pub fn add_peer(&mut self, address: PeerAddress, keep: Keep, now: Time) -> Result<PeerId, AddPeerError> {
        self.begin(now);
        self.may_add(&address)?;
        let id = self.next_peer.take();
        self.peers.insert(id, address, keep);
        // One more added peer may leave less for those who came in.
        self.sweep_wanted = true;
        self.plan();
        Ok(id)
    }

    /// Removes an added peer, whatever is being done about it. Its connection is closed. It is never dialed again
    /// for having been added.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`].
    pub fn remove_peer(&mut self, peer: PeerId, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        let state = self.peers.get(peer).ok_or(CommandError::UnknownPeer)?.state();
        self.forget_peer(peer);
        match state {
            PeerState::Dialing(conn) | PeerState::Connected(conn) => self.close(conn, CloseReason::PeerRemoved),
            PeerState::Waiting | PeerState::Queued | PeerState::Blocked(_) | PeerState::Resolving => {}
        }
        self.plan();
        Ok(())
    }

    /// Closes a connection or gives up a dial. An added peer stays added, and is dialed again after its back-off.
    ///
    /// # Errors
    /// [`CommandError::UnknownConnection`].
    pub fn disconnect(&mut self, conn: ConnId, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        self.table.get(conn).ok_or(CommandError::UnknownConnection)?;
        self.close(conn, CloseReason::Requested);
        self.plan();
        Ok(())
    }

    /// Closes the connection of an added peer and dials the peer again at once.
    ///
    /// # Errors
    /// [`CommandError::UnknownConnection`]; [`CommandError::NotAdded`] if the connection belongs to no added peer.
    pub fn reconnect(&mut self, conn: ConnId, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        let peer = self.table.get(conn).ok_or(CommandError::UnknownConnection)?.peer();
        let peer = peer.ok_or(CommandError::NotAdded)?;
        // Queued first: so its end is no failed attempt, and even a peer added for one connection is dialed again.
        self.peers.enqueue(peer);
        self.close(conn, CloseReason::Requested);
        self.plan();
        Ok(())
    }

    /// Dials an added peer now instead of after its wait. While its network is down it takes its turn with the
    /// probes all the same.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`].
    pub fn dial_now(&mut self, peer: PeerId, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        self.peers.get(peer).ok_or(CommandError::UnknownPeer)?;
        self.hurry_peer(peer);
        self.plan();
        Ok(())
    }

    /// Gives an added peer a back-off of its own, from its next failure on; none: that of the configuration.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`]; [`CommandError::BadBackoff`] if a wait is shorter than 1 ms.
    pub fn set_retry(&mut self, peer: PeerId, retry: Option<Backoff>, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        if retry.is_some_and(|retry| retry.check().is_err()) {
            return Err(CommandError::BadBackoff);
        }
        self.peers.get_mut(peer).ok_or(CommandError::UnknownPeer)?.set_retry(retry);
        Ok(())
    }

    /// Addresses for an answer to getaddr: at most `count`, 1000 and 23 % of the book, drawn by chance. None of a host
    /// that is banned, and none that has long been gone, is among them.
    pub fn sample_addresses(&mut self, network: Option<NetworkKind>, count: u32, now: Time) -> Vec<AddressInfo> {
        self.begin(now);
        let (unix, now) = (self.unix(), self.now());
        let mut rng = self.sample_rng.clone();
        let rules = self.rules();
        let allowed = |address: &PeerAddress| !rules.is_banned(address.host());
        let told = self.book.sample(&mut rng, network, count.min(MAX_SAMPLE), unix, now, allowed);
        self.sample_rng = rng;
        told
    }

    /// Goes to work, or rests: while inactive nobody is dialed or let in, and every connection is closed. Added
    /// peers stay added.
    ///
    /// # Errors
    /// [`CommandError::ShuttingDown`].
    pub fn set_active(&mut self, active: bool, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        self.phase = if active { Phase::Active } else { Phase::Inactive };
        self.sweep_wanted = true;
        if active {
            let now = self.now();
            for pace in &mut self.paces {
                pace.start_over(now);
            }
            self.wake_peers();
            self.feed();
            self.seed_again();
        }
        self.plan();
        Ok(())
    }

    /// Changes the limits. Where they fall, surplus inbound connections go, and of the automatic ones the youngest;
    /// added peers stay.
    ///
    /// # Errors
    /// [`CommandError::BadLimits`] if one is out of range; nothing changes then.
    pub fn set_limits(&mut self, limits: Limits, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        limits.check().map_err(|_| CommandError::BadLimits)?;
        self.limits = limits;
        self.sweep_wanted = true;
        self.plan();
        Ok(())
    }

    /// Closes everything, then says [`Event::Stopped`](crate::Event::Stopped), then nothing, ever. Asking twice does
    /// nothing more.
    ///
    /// # Errors
    /// None; the result is that of every command.
    pub fn shutdown(&mut self, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        if self.phase != Phase::Stopped {
            self.phase = Phase::Stopping;
            self.sweep_wanted = true;
            self.plan();
        }
        Ok(())
    }

    /// Commands are for the living.
    pub(super) const fn check_running(&self) -> Result<(), CommandError> {
        match self.phase {
            Phase::Active | Phase::Inactive => Ok(()),
            Phase::Stopping | Phase::Stopped => Err(CommandError::ShuttingDown),
        }
    }
}
