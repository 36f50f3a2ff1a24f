//! The pool, as its application sees it: events come out, and nothing waits for their being taken.

use std::net::SocketAddr;

use connmgr_core::{Config, Time};
use connmgr_std::kept::Front;
use connmgr_std::{Guard, Handle, Problem};

use crate::builder::Builder;
use crate::wire::Stream;
use crate::{Connection, PoolEvent};

/// A pool of live connections, kept by a task of its own.
///
/// Dropping it shuts the pool down without waiting: connections are closed and the state is saved, as long as the
/// executor lives. [`Pool::shutdown`] waits for that.
#[derive(Debug)]
pub struct Pool {
    front: Front<Guard<Stream>>,
    local_addrs: Vec<SocketAddr>,
}

impl Pool {
    /// Begins to build a pool.
    pub fn builder(config: Config) -> Builder {
        Builder::new(config)
    }

    pub(crate) const fn new(front: Front<Guard<Stream>>, local_addrs: Vec<SocketAddr>) -> Self {
        Self { front, local_addrs }
    }

    /// The next event; none when the pool has stopped, everything is saved, and all events are taken.
    ///
    /// It may be dropped at any time without losing an event. How slowly it is called delays nothing but the events:
    /// up to `max_waiting_events` wait, and what gives way then is said at
    /// [`Driver`](connmgr_core::driver::Driver).
    ///
    /// # Panics
    /// When the driver's task has panicked, with its panic: that is a fault of this crate.
    pub async fn next(&mut self) -> Option<PoolEvent> {
        self.front.next(Connection::new).await
    }

    /// Commands and views, for this task and others.
    pub fn handle(&self) -> Handle {
        self.front.handle()
    }

    /// The time by which it counts, as [`Handle::now`] tells it too.
    ///
    /// ```
    /// use connmgr_smol::{Pool, PoolEvent};
    ///
    /// async fn tell(mut pool: Pool) {
    ///     while let Some(event) = pool.next().await {
    ///         if let PoolEvent::RetryScheduled { peer, at, .. } = event {
    ///             println!("{peer} is dialed again in {:?}", at.since(pool.now()));
    ///         }
    ///     }
    /// }
    /// ```
    pub fn now(&self) -> Time {
        self.front.now()
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
    /// When the driver's task has panicked, with its panic: that is a fault of this crate.
    pub async fn shutdown(self) -> Vec<Problem> {
        self.front.shutdown().await
    }
}
