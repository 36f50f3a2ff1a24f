//! What tokio does for a pool.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Instant;

use connmgr_core::LookupError;
use connmgr_std::adapter::{Job, Lookup, PoolRuntime};
use tokio::net::TcpListener;
use tokio::task::coop::consume_budget;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Sleep, sleep_until, timeout_at};

use crate::wire::TokioStream;

/// tokio, for one pool.
#[derive(Debug)]
pub(crate) struct TokioRuntime {
    /// Dials, and lookups through proxies: one task each.
    jobs: JoinSet<Job<TokioStream>>,
    timer: Pin<Box<Sleep>>,
}

/// A job. Dropping it aborts the job.
#[derive(Debug)]
pub(crate) struct JobHandle(AbortHandle);

impl Drop for JobHandle {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TokioRuntime {
    pub(crate) fn new() -> Self {
        Self { jobs: JoinSet::new(), timer: Box::pin(unset()) }
    }
}

impl PoolRuntime for TokioRuntime {
    type Wire = TokioStream;
    type Listener = TcpListener;
    type Handle = JobHandle;

    fn listen(socket: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(socket)
    }

    fn poll_accept(listener: &mut TcpListener, cx: &mut Context<'_>) -> Poll<io::Result<(TokioStream, SocketAddr)>> {
        listener.poll_accept(cx).map_ok(|(stream, remote)| (TokioStream(stream), remote))
    }

    fn spawn(&mut self, job: impl Future<Output = Job<TokioStream>> + Send + 'static) -> JobHandle {
        JobHandle(self.jobs.spawn(job))
    }

    fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<thread::Result<Job<TokioStream>>> {
        loop {
            match ready!(self.jobs.poll_join_next(cx)) {
                Some(Ok(job)) => return Poll::Ready(Ok(job)),
                // One that was aborted is not reported.
                Some(Err(error)) => {
                    if let Ok(panic) = error.try_into_panic() {
                        return Poll::Ready(Err(panic));
                    }
                }
                // The next one is spawned by the task that polls this.
                None => return Poll::Pending,
            }
        }
    }

    fn set_timer(&mut self, at: Option<Instant>) {
        match at {
            Some(at) => self.timer.as_mut().reset(at.into()),
            // The former time would wake the task for nothing.
            None => self.timer.set(unset()),
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().poll(cx)
    }

    async fn until(deadline: Instant, lookup: impl Future<Output = Lookup> + Send) -> Lookup {
        timeout_at(deadline.into(), lookup).await.unwrap_or(Err(LookupError::TimedOut))
    }

    async fn pause(&mut self) {
        consume_budget().await;
    }

    async fn end(mut self) {
        self.jobs.shutdown().await;
    }
}

/// A timer that wakes nobody until it is reset.
fn unset() -> Sleep {
    sleep_until(tokio::time::Instant::now())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use tokio::time::{sleep, timeout};

    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn the_timer_is_ready_at_its_time_and_not_before() {
        let mut runtime = TokioRuntime::new();
        for wait in [20, 5, 0] {
            let at = Instant::now() + Duration::from_millis(wait);
            runtime.set_timer(Some(at));
            poll_fn(|cx| runtime.poll_timer(cx)).await;
            assert!(Instant::now() >= at);
        }
    }

    #[tokio::test]
    async fn a_timer_that_is_set_anew_forgets_its_former_time() {
        let mut runtime = TokioRuntime::new();
        runtime.set_timer(Some(Instant::now() + Duration::from_secs(3600)));
        runtime.set_timer(Some(Instant::now() + MOMENT));
        poll_fn(|cx| runtime.poll_timer(cx)).await;
        runtime.set_timer(Some(Instant::now() + MOMENT));
        runtime.set_timer(Some(Instant::now() + Duration::from_secs(3600)));
        assert!(timeout(2 * MOMENT, poll_fn(|cx| runtime.poll_timer(cx))).await.is_err());
    }

    #[tokio::test]
    async fn nobody_is_woken_by_a_timer_that_was_unset() {
        let (mut runtime, woken) = (TokioRuntime::new(), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&woken));
        for wakes in [1, 0] {
            runtime.set_timer(Some(Instant::now() + MOMENT));
            assert!(runtime.poll_timer(&mut Context::from_waker(&waker)).is_pending());
            if wakes == 0 {
                runtime.set_timer(None);
            }
            sleep(2 * MOMENT).await;
            assert_eq!(woken.0.swap(0, Ordering::SeqCst), wakes);
        }
    }

    #[tokio::test]
    async fn a_lookup_ends_at_its_deadline() {
        let lookup = TokioRuntime::until(Instant::now() + MOMENT, std::future::pending());
        assert_eq!(lookup.await, Err(LookupError::TimedOut));
    }

    #[tokio::test]
    async fn a_job_whose_handle_is_dropped_is_aborted_and_not_reported() {
        let (mut runtime, held) = (TokioRuntime::new(), Arc::new(()));
        let holds = Arc::clone(&held);
        drop(runtime.spawn(async move {
            let _holds = holds;
            std::future::pending().await
        }));
        assert!(timeout(MOMENT, poll_fn(|cx| runtime.poll_job(cx))).await.is_err());
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test]
    async fn a_job_that_panics_reports_its_panic() {
        let mut runtime = TokioRuntime::new();
        let _job = runtime.spawn(async { panic!("a fault of ours") });
        assert!(poll_fn(|cx| runtime.poll_job(cx)).await.is_err());
    }
}
