//! Dials, and lookups through proxies: one task each, which ends when it is given up.
//!
//! The executor is the caller's and hands no task back, so a job listens for the end of its [`Leash`]; and that every
//! job has ended is seen by their letting go of the channel on which they report.

use std::convert::Infallible;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::thread;

use async_channel::{Receiver, Sender, bounded, unbounded};
use futures_lite::FutureExt;

use crate::Spawn;
use crate::wire::Stream;

/// What came of a job.
pub(crate) type Job = connmgr_std::Job<Stream>;

/// What a job has to say at its end, unless it was given up: its result, or its panic.
pub(crate) type Finished = thread::Result<Job>;

/// Dropped, it ends its job, wherever that is.
#[derive(Debug)]
pub(crate) struct Leash {
    _held: Sender<Infallible>,
}

/// Starts jobs.
pub(crate) struct Jobs {
    spawner: Arc<dyn Spawn>,
    /// Held by every job until it has ended.
    finished: Sender<Finished>,
}

impl Jobs {
    /// What starts jobs, and where they report. The channel is closed when this is dropped and every job has ended.
    pub(crate) fn new(spawner: Arc<dyn Spawn>) -> (Self, Receiver<Finished>) {
        let (finished, reports) = unbounded();
        (Self { spawner, finished }, reports)
    }

    /// Starts one.
    pub(crate) fn start(&self, work: impl Future<Output = Job> + Send + 'static) -> Leash {
        let (leash, let_go) = bounded(1);
        let finished = self.finished.clone();
        self.spawner.spawn(Box::pin(async move {
            let given_up = async {
                // Nothing is ever sent.
                let _ = let_go.recv().await;
                None
            };
            let work = async { Some(AssertUnwindSafe(work).catch_unwind().await) };
            if let Some(report) = given_up.or(work).await {
                // The pool may have ended.
                let _ = finished.try_send(report);
            }
        }));
        Leash { _held: leash }
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}
