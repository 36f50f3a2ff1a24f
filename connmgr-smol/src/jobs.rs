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
pub(crate) type Job = connmgr_std::adapter::Job<Stream>;

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
        self.spawner.spawn(Box::pin(Leashed { work: Some(work), hold, finished: Some(finished) }));
        leash
    }
}

pin_project! {
    /// A job that ends with its leash, and holds nothing from then on, however long the executor keeps it. Not an
    /// `async` block, which would have room for the work twice.
    struct Leashed<F> {
        #[pin]
        work: Option<F>,
        hold: Arc<Mutex<Hold>>,
        finished: Option<Sender<Finished>>,
    }
}

impl<F: Future<Output = Job>> Future for Leashed<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let report = match (poll_dropped(this.hold, cx), this.work.as_mut().as_pin_mut()) {
            (Poll::Pending, Some(work)) => match catch_unwind(AssertUnwindSafe(|| work.poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(job)) => Some(Ok(job)),
                Err(panic) => Some(Err(panic)),
            },
            (Poll::Ready(()), _) | (Poll::Pending, None) => None,
        };
        this.work.set(None);
        if let (Some(finished), Some(report)) = (this.finished.take(), report) {
            // The pool may have ended.
            let _ = finished.try_send(report);
        }
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

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use async_channel::TryRecvError;
    use connmgr_core::{ConnId, DialError};

    use super::*;
    use crate::BoxFuture;

    /// An executor that keeps what has ended.
    #[derive(Clone, Default)]
    struct Hoarder(Arc<Mutex<Vec<BoxFuture>>>);

    impl Hoarder {
        fn start(&self, work: impl Future<Output = Job> + Send + 'static) -> (Leash, Receiver<Finished>) {
            let tasks = self.clone();
            let (jobs, reports) = Jobs::new(Arc::new(move |task: BoxFuture| tasks.0.lock().unwrap().push(task)));
            (jobs.start(work), reports)
        }

        fn poll(&self, waker: &Waker) -> Poll<()> {
            let mut tasks = self.0.lock().unwrap();
            tasks.iter_mut().map(|task| task.as_mut().poll(&mut Context::from_waker(waker))).next_back().unwrap()
        }
    }

    fn job() -> Job {
        Job::Dialed(ConnId::from_u64(7), Err(DialError::Refused))
    }

    #[test]
    fn a_job_that_has_ended_reports_once_and_lets_go() {
        let tasks = Hoarder::default();
        let (_leash, reports) = tasks.start(ready(job()));
        for _ in 0..2 {
            assert_eq!(tasks.poll(Waker::noop()), Poll::Ready(()));
        }
        assert!(matches!(reports.try_recv(), Ok(Ok(Job::Dialed(..)))));
        assert!(matches!(reports.try_recv(), Err(TryRecvError::Closed)));
    }

    #[test]
    fn a_job_whose_leash_is_dropped_ends_without_a_word() {
        let (tasks, held) = (Hoarder::default(), Arc::new(()));
        let holds = Arc::clone(&held);
        let (leash, reports) = tasks.start(async move {
            pending::<()>().await;
            drop(holds);
            job()
        });
        assert!(tasks.poll(Waker::noop()).is_pending());
        drop(leash);
        assert_eq!(tasks.poll(Waker::noop()), Poll::Ready(()));
        assert_eq!(Arc::strong_count(&held), 1);
        assert!(matches!(reports.try_recv(), Err(TryRecvError::Closed)));
    }

    #[test]
    fn a_job_that_panics_reports_its_panic() {
        let tasks = Hoarder::default();
        let (_leash, reports) = tasks.start(async { panic!("a fault of ours") });
        assert_eq!(tasks.poll(Waker::noop()), Poll::Ready(()));
        assert!(matches!(reports.try_recv(), Ok(Err(_))));
    }

    /// There may be thousands at a time.
    #[test]
    fn a_direct_dial_is_small() {
        let dial = connmgr_std::adapter::dial::<Stream>(([127, 0, 0, 1], 1).into());
        assert!(size_of_val(&dial) <= 512, "{} bytes", size_of_val(&dial));
    }
}
