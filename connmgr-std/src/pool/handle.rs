//! Commands and views of a pool that a task runs.
//!
//! A command is sent to the pool's task, which sends the answer back. That task never waits for the application, so a
//! command may be awaited anywhere, also in the task that takes the events. Once sent, a command is carried out even if
//! its future is dropped.

use std::time::Duration;

use connmgr_core::{
    AddPeerError, AddedPeer, AddressCounts, AddressInfo, Backoff, BanTarget, BanView, CommandError, ConnId,
    ConnManager, ConnView, Explanation, Host, Input, Limits, NetworkKind, PeerAddress, PeerId, PeerView, Reply, Source,
    Stats, Time,
};

use futures_channel::oneshot;

use super::requests::{Request, Requests};
use crate::adapter::commands::{NotACommand, refusal};
use crate::clock::Clock;

/// Commands and views of a [`Pool`](crate::Pool). Cheap to clone. It does not keep the pool alive.
///
/// When the pool is gone, every command is refused with `ShuttingDown`, and every view is empty.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: Requests,
    clock: Clock,
}

impl Handle {
    pub(super) const fn new(requests: Requests, clock: Clock) -> Self {
        Self { requests, clock }
    }

    crate::command_methods!(async);

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
    /// # async fn example(handle: connmgr_std::Handle) -> Result<(), Box<dyn std::error::Error>> {
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

    /// Counters since the start; all zero when the pool is gone.
    pub async fn stats(&self) -> Stats {
        self.look(ConnManager::stats).await
    }

    /// The pool's monotonic time, which counts from its start. To be compared with [`ConnView::since`],
    /// [`PeerView::next_retry`] and [`PoolEvent::RetryScheduled`](crate::PoolEvent::RetryScheduled). It goes on when
    /// the pool is gone.
    ///
    /// ```
    /// # async fn example(handle: connmgr_std::Handle) {
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
