//! Dials, and lookups through proxies: one task each, which ends when it is given up.
//!
//! The executor is the caller's and hands no task back, so a job looks whether its [`Leash`] is still held; and that
//! every job has ended is seen by their letting go of the channel on which they report.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use async_channel::{Receiver, Sender, unbounded};
use pin_project_lite::pin_project;

use crate::Spawn;
use crate::wire::Stream;

/// What came of a job.
pub(crate) type Job = connmgr_std::Job<Stream>;

/// What a job has to say at its end, unless it was given up: its result, or its panic.
pub(crate) type Finished = thread::Result<Job>;

/// Dropped, it ends its job, wherever that is.
#[derive(Debug)]
pub(crate) struct Leash(Arc<Mutex<Hold>>);

/// What a job and its leash share.
#[derive(Debug, Default)]
enum Hold {
    /// The leash is held, and the job has not waited yet.
    #[default]
    Held,
    /// The leash is held, and the job waits.
    Waited(Waker),
    /// The job is given up.
    Dropped,
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
        let leash = Leash(Arc::default());
        let (hold, finished) = (Arc::clone(&leash.0), self.finished.clone());
        self.spawner.spawn(Box::pin(Leashed { work, hold, finished }));
        leash
    }
}

pin_project! {
    /// A job that ends with its leash. Not an `async` block, which would keep room for the work twice.
    struct Leashed<F> {
        #[pin]
        work: F,
        hold: Arc<Mutex<Hold>>,
        finished: Sender<Finished>,
    }
}

impl<F: Future<Output = Job>> Future for Leashed<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if poll_dropped(this.hold, cx).is_ready() {
            return Poll::Ready(());
        }
        let report = match catch_unwind(AssertUnwindSafe(|| this.work.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(job)) => Ok(job),
            Err(panic) => Err(panic),
        };
        // The pool may have ended.
        let _ = this.finished.try_send(report);
        Poll::Ready(())
    }
}

/// Ready when the leash was dropped.
fn poll_dropped(hold: &Mutex<Hold>, cx: &Context<'_>) -> Poll<()> {
    let mut hold = lock(hold);
    match &mut *hold {
        Hold::Dropped => return Poll::Ready(()),
        Hold::Waited(waker) => waker.clone_from(cx.waker()),
        Hold::Held => *hold = Hold::Waited(cx.waker().clone()),
    }
    Poll::Pending
}

impl Drop for Leash {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut *lock(&self.0), Hold::Dropped);
        match before {
            // Without the lock: it may run, or drop, the job at once.
            Hold::Waited(waker) => waker.wake(),
            Hold::Held | Hold::Dropped => {}
        }
    }
}

/// Nothing that is done under the lock can panic half way.
fn lock(hold: &Mutex<Hold>) -> MutexGuard<'_, Hold> {
    hold.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}
