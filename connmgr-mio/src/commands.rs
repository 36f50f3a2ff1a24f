//! Commands, facts and views, for whoever turns the pool: answered at once.
//!
//! What follows from them, events included, is there at the next [`Pool::next_event`].

use std::time::Duration;

use connmgr_core::{
    Activity, AddPeerError, AddressInfo, Backoff, BanTarget, BanView, CommandError, ConnId, ConnView, Host, Input,
    Keep, Limits, NetworkKind, PeerAddress, PeerId, PeerInfo, PeerView, Penalty, Source, Stats,
};
use connmgr_std::adapter::reply::{added, addresses, done};

use crate::pool::Pool;

/// Commands.
impl Pool {
    /// Adds a peer, to be dialed as soon as the limits allow.
    ///
    /// # Errors
    /// [`AddPeerError`] says why it may not be added.
    pub fn add_peer(&mut self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError> {
        added(Some(self.apply(&Input::AddPeer { address, keep })))
    }

    /// Removes an added peer for good, in whatever state it is, and closes its connection.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`], or [`CommandError::ShuttingDown`].
    pub fn remove_peer(&mut self, peer: PeerId) -> Result<(), CommandError> {
        self.command(&Input::RemovePeer { peer })
    }

    /// Closes a connection. An added peer is dialed again after its back-off.
    ///
    /// # Errors
    /// [`CommandError::UnknownConnection`], or [`CommandError::ShuttingDown`].
    pub fn disconnect(&mut self, conn: ConnId) -> Result<(), CommandError> {
        self.command(&Input::Disconnect { conn })
    }

    /// Closes the connection of an added peer and dials it again at once.
    ///
    /// # Errors
    /// [`CommandError::UnknownConnection`], [`CommandError::NotAdded`], or [`CommandError::ShuttingDown`].
    pub fn reconnect(&mut self, conn: ConnId) -> Result<(), CommandError> {
        self.command(&Input::Reconnect { conn })
    }

    /// Dials an added peer now, whatever is left of its back-off.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`], or [`CommandError::ShuttingDown`].
    pub fn dial_now(&mut self, peer: PeerId) -> Result<(), CommandError> {
        self.command(&Input::DialNow { peer })
    }

    /// Gives an added peer a back-off of its own, from its next failure on; none: that of the configuration.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`], [`CommandError::BadBackoff`], or [`CommandError::ShuttingDown`].
    pub fn set_retry(&mut self, peer: PeerId, retry: Option<Backoff>) -> Result<(), CommandError> {
        self.command(&Input::SetRetry { peer, retry })
    }

    /// Bans a host or a subnet and closes its connections.
    ///
    /// # Errors
    /// [`CommandError::NotBannable`], or [`CommandError::ShuttingDown`].
    pub fn ban(&mut self, target: BanTarget, duration: Duration) -> Result<(), CommandError> {
        self.command(&Input::Ban { target, duration })
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// [`CommandError::NotBanned`], or [`CommandError::ShuttingDown`].
    pub fn unban(&mut self, target: BanTarget) -> Result<(), CommandError> {
        self.command(&Input::Unban { target })
    }

    /// Forgets what a host has done so far; its bans stay.
    ///
    /// # Errors
    /// [`CommandError::ShuttingDown`].
    pub fn reset_score(&mut self, host: Host) -> Result<(), CommandError> {
        self.command(&Input::ResetScore { host })
    }

    /// At most `count` addresses from the book, of one network or of all: what answers a peer's `getaddr`.
    pub fn sample_addresses(&mut self, network: Option<NetworkKind>, count: u32) -> Vec<AddressInfo> {
        addresses(Some(self.apply(&Input::SampleAddresses { network, count })))
    }

    /// Stops (closing every connection) or resumes all dialing and accepting.
    ///
    /// # Errors
    /// [`CommandError::ShuttingDown`].
    pub fn set_active(&mut self, active: bool) -> Result<(), CommandError> {
        self.command(&Input::SetActive { active })
    }

    /// Changes the limits; surplus connections are closed. The range of tokens stays what it was:
    /// [`Builder::start`](crate::Builder::start) says what comes of a higher total.
    ///
    /// # Errors
    /// [`CommandError::BadLimits`], or [`CommandError::ShuttingDown`].
    pub fn set_limits(&mut self, limits: Limits) -> Result<(), CommandError> {
        self.command(&Input::SetLimits { limits })
    }

    /// Begins to shut down: every connection is closed, every dial given up, and the last event of the manager is
    /// [`Event::Stopped`](connmgr_core::Event::Stopped). Go on to turn the pool until [`Pool::is_stopped`]; it waits
    /// for the disk at most 10 s, and for no peer. Doing it twice does nothing more.
    pub fn shutdown(&mut self) {
        self.apply(&Input::Shutdown);
    }

    /// Tells addresses that the application knows from a store of its own.
    pub fn addresses(&mut self, addresses: Vec<AddressInfo>) {
        self.apply(&Input::Addresses { source: Source::Application, addresses });
    }

    /// Tells that the machine's network changed: what was learnt of outages is forgotten.
    pub fn network_changed(&mut self) {
        self.apply(&Input::NetworkChanged);
    }

    /// Tells an address of our own, never to be dialed.
    pub fn own_address(&mut self, address: PeerAddress) {
        self.apply(&Input::OwnAddress { address });
    }

    fn command(&mut self, input: &Input) -> Result<(), CommandError> {
        done(Some(self.apply(input)))
    }
}

/// Facts of one connection. They never fail; those of a connection that has ended are ignored, except that a late
/// penalty still reaches its host. [`Pool::reporter`] tells the same from elsewhere.
impl Pool {
    /// The handshake is done. To be told once; without it the connection is closed at the handshake's deadline.
    pub fn ready(&mut self, conn: ConnId, info: PeerInfo) {
        self.apply(&Input::Ready { conn, info });
    }

    /// The peer misbehaved.
    pub fn misbehaving(&mut self, conn: ConnId, penalty: Penalty) {
        self.apply(&Input::Misbehavior { conn, penalty });
    }

    /// What the connection has been good for since the last time. That bytes were read of it need not be told: the pool
    /// sees that.
    pub fn activity(&mut self, conn: ConnId, activity: Activity) {
        self.apply(&Input::Activity { conn, activity });
    }

    /// The peer told us these addresses.
    pub fn peer_addresses(&mut self, conn: ConnId, addresses: Vec<AddressInfo>) {
        self.apply(&Input::Addresses { source: Source::Peer(conn), addresses });
    }
}

/// Views.
impl Pool {
    /// Every connection and dial, by id.
    pub fn connections(&self) -> Vec<ConnView> {
        self.manager().connections()
    }

    /// Every added peer, by id.
    pub fn added_peers(&self) -> Vec<PeerView> {
        self.manager().added_peers()
    }

    /// Every ban, by target.
    pub fn bans(&self) -> Vec<BanView> {
        self.manager().bans()
    }

    /// Counters since the start.
    pub fn stats(&self) -> Stats {
        self.manager().stats()
    }
}
