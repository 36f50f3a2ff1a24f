//! Commands and views, for any task that has a [`Handle`].
//!
//! A command travels to the driver task and its answer comes back; the driver task waits for nobody, so a command may
//! be awaited anywhere, the task that takes the events included. Once sent, a command is carried out even when nobody
//! waits for its answer any more.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_channel::{Receiver, Sender, bounded};
use connmgr_core::{
    AddPeerError, AddressInfo, Backoff, BanTarget, BanView, CommandError, ConnId, ConnManager, ConnView, Host, Input,
    Keep, Limits, NetworkKind, PeerAddress, PeerId, PeerView, Reply, Source, Stats,
};
use futures_lite::Stream;

/// Requests that may wait for the driver task; whoever asks for more waits until there is room.
const MAX_WAITING: usize = 64;

/// A channel for requests.
pub(crate) fn channel() -> (Handle, Requests) {
    let (requests, receiver) = bounded(MAX_WAITING);
    (Handle { requests }, Requests(Box::pin(receiver)))
}

/// The driver task's end of the channel. Dropped, it refuses those who wait, and those who come later.
#[derive(Debug)]
pub(crate) struct Requests(Pin<Box<Receiver<Request>>>);

impl Requests {
    /// The next request. Never ready once every handle is gone.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Request> {
        match self.0.as_mut().poll_next(cx) {
            Poll::Ready(Some(request)) => Poll::Ready(request),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        // Left in the channel, a request would live as long as any handle, and whoever asked would wait as long.
        self.0.close();
        while self.0.try_recv().is_ok() {}
    }
}

/// What the driver task is asked.
pub(crate) enum Request {
    /// To apply this, and to say what came of it.
    Apply { input: Input, reply: Sender<Reply> },
    /// To show the manager to this, which sends off what it saw.
    Look(Box<dyn FnOnce(&ConnManager) + Send>),
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply { input, .. } => f.debug_tuple("Apply").field(input).finish(),
            Self::Look(_) => f.write_str("Look"),
        }
    }
}

/// Commands and views of a [`Pool`](crate::Pool). Cheap to clone; it does not keep the pool alive.
///
/// When the pool is gone every command is refused with `ShuttingDown`, and every view is empty.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: Sender<Request>,
}

impl Handle {
    /// Adds a peer, to be dialed as soon as the limits allow.
    ///
    /// # Errors
    /// [`AddPeerError`] says why it may not be added.
    pub async fn add_peer(&self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError> {
        match self.ask(Input::AddPeer { address, keep }).await {
            Some(Reply::Added(added)) => added,
            Some(Reply::Noted | Reply::Accepted(_) | Reply::Addresses(_) | Reply::Done(_)) | None => {
                Err(AddPeerError::ShuttingDown)
            }
        }
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
        match self.ask(Input::SampleAddresses { network, count }).await {
            Some(Reply::Addresses(addresses)) => addresses,
            Some(Reply::Noted | Reply::Accepted(_) | Reply::Added(_) | Reply::Done(_)) | None => Vec::new(),
        }
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
    /// [`Event::Stopped`](connmgr_core::Event::Stopped). [`Pool::shutdown`](crate::Pool::shutdown) waits for the end.
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

    async fn command(&self, input: Input) -> Result<(), CommandError> {
        match self.ask(input).await {
            Some(Reply::Done(done)) => done,
            Some(Reply::Noted | Reply::Accepted(_) | Reply::Added(_) | Reply::Addresses(_)) | None => {
                Err(CommandError::ShuttingDown)
            }
        }
    }

    /// None when the pool is gone.
    async fn ask(&self, input: Input) -> Option<Reply> {
        let (reply, answer) = bounded(1);
        self.requests.send(Request::Apply { input, reply }).await.ok()?;
        answer.recv().await.ok()
    }

    async fn look<T, F>(&self, look: F) -> T
    where
        T: Default + Send + 'static,
        F: FnOnce(&ConnManager) -> T + Send + 'static,
    {
        let (seen, answer) = bounded(1);
        // That nobody waits for it any more is no error.
        let look = Request::Look(Box::new(move |manager| drop(seen.try_send(look(manager)))));
        match self.requests.send(look).await {
            Ok(()) => answer.recv().await.unwrap_or_default(),
            Err(_) => T::default(),
        }
    }
}
