//! Commands and views of a pool that a task runs.
//!
//! A command is sent to the pool's task, which sends the answer back. That task never waits for the application, so a
//! command may be awaited anywhere, also in the task that takes the events. Once sent, a command is carried out even if
//! its future is dropped; `connect` alone is given up.

use std::fmt;
use std::time::Duration;

use connmgr_core::{
    AddPeerError, AddedPeer, AddressCounts, AddressInfo, Backoff, BanTarget, BanView, BookCounts, CommandError, ConnId,
    ConnManager, ConnView, Explanation, Host, Input, Limits, NetworkKind, PeerAddress, PeerId, PeerView, Reply, Source,
    Stats, Time,
};

use futures_channel::oneshot;

use super::PoolConnection;
use super::requests::{Request, Requests};
use crate::adapter::commands::{NotACommand, refusal};
use crate::adapter::guard::Guard;
use crate::clock::Clock;
use crate::connect_error::ConnectError;

/// Commands and views of a [`Pool`](crate::Pool). Cheap to clone. It does not keep the pool alive.
///
/// When the pool is gone, every command is refused with `ShuttingDown`, and every view is empty.
/// `C` is an adapter's connection; each adapter has an alias for its handle.
pub struct Handle<C: PoolConnection> {
    requests: Requests<Guard<C::Wire>>,
    clock: Clock,
}

impl<C: PoolConnection> Handle<C> {
    pub(super) const fn new(requests: Requests<Guard<C::Wire>>, clock: Clock) -> Self {
        Self { requests, clock }
    }

    crate::command_methods!(async);

    /// Dials a peer once, now, and returns its connection as soon as it is open, for the handshake. The connection is no
    /// [`PoolEvent::Connected`](crate::PoolEvent::Connected), but its end is an event, as is every dial that fails
    /// meanwhile.
    ///
    /// The peer is an added one with [`Keep::Once`](connmgr_core::Keep::Once), whatever its description says, so it may
    /// have a name, several addresses, an identity or a tag, and limits, bans and proxies apply. It waits for nothing:
    /// where it can't be dialed now, that is the error. Once its connection has ended it is not dialed again. A
    /// connection that the pool has to one of its addresses becomes the peer's; it is returned if it was not taken as
    /// an event yet. That of a peer which is added already stays that peer's, and is the error
    /// ([`AlreadyConnected`](ConnectError::AlreadyConnected)).
    ///
    /// Dropping the future gives up the dial, or the connection.
    ///
    /// ```
    /// # use connmgr_std::adapter::PoolConnection;
    /// # async fn example<C: PoolConnection>(handle: connmgr_std::Handle<C>) -> Result<C, Box<dyn std::error::Error>> {
    /// let connection = handle.connect("node.example:8333".parse::<connmgr_core::PeerAddress>()?).await?;
    /// # Ok(connection)
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ConnectError`] says why there is no connection.
    pub async fn connect(&self, peer: impl Into<AddedPeer>) -> Result<C, ConnectError> {
        let peer = peer.into();
        let mut given_up = GivenUp { requests: Some(&self.requests) };
        let (caller, outcome) = oneshot::channel();
        self.requests.push(Request::Connect { peer, caller }).await;
        let outcome = outcome.await;
        given_up.requests = None;
        let (info, guard) = outcome.unwrap_or(Err(ConnectError::ShuttingDown))?;
        Ok(C::open(info, guard))
    }

    /// Gives a command as data. Every other method that gives one is a shorthand for this.
    ///
    /// # Errors
    /// [`NotACommand`] for an [`Input`] of which [`Input::is_command`] is false. What the manager itself refuses is in
    /// the [`Reply`].
    pub async fn ask(&self, command: Input) -> Result<Reply, NotACommand> {
        NotACommand::check(&command)?;
        Ok(self.apply(command).await)
    }

    /// Every connection and dial, by id.
    pub async fn connections(&self) -> Vec<ConnView> {
        self.look(ConnManager::connections).await
    }

    /// Every added peer, by id.
    pub async fn added_peers(&self) -> Vec<PeerView> {
        self.look(ConnManager::added_peers).await
    }

    /// Every ban, the earliest end first.
    pub async fn bans(&self) -> Vec<BanView> {
        self.look(ConnManager::bans).await
    }

    /// What is known of an address, whether it may be dialed now, and if not, which rules forbid it and until when; `None`
    /// when the pool is gone.
    ///
    /// ```
    /// # async fn example<C: connmgr_std::adapter::PoolConnection>(handle: connmgr_std::Handle<C>) -> Result<(), Box<dyn std::error::Error>> {
    /// if let Some(explanation) = handle.explain("192.0.2.1:8333".parse()?).await {
    ///     println!("{explanation}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn explain(&self, address: PeerAddress) -> Option<Explanation> {
        let now = self.now();
        self.look(move |manager| Some(manager.explain(&address, now))).await
    }

    /// How many addresses the book knows, by table and network; none when the pool is gone.
    pub async fn book_counts(&self) -> BookCounts {
        self.look(|manager| manager.book().counts()).await
    }

    /// Counters since the start; all zero when the pool is gone.
    pub async fn stats(&self) -> Stats {
        self.look(ConnManager::stats).await
    }

    /// The pool's monotonic time, which counts from its start. To be compared with [`ConnView::since`],
    /// [`PeerView::next_retry`] and [`PoolEvent::RetryScheduled`](crate::PoolEvent::RetryScheduled). It goes on when
    /// the pool is gone.
    ///
    /// ```
    /// # async fn example<C: connmgr_std::adapter::PoolConnection>(handle: connmgr_std::Handle<C>) {
    /// for peer in handle.added_peers().await {
    ///     if let Some(at) = peer.next_retry {
    ///         println!("{} is dialed again in {:?}", peer.peer, at.since(handle.now()));
    ///     }
    /// }
    /// # }
    /// ```
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Applies an input, or refuses it when the pool is gone.
    async fn apply(&self, input: Input) -> Reply {
        let refusal = refusal(&input);
        let (reply, answer) = oneshot::channel();
        self.requests.push(Request::Apply { input, reply }).await;
        answer.await.unwrap_or(refusal)
    }

    async fn look<T, F>(&self, look: F) -> T
    where
        T: Default + Send + 'static,
        F: FnOnce(&ConnManager) -> T + Send + 'static,
    {
        let (view, answer) = oneshot::channel();
        // A caller that gave up waiting needs no answer.
        let show = move |manager: &ConnManager| drop(view.send(look(manager)));
        self.requests.push(Request::View(Box::new(show))).await;
        answer.await.unwrap_or_default()
    }
}

/// Wakes the pool's task when the future of a [`Handle::connect`] is dropped, so that it gives up the dial. Dropped after
/// the end of the channel that it tells of.
struct GivenUp<'a, S> {
    requests: Option<&'a Requests<S>>,
}

impl<S> Drop for GivenUp<'_, S> {
    fn drop(&mut self) {
        if let Some(requests) = self.requests {
            requests.ring();
        }
    }
}

impl<C: PoolConnection> Clone for Handle<C> {
    fn clone(&self) -> Self {
        Self { requests: self.requests.clone(), clock: self.clock.clone() }
    }
}

impl<C: PoolConnection> fmt::Debug for Handle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("requests", &self.requests).finish_non_exhaustive()
    }
}
