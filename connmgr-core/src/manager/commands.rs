//! Commands: what the caller asks for. A command may be refused, with a reason.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::types::{
    AddPeerError, AddedPeer, AddressInfo, Backoff, CloseReason, CommandError, ConnId, Limits, NetworkKind, PeerAddress,
    PeerId, Time,
};

use super::{ConnManager, PeerState, Phase};

/// The most addresses in one answer to getaddr (BIP 155).
const MAX_SAMPLE: u32 = 1000;

impl ConnManager {
    /// Adds a peer, described or by its address alone, and dials it as soon as a slot is free. With [`Keep::Always`] it
    /// is dialed again whenever its connection ends, until it is removed; with [`Keep::Once`] it gets one attempt.
    ///
    /// An attempt covers all its addresses: its names are resolved again, and up to 16 addresses are tried until one is
    /// ready. The next one is dialed when the one before has failed, or beside it when it has been silent for
    /// `dial.attempt_delay`, at most three at a time; the first to open goes ahead. The next attempt begins with the
    /// address that served well last, else with those not tried yet. If we are connected to one of the addresses
    /// already, or to the identity, the connection becomes the peer's. An IPv6 address of `fc00::/8` is taken for CJDNS
    /// if that network is enabled.
    ///
    /// [`Keep::Always`]: crate::Keep::Always
    /// [`Keep::Once`]: crate::Keep::Once
    ///
    /// # Errors
    /// [`AddPeerError`] says why the peer was not added.
    pub fn add_peer(&mut self, peer: impl Into<AddedPeer>, now: Time) -> Result<PeerId, AddPeerError> {
        self.begin(now);
        let mut wanted = peer.into();
        wanted.addresses = wanted.addresses.into_iter().map(|address| self.settled(address)).collect();
        let mut seen = BTreeSet::new();
        wanted.addresses.retain(|address| seen.insert(address.clone()));
        self.may_add(&wanted)?;
        let id = self.next_peer.take();
        self.peers.insert(id, wanted);
        // One more added peer may shrink the share of inbound connections.
        self.sweep_wanted = true;
        self.plan();
        Ok(id)
    }

    /// Removes an added peer in any state, and closes its connection or dial.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`]; [`CommandError::ShuttingDown`].
    pub fn remove_peer(&mut self, peer: PeerId, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        let removed = self.peers.get(peer).ok_or(CommandError::UnknownPeer)?;
        let mut conns = removed.dials().to_vec();
        match removed.state() {
            PeerState::Connected(conn) => conns.push(conn),
            PeerState::Waiting
            | PeerState::Queued
            | PeerState::Blocked(_)
            | PeerState::Resolving
            | PeerState::Dialing(_) => {}
        }
        self.forget_peer(peer);
        conns.into_iter().for_each(|conn| self.close(conn, CloseReason::PeerRemoved));
        self.plan();
        Ok(())
    }

    /// Closes a connection or gives up a dial. An added peer stays added, and is dialed again after its back-off; with
    /// [`Keep::Once`](crate::Keep::Once) it is finished.
    ///
    /// # Errors
    /// [`CommandError::UnknownConnection`]; [`CommandError::ShuttingDown`].
    pub fn disconnect(&mut self, conn: ConnId, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        self.table.get(conn).ok_or(CommandError::UnknownConnection)?;
        self.close(conn, CloseReason::Requested);
        self.plan();
        Ok(())
    }

    /// Closes the connection or dial of an added peer and dials the peer again at once.
    ///
    /// # Errors
    /// [`CommandError::UnknownConnection`]; [`CommandError::NotAdded`] if the connection belongs to no added peer;
    /// [`CommandError::ShuttingDown`].
    pub fn reconnect(&mut self, conn: ConnId, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        let peer = self.table.get(conn).ok_or(CommandError::UnknownConnection)?.peer();
        let peer = peer.ok_or(CommandError::NotAdded)?;
        // The peer is queued first, so that the close is no failed attempt and a peer with `Keep::Once` is dialed
        // again.
        self.give_up_dials(peer, Some(conn));
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.end_dial(conn);
        }
        self.peers.enqueue(peer);
        self.close(conn, CloseReason::Requested);
        self.plan();
        Ok(())
    }

    /// Dials a waiting or blocked added peer now. A peer whose network is down still waits for its turn among the
    /// probes.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`]; [`CommandError::ShuttingDown`].
    pub fn dial_now(&mut self, peer: PeerId, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        self.peers.get(peer).ok_or(CommandError::UnknownPeer)?;
        self.hurry_peer(peer);
        self.plan();
        Ok(())
    }

    /// Sets an added peer's own back-off, from its next failure on. `None`: the configuration's.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`]; [`CommandError::BadBackoff`] if the back-off is out of range;
    /// [`CommandError::ShuttingDown`].
    pub fn set_retry(&mut self, peer: PeerId, retry: Option<Backoff>, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        if retry.is_some_and(|retry| retry.check().is_err()) {
            return Err(CommandError::BadBackoff);
        }
        self.peers.get_mut(peer).ok_or(CommandError::UnknownPeer)?.set_retry(retry);
        Ok(())
    }

    /// Random addresses: at most `count`, at most 1000, and at most 23 % of those known there, rounded up: of one to four
    /// addresses one. Leaves out banned hosts and addresses that are probably gone. Each call draws others, with the dates
    /// that we know: for the application itself. A peer's getaddr is answered by
    /// [`answer_getaddr`](Self::answer_getaddr).
    pub fn sample_addresses(&mut self, network: Option<NetworkKind>, count: u32, now: Time) -> Vec<AddressInfo> {
        self.begin(now);
        self.sample(network, count)
    }

    pub(super) fn sample(&mut self, network: Option<NetworkKind>, count: u32) -> Vec<AddressInfo> {
        let (unix, now) = (self.unix(), self.now());
        let mut rng = self.sample_rng.clone();
        let rules = self.rules();
        let allowed = |address: &PeerAddress| !rules.is_banned(address.host());
        let told = self.book.sample(&mut rng, network, count.min(MAX_SAMPLE), unix, now, allowed);
        self.sample_rng = rng;
        told
    }

    /// Turns the manager on or off. While inactive it makes no dials, admits no connections, and closes those it has.
    /// Added peers stay added.
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
            self.wake_starved();
            self.seed_again();
        }
        self.plan();
        Ok(())
    }

    /// Changes the limits. Where a limit falls below what is in use, surplus inbound and automatic connections close,
    /// the youngest of each kind first. Added peers stay.
    ///
    /// # Errors
    /// [`CommandError::BadLimits`] if a limit is out of range (nothing changes then); [`CommandError::ShuttingDown`].
    pub fn set_limits(&mut self, limits: Limits, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        self.check_running()?;
        limits.check().map_err(|_| CommandError::BadLimits)?;
        self.limits = limits;
        self.sweep_wanted = true;
        self.plan();
        Ok(())
    }

    /// Closes every connection, then emits [`Event::Stopped`](crate::Event::Stopped), and nothing after that. A second
    /// call does nothing.
    ///
    /// # Errors
    /// None; the result has the form of every command's.
    pub fn shutdown(&mut self, now: Time) -> Result<(), CommandError> {
        self.begin(now);
        if self.phase != Phase::Stopped {
            self.phase = Phase::Stopping;
            self.sweep_wanted = true;
            self.plan();
        }
        Ok(())
    }

    /// Commands are refused once shutdown has begun.
    pub(super) const fn check_running(&self) -> Result<(), CommandError> {
        match self.phase {
            Phase::Active | Phase::Inactive => Ok(()),
            Phase::Stopping | Phase::Stopped => Err(CommandError::ShuttingDown),
        }
    }
}
