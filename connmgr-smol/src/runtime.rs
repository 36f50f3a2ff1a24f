//! What async-io, and the caller's executor, do for a pool.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::{Duration, Instant};

use async_channel::Receiver;
use async_io::{Async, Timer};
use connmgr_core::LookupError;
use connmgr_std::adapter::{Job, Lookup, PoolRuntime};
use futures_lite::future::yield_now;
use futures_lite::{FutureExt, Stream as _};

use crate::jobs::{JobEnd, Jobs, Leash};
use crate::spawn::Spawn;
use crate::wire::SmolStream;

/// Wake-ups after which other tasks are let run, when there is always something to do.
const MAX_WAKE_UPS: usize = 128;

/// How long the end may wait for the jobs, all of which were aborted.
const END_WITHIN: Duration = Duration::from_secs(10);

/// async-io and an executor, for one pool.
#[derive(Debug)]
pub(crate) struct SmolRuntime {
    jobs: Jobs,
    /// Boxed, so that a wait needs no allocation.
    ended: Pin<Box<Receiver<JobEnd>>>,
    timer: Timer,
    /// So far.
    wake_ups: usize,
}

/// A socket that listens.
#[derive(Debug)]
pub(crate) struct AsyncListener {
    socket: Async<TcpListener>,
    /// Nobody was there, and async-io wakes the pool's task when that changes.
    waiting: bool,
}

impl SmolRuntime {
    pub(crate) fn new(spawner: Arc<dyn Spawn>) -> Self {
        let (jobs, ended) = Jobs::new(spawner);
        Self { jobs, ended: Box::pin(ended), timer: Timer::never(), wake_ups: 0 }
    }
}

impl PoolRuntime for SmolRuntime {
    type Wire = SmolStream;
    type Listener = AsyncListener;
    type Handle = Leash;

    fn listen(socket: TcpListener) -> io::Result<AsyncListener> {
        Ok(AsyncListener { socket: Async::new_nonblocking(socket)?, waiting: false })
    }

    /// Asks the operating system only when a connection may be there, however often the task wakes.
    fn poll_accept(listener: &mut AsyncListener, cx: &mut Context<'_>) -> Poll<io::Result<(SmolStream, SocketAddr)>> {
        loop {
            if listener.waiting {
                let woken = ready!(listener.socket.poll_readable(cx));
                listener.waiting = false;
                woken?;
            }
            match listener.socket.get_ref().accept() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => listener.waiting = true,
                Err(error) => return Poll::Ready(Err(error)),
                Ok((stream, remote)) => {
                    return Poll::Ready(Async::new(stream).map(|stream| (SmolStream(stream), remote)));
                }
            }
        }
    }

    fn spawn(&mut self, job: impl Future<Output = Job<SmolStream>> + Send + 'static) -> Leash {
        self.jobs.start(job)
    }

    /// The channel is closed only at the end.
    fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<thread::Result<Job<SmolStream>>> {
        match self.ended.as_mut().poll_next(cx) {
            Poll::Ready(Some(ended)) => Poll::Ready(ended),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn set_timer(&mut self, at: Option<Instant>) {
        match at {
            Some(at) => self.timer.set_at(at),
            // The former time would wake the task for nothing.
            None => self.timer = Timer::never(),
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.poll(cx).map(drop)
    }

    async fn until(deadline: Instant, lookup: impl Future<Output = Lookup> + Send) -> Lookup {
        let timeout = async {
            Timer::at(deadline).await;
            Err(LookupError::TimedOut)
        };
        lookup.or(timeout).await
    }

    async fn pause(&mut self) {
        self.wake_ups = self.wake_ups.wrapping_add(1);
        if self.wake_ups % MAX_WAKE_UPS == 0 {
            yield_now().await;
        }
    }

    async fn end(self) {
        let Self { jobs, ended, .. } = self;
        // It holds the channel of the jobs open.
        drop(jobs);
        let all_ended = async { while ended.recv().await.is_ok() {} };
        // An executor that no longer runs its tasks is not waited for.
        let timeout = async {
            Timer::after(END_WITHIN).await;
        };
        all_ended.or(timeout).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::{Ipv4Addr, TcpStream};

    use futures_lite::future::{block_on, poll_once};

    use super::*;
    use crate::BoxFuture;

    const MOMENT: Duration = Duration::from_millis(10);

    fn runtime() -> SmolRuntime {
        SmolRuntime::new(Arc::new(|_: BoxFuture| ()))
    }

    /// Whether the timer is ready before so long is over.
    fn is_ready_within(runtime: &mut SmolRuntime, wait: Duration) -> bool {
        let ready = async {
            poll_fn(|cx| runtime.poll_timer(cx)).await;
            true
        };
        let patience = async {
            Timer::after(wait).await;
            false
        };
        block_on(ready.or(patience))
    }

    #[test]
    fn the_timer_is_ready_at_its_time_and_not_before() {
        let mut runtime = runtime();
        for wait in [20, 5, 0] {
            let at = Instant::now() + Duration::from_millis(wait);
            runtime.set_timer(Some(at));
            assert!(is_ready_within(&mut runtime, Duration::from_secs(20)));
            assert!(Instant::now() >= at);
        }
    }

    #[test]
    fn a_timer_that_is_set_anew_or_unset_forgets_its_former_time() {
        let mut runtime = runtime();
        runtime.set_timer(Some(Instant::now() + Duration::from_secs(3600)));
        runtime.set_timer(Some(Instant::now() + MOMENT));
        assert!(is_ready_within(&mut runtime, Duration::from_secs(20)));
        runtime.set_timer(Some(Instant::now() + MOMENT));
        runtime.set_timer(None);
        assert!(!is_ready_within(&mut runtime, 2 * MOMENT));
    }

    #[test]
    fn a_lookup_ends_at_its_deadline() {
        let lookup = SmolRuntime::until(Instant::now() + MOMENT, std::future::pending());
        assert_eq!(block_on(lookup), Err(LookupError::TimedOut));
    }

    #[test]
    fn a_connection_that_comes_between_two_polls_is_accepted_by_the_next() {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        socket.set_nonblocking(true).unwrap();
        let mut listener = SmolRuntime::listen(socket).unwrap();
        assert!(block_on(poll_once(poll_fn(|cx| SmolRuntime::poll_accept(&mut listener, cx)))).is_none());
        let stream = TcpStream::connect(address).unwrap();
        let (_, remote) = block_on(poll_fn(|cx| SmolRuntime::poll_accept(&mut listener, cx))).unwrap();
        assert_eq!(remote, stream.local_addr().unwrap());
    }
}
