//! Dials, and lookups through proxies: one task each, which ends when it is aborted.
//!
//! The caller's executor returns no handle of a task. So a job ends itself when its [`Leash`] is dropped. The channel
//! on which jobs report closes when the last of them has ended.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use async_channel::{Receiver, Sender, unbounded};
use connmgr_std::adapter::Job;
use futures_channel::oneshot;
use pin_project_lite::pin_project;

use crate::Spawn;
use crate::wire::SmolStream;

/// How a job ended that was not aborted: its result, or its panic.
pub(crate) type JobEnd = thread::Result<Job<SmolStream>>;

/// Dropping it aborts its job.
#[derive(Debug)]
pub(crate) struct Leash(#[expect(dead_code, reason = "dropped, not read")] oneshot::Sender<()>);

/// Starts jobs.
pub(crate) struct Jobs {
    spawner: Arc<dyn Spawn>,
    /// Every job holds a clone until it has ended.
    reports: Sender<JobEnd>,
}

impl Jobs {
    /// Also the channel on which jobs report. It closes when this is dropped and every job has ended.
    pub(crate) fn new(spawner: Arc<dyn Spawn>) -> (Self, Receiver<JobEnd>) {
        let (reports, ended) = unbounded();
        (Self { spawner, reports }, ended)
    }

    pub(crate) fn start(&self, work: impl Future<Output = Job<SmolStream>> + Send + 'static) -> Leash {
        let (leash, aborted) = oneshot::channel();
        self.spawner.spawn(Box::pin(LeashedJob { work: Some(work), aborted, reports: Some(self.reports.clone()) }));
        Leash(leash)
    }
}

pin_project! {
    /// A job that ends with its leash. Once it has ended it holds no resources, however long the executor keeps it.
    // Not an `async` block, which would be twice as large.
    struct LeashedJob<F> {
        #[pin]
        work: Option<F>,
        aborted: oneshot::Receiver<()>,
        reports: Option<Sender<JobEnd>>,
    }
}

impl<F: Future<Output = Job<SmolStream>>> Future for LeashedJob<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let report = match (Pin::new(this.aborted).poll(cx), this.work.as_mut().as_pin_mut()) {
            (Poll::Pending, Some(work)) => match catch_unwind(AssertUnwindSafe(|| work.poll(cx))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(job)) => Some(Ok(job)),
                Err(panic) => Some(Err(panic)),
            },
            (Poll::Ready(_), _) | (Poll::Pending, None) => None,
        };
        this.work.set(None);
        if let (Some(reports), Some(report)) = (this.reports.take(), report) {
            // The pool may have ended.
            let _ = reports.try_send(report);
        }
        Poll::Ready(())
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Mutex;
    use std::task::Waker;

    use async_channel::TryRecvError;
    use connmgr_core::{ConnId, DialError};

    use super::*;
    use crate::BoxFuture;

    /// An executor that keeps what has ended.
    #[derive(Clone, Default)]
    struct Hoarder(Arc<Mutex<Vec<BoxFuture>>>);

    impl Hoarder {
        fn start(&self, work: impl Future<Output = Job<SmolStream>> + Send + 'static) -> (Leash, Receiver<JobEnd>) {
            let tasks = self.clone();
            let (jobs, reports) = Jobs::new(Arc::new(move |task: BoxFuture| tasks.0.lock().unwrap().push(task)));
            (jobs.start(work), reports)
        }

        fn poll(&self, waker: &Waker) -> Poll<()> {
            let mut tasks = self.0.lock().unwrap();
            tasks.iter_mut().map(|task| task.as_mut().poll(&mut Context::from_waker(waker))).next_back().unwrap()
        }
    }

    fn job() -> Job<SmolStream> {
        Job::Dialed(ConnId::from_u64(7), Err(DialError::Refused), None)
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
}
