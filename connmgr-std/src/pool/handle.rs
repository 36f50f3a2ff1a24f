//! Commands and views, for any task that has a [`Handle`].
//!
//! A command travels to the driver's task and its answer comes back; that task waits for nobody, so a command may be
//! awaited anywhere, the task that takes the events included. Once sent, a command is carried out even when nobody
//! waits for its answer any more.

use std::time::Duration;

use connmgr_core::{
    AddPeerError, AddressInfo, Backoff, BanTarget, BanView, CommandError, ConnId, ConnManager, ConnView, Host, Input,
    Keep, Limits, NetworkKind, PeerAddress, PeerId, PeerView, Reply, Source, Stats, Time,
};

use super::requests::{Request, Requests};
use crate::adapter::reply::{added, addresses, done};
use crate::answer::answer;
use crate::clock::Clock;

/// Commands and views of a pool that is kept by a task. Cheap to clone; it does not keep the pool alive.
///
/// When the pool is gone every command is refused with `ShuttingDown`, and every view is empty.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: Requests,
    clock: Clock,
}

impl Handle {
    pub(super) const fn new(requests: Requests, clock: Clock) -> Self {
        Self { requests, clock }
    }

    /// Adds a peer, to be dialed as soon as the limits allow.
    ///
    /// # Errors
    /// [`AddPeerError`] says why it may not be added.
    pub async fn add_peer(&self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError> {
        added(self.ask(Input::AddPeer { address, keep }).await)
    }

    /// Removes an added peer for good, in whatever state it is, and closes its connection.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`], or [`CommandError::ShuttingDown`].
    pub async fn remove_peer(&self, peer: PeerId) -> Result<(), CommandError> {
        self.command(Input::RemovePeer { peer }).await
    }

    /// Closes a connection. An added peer is dialed again after its back-off.
    ///
    /// # Errors
    /// [`CommandError::UnknownConnection`], or [`CommandError::ShuttingDown`].
    pub async fn disconnect(&self, conn: ConnId) -> Result<(), CommandError> {
        self.command(Input::Disconnect { conn }).await
    }

    /// Closes the connection of an added peer and dials it again at once.
    ///
    /// # Errors
    /// [`CommandError::UnknownConnection`], [`CommandError::NotAdded`], or [`CommandError::ShuttingDown`].
    pub async fn reconnect(&self, conn: ConnId) -> Result<(), CommandError> {
        self.command(Input::Reconnect { conn }).await
    }

    /// Dials an added peer now, whatever is left of its back-off.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`], or [`CommandError::ShuttingDown`].
    pub async fn dial_now(&self, peer: PeerId) -> Result<(), CommandError> {
        self.command(Input::DialNow { peer }).await
    }

    /// Gives an added peer a back-off of its own, from its next failure on; none: that of the configuration.
    ///
    /// # Errors
    /// [`CommandError::UnknownPeer`], [`CommandError::BadBackoff`] or [`CommandError::ShuttingDown`].
    pub async fn set_retry(&self, peer: PeerId, retry: Option<Backoff>) -> Result<(), CommandError> {
        self.command(Input::SetRetry { peer, retry }).await
    }

    /// Bans a host or a subnet and closes its connections.
    ///
    /// # Errors
    /// [`CommandError::NotBannable`], or [`CommandError::ShuttingDown`].
    pub async fn ban(&self, target: BanTarget, duration: Duration) -> Result<(), CommandError> {
        self.command(Input::Ban { target, duration }).await
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// [`CommandError::NotBanned`], or [`CommandError::ShuttingDown`].
    pub async fn unban(&self, target: BanTarget) -> Result<(), CommandError> {
        self.command(Input::Unban { target }).await
    }

    /// Forgets what a host has done so far; its bans stay.
    ///
    /// # Errors
    /// [`CommandError::ShuttingDown`].
    pub async fn reset_score(&self, host: Host) -> Result<(), CommandError> {
        self.command(Input::ResetScore { host }).await
    }

    /// At most `count` addresses from the book, of one network or of all: what answers a peer's `getaddr`.
    pub async fn sample_addresses(&self, network: Option<NetworkKind>, count: u32) -> Vec<AddressInfo> {
        addresses(self.ask(Input::SampleAddresses { network, count }).await)
    }

    /// Stops (closing every connection) or resumes all dialing and accepting.
    ///
    /// # Errors
    /// [`CommandError::ShuttingDown`].
    pub async fn set_active(&self, active: bool) -> Result<(), CommandError> {
        self.command(Input::SetActive { active }).await
    }

    /// Changes the limits; surplus connections are closed.
    ///
    /// # Errors
    /// [`CommandError::BadLimits`], or [`CommandError::ShuttingDown`].
    pub async fn set_limits(&self, limits: Limits) -> Result<(), CommandError> {
        self.command(Input::SetLimits { limits }).await
    }

    /// Begins to shut down: every connection is closed, and the last event is
    /// [`Event::Stopped`](connmgr_core::Event::Stopped). The pool's own `shutdown` waits for the end.
    ///
    /// # Errors
    /// [`CommandError::ShuttingDown`] when the pool is gone already.
    pub async fn shutdown(&self) -> Result<(), CommandError> {
        self.command(Input::Shutdown).await
    }

    /// Tells addresses that the application knows from a store of its own.
    pub async fn addresses(&self, addresses: Vec<AddressInfo>) {
        self.ask(Input::Addresses { source: Source::Application, addresses }).await;
    }

    /// Tells that the machine's network changed: what was learnt of outages is forgotten.
    pub async fn network_changed(&self) {
        self.ask(Input::NetworkChanged).await;
    }

    /// Tells an address of our own, never to be dialed.
    pub async fn own_address(&self, address: PeerAddress) {
        self.ask(Input::OwnAddress { address }).await;
    }

    /// Every connection and dial, by id.
    pub async fn connections(&self) -> Vec<ConnView> {
        self.look(ConnManager::connections).await
    }

    /// Every added peer, by id.
    pub async fn added_peers(&self) -> Vec<PeerView> {
        self.look(ConnManager::added_peers).await
    }

    /// Every ban, by target.
    pub async fn bans(&self) -> Vec<BanView> {
        self.look(ConnManager::bans).await
    }

    /// Counters since the start; all zero when the pool is gone.
    pub async fn stats(&self) -> Stats {
        self.look(ConnManager::stats).await
    }

    /// The time by which the pool counts, from its birth on: what [`ConnView::since`], [`PeerView::next_retry`] and
    /// [`PoolEvent::RetryScheduled`](crate::PoolEvent::RetryScheduled) are to be compared with. It asks nobody, and goes
    /// on when the pool is gone.
    ///
    /// ```
    /// # async fn example(handle: connmgr_std::Handle) {
    /// for peer in handle.added_peers().await {
    ///     if let Some(at) = peer.next_retry {
    ///         println!("{} is dialed again in {:?}", peer.address, at.since(handle.now()));
    ///     }
    /// }
    /// # }
    /// ```
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    async fn command(&self, input: Input) -> Result<(), CommandError> {
        done(self.ask(input).await)
    }

    /// None when the pool is gone.
    async fn ask(&self, input: Input) -> Option<Reply> {
        let (reply, told) = answer();
        self.requests.push(Request::Apply { input, reply }).await;
        told.take().await
    }

    async fn look<T, F>(&self, look: F) -> T
    where
        T: Default + Send + 'static,
        F: FnOnce(&ConnManager) -> T + Send + 'static,
    {
        let (seen, told) = answer();
        self.requests.push(Request::Look(Box::new(move |manager| seen.tell(look(manager))))).await;
        told.take().await.unwrap_or_default()
    }
}
