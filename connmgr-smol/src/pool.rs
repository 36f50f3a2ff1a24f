//! The pool, as its application sees it: events come out, and nothing waits for their being taken.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use async_channel::{Receiver, RecvError, Sender};
use connmgr_core::Config;
use connmgr_std::Problem;
use futures_lite::FutureExt;

use crate::PoolEvent;
use crate::builder::Builder;
use crate::handle::Handle;
use crate::shared::Shared;

/// How the driver task ended; it hangs up without a word when its executor drops it.
pub(crate) type Ended = thread::Result<()>;

/// A pool of live connections, kept by a task of its own.
///
/// Dropping it shuts the pool down without waiting: connections are closed and the state is saved, as long as the
/// executor lives. [`Pool::shutdown`] waits for that.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    handle: Handle,
    local_addrs: Vec<SocketAddr>,
    /// Dropped, it tells the driver task that the pool is gone.
    lifeline: Sender<Infallible>,
    /// The end of the driver task; none once it has been seen.
    ended: Option<Receiver<Ended>>,
}

impl Pool {
    /// Begins to build a pool.
    pub fn builder(config: Config) -> Builder {
        Builder::new(config)
    }

    pub(crate) const fn new(
        shared: Arc<Shared>,
        handle: Handle,
        local_addrs: Vec<SocketAddr>,
        lifeline: Sender<Infallible>,
        ended: Receiver<Ended>,
    ) -> Self {
        Self { shared, handle, local_addrs, lifeline, ended: Some(ended) }
    }

    /// The next event; none when the pool has stopped, everything is saved, and all events are taken.
    ///
    /// It may be dropped at any time without losing an event. How slowly it is called delays nothing but the events:
    /// up to `max_waiting_events` wait, and what gives way then is said at
    /// [`Driver`](connmgr_core::driver::Driver).
    ///
    /// # Panics
    /// When the driver task has panicked, with its panic: that is a fault of this crate.
    pub async fn next(&mut self) -> Option<PoolEvent> {
        loop {
            if let Some(event) = self.shared.take() {
                return Some(event);
            }
            let ended = self.ended.as_ref()?;
            let news = async {
                self.shared.news().await;
                None
            };
            if let Some(ended) = news.or(async { Some(ended.recv().await) }).await {
                self.ended = None;
                pass_on_panic(ended);
            }
        }
    }

    /// Commands and views, for this task and others.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
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
    /// When the driver task has panicked, with its panic: that is a fault of this crate.
    pub async fn shutdown(self) -> Vec<Problem> {
        let Self { shared, lifeline, ended, .. } = self;
        drop(lifeline);
        if let Some(ended) = ended {
            pass_on_panic(ended.recv().await);
        }
        shared.take_problems()
    }
}

/// A driver task that was dropped died with its executor, which is no fault.
fn pass_on_panic(ended: Result<Ended, RecvError>) {
    if let Ok(Err(panic)) = ended {
        resume_unwind(panic);
    }
}
