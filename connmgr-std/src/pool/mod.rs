//! A pool that is kept by a task of its own, as its application sees it: events come out, and nothing waits for their
//! being taken.
//!
//! ```text
//! Handle ─► requests ┐             ┌────────┐
//!                    ├─► PoolTask ─► Engine ├─► Pool ─► events for the application
//! sockets, timer ────┘             └────────┘
//! ```
//! The [`PoolTask`] takes the [`Engine`](crate::adapter::Engine)'s lock for one turn, in which nothing blocks; the
//! [`Pool`] takes it for one event. So neither waits for the other's pace, and events wait where the manager can still
//! withdraw them. Neither knows a runtime: both are futures on two bells.

mod handle;
mod open;
mod requests;
mod shared;
mod task;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;

use connmgr_core::{Config, Connected, Time};

use self::shared::Shared;
use crate::adapter::guard::Guard;
use crate::adapter::wire::Wire;
use crate::answer::Answer;
use crate::event::{PoolEvent, Problem};
use crate::startup::settings::Settings;

pub use handle::Handle;
pub use open::open_pool;
pub use task::{Next, PoolTask};

/// What an adapter's pool hands out for each connection.
pub trait PoolConnection: Sized {
    /// The runtime's TCP stream.
    type Wire: Wire;
    /// What puts a pool of such connections together.
    type Builder;

    /// Begins to put a pool together.
    fn builder(settings: Settings) -> Self::Builder;

    /// A connection that is open, for the application.
    fn open(info: Connected, guard: Guard<Self::Wire>) -> Self;
}

/// A pool of live connections, kept by a task of its own. `C` is the connection of an adapter, which names this type
/// without it: `connmgr_tokio::Pool`, `connmgr_smol::Pool`.
///
/// Dropping it shuts the pool down without waiting: connections are closed and the state is saved, as long as the
/// runtime lives. [`Pool::shutdown`] waits for that.
pub struct Pool<C: PoolConnection> {
    shared: Arc<Shared<Guard<C::Wire>>>,
    handle: Handle,
    local_addrs: Vec<SocketAddr>,
    /// The end of the task; none once it has been seen.
    ended: Option<Answer<thread::Result<()>>>,
}

impl<C: PoolConnection> Pool<C> {
    /// Begins to build a pool.
    pub fn builder(config: Config) -> C::Builder {
        C::builder(Settings::new(config))
    }

    /// The next event; none when the pool has stopped, everything is saved, and all events are taken.
    ///
    /// It may be dropped at any time without losing an event. How slowly it is called delays nothing but the events:
    /// as many wait as the
    /// builder's `max_waiting_events` says, and what gives way then is said there.
    ///
    /// # Panics
    /// When the driver's task has panicked, with its panic: that is a fault of the adapter.
    pub async fn next(&mut self) -> Option<PoolEvent<C>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Commands and views, for this task and others.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The time by which it counts, as [`Handle::now`] tells it too.
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

    /// Where it listens, in the order in which the builder was told.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.local_addrs
    }

    /// Shuts down: closes every connection, gives up every dial, saves the state, flushes the trace. Returns what went
    /// wrong around the pool and was not taken as an event.
    ///
    /// It waits for the disk at most 10 s, and for no peer. Dropped, it shuts down all the same.
    ///
    /// # Panics
    /// When the driver's task has panicked, with its panic: that is a fault of the adapter.
    pub async fn shutdown(mut self) -> Vec<Problem> {
        self.abandon();
        if let Some(ended) = self.ended.take() {
            pass_on_panic(ended.take().await);
        }
        let mut engine = self.shared.engine();
        std::iter::from_fn(|| engine.poll_problem()).collect()
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<PoolEvent<C>>> {
        loop {
            if let Some(event) = self.take() {
                return Poll::Ready(Some(event));
            }
            let Some(ended) = &mut self.ended else { return Poll::Ready(None) };
            if self.shared.news.poll_heard(cx).is_pending() {
                pass_on_panic(ready!(ended.poll_take(cx)));
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

impl<C: PoolConnection> Drop for Pool<C> {
    fn drop(&mut self) {
        self.abandon();
    }
}

fn pass_on_panic(ended: Option<thread::Result<()>>) {
    if let Some(Err(panic)) = ended {
        resume_unwind(panic);
    }
}

impl<C: PoolConnection> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("local_addrs", &self.local_addrs).finish_non_exhaustive()
    }
}
