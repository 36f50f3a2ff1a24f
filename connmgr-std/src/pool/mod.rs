//! A pool run by a task of its own, for runtimes with futures: the application's side.
//!
//! ```text
//! Handle ─► requests ┐             ┌────────┐
//!                    ├─► PoolLoop ─► Engine ├─► Pool ─► events for the application
//! sockets, timer ────┘             └────────┘
//! ```
//! The task locks the [`Engine`](crate::adapter::Engine) for one turn, in which nothing blocks; the [`Pool`] locks it
//! to take one event. So a slow application delays nothing but its events, which wait in the driver, where the manager
//! can still withdraw them.

mod handle;
mod open;
mod requests;
mod run;
mod shared;
mod sockets;
mod task;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;

use connmgr_core::{Config, Connected, Time};
use futures_channel::oneshot::{self, Canceled};

use self::shared::SharedEngine;
use crate::adapter::guard::Guard;
use crate::adapter::wire::Wire;
use crate::event::{PoolEvent, Problem};
use crate::startup::settings::Settings;

pub use handle::Handle;
pub use open::open_pool;

/// An adapter's connection, as its pool hands it out.
pub trait PoolConnection: Sized {
    /// The runtime's TCP stream.
    type Wire: Wire;
    /// The builder of a pool of such connections.
    type Builder;

    /// Begins to build a pool.
    fn builder(settings: Settings) -> Self::Builder;

    /// Makes the connection of an open stream.
    fn open(info: Connected, guard: Guard<Self::Wire>) -> Self;
}

/// A pool of live connections, run by a task of its own. `C` is an adapter's connection. Each adapter has an alias for
/// its pool: `connmgr_tokio::Pool`, `connmgr_smol::Pool`.
///
/// Dropping it shuts the pool down without waiting: connections are closed and the state is saved, as long as the
/// runtime lives. [`Pool::shutdown`] waits for that.
#[must_use = "dropped, it shuts down"]
pub struct Pool<C: PoolConnection> {
    shared: Arc<SharedEngine<Guard<C::Wire>>>,
    handle: Handle<C>,
    local_addrs: Vec<SocketAddr>,
    /// Receives the end of the task; none once it was received.
    ended: Option<oneshot::Receiver<thread::Result<()>>>,
}

impl<C: PoolConnection> Pool<C> {
    /// Begins to build a pool.
    pub fn builder(config: Config) -> C::Builder {
        C::builder(Settings::new(config))
    }

    /// The next event; none when the pool has stopped, its state is saved, and all events are taken.
    ///
    /// The future may be dropped at any time without losing an event. An application that takes events slowly delays
    /// nothing but the events. How many wait, and which are dropped then, is said at the builder's
    /// `max_waiting_events`.
    ///
    /// # Panics
    /// With the panic of the pool's task, which is a fault of this library.
    pub async fn next(&mut self) -> Option<PoolEvent<C>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// Commands and views, for this task and others.
    pub fn handle(&self) -> Handle<C> {
        self.handle.clone()
    }

    /// The pool's monotonic time, as [`Handle::now`].
    ///
    /// ```
    /// use connmgr_std::adapter::PoolConnection;
    /// use connmgr_std::{Pool, PoolEvent};
    ///
    /// async fn tell<C: PoolConnection>(mut pool: Pool<C>) {
    ///     while let Some(event) = pool.next().await {
    ///         if let PoolEvent::RetryScheduled { peer, at, .. } = event {
    ///             println!("{peer} is dialed again in {:?}", at.since(pool.now()));
    ///         }
    ///     }
    /// }
    /// ```
    pub fn now(&self) -> Time {
        self.handle.now()
    }

    /// The addresses it listens on, in the order of the builder's.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// Shuts down: closes every connection, gives up every dial, saves the state, flushes the trace. Returns the
    /// problems that were not taken as events; other events are lost. To have them, call [`Handle::shutdown`], from any task,
    /// and take [`Pool::next`] until it is none.
    ///
    /// It waits for the disk at most 10 s, and for no peer. The pool shuts down even if the future is dropped.
    ///
    /// # Panics
    /// With the panic of the pool's task, which is a fault of this library.
    pub async fn shutdown(mut self) -> Vec<Problem> {
        self.abandon();
        if let Some(ended) = self.ended.take() {
            pass_on_panic(ended.await);
        }
        let mut engine = self.shared.engine();
        std::iter::from_fn(|| engine.poll_problem()).collect()
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<PoolEvent<C>>> {
        loop {
            if let Some(event) = self.take() {
                return Poll::Ready(Some(event));
            }
            let Some(ended) = &mut self.ended else { return Poll::Ready(None) };
            if self.shared.news.poll_heard(cx).is_pending() {
                pass_on_panic(ready!(Pin::new(ended).poll(cx)));
                self.ended = None;
            }
        }
    }

    fn take(&self) -> Option<PoolEvent<C>> {
        let mut engine = self.shared.engine();
        if let Some(problem) = engine.poll_problem() {
            return Some(PoolEvent::Problem(problem));
        }
        let event = engine.poll_event()?;
        drop(engine);
        Some(PoolEvent::from_driver(event, C::open))
    }

    fn abandon(&self) {
        let notes = self.shared.engine().notes();
        notes.abandon();
    }
}

/// Its events, as [`Pool::next`] gives them.
#[cfg(feature = "stream")]
impl<C: PoolConnection> futures_core::Stream for Pool<C> {
    type Item = PoolEvent<C>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<PoolEvent<C>>> {
        self.get_mut().poll_event(cx)
    }
}

impl<C: PoolConnection> Drop for Pool<C> {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// A task that its runtime dropped has ended without a result.
fn pass_on_panic(ended: Result<thread::Result<()>, Canceled>) {
    if let Ok(Err(panic)) = ended {
        resume_unwind(panic);
    }
}

impl<C: PoolConnection> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("local_addrs", &self.local_addrs).finish_non_exhaustive()
    }
}
