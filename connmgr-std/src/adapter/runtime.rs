//! What a runtime with futures does for a pool: sockets, jobs and one timer.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::task::{Context, Poll};
use std::thread;
use std::time::Instant;

use super::dial::Job;
use super::engine::Lookup;
use super::wire::Wire;

/// A runtime, as the task of one pool uses it. Its implementation is all of an adapter but its stream and its builder.
pub trait PoolRuntime: Send + 'static {
    /// A TCP stream.
    type Wire: Wire;
    /// A socket that listens.
    type Listener: Send;
    /// A job that was spawned. Dropping it aborts the job.
    type Handle: Send;

    /// Makes a listener of a socket that does not block.
    ///
    /// # Errors
    /// What the operating system reports.
    fn listen(socket: TcpListener) -> io::Result<Self::Listener>;

    /// The next connection of a listener, or why none could be accepted.
    fn poll_accept(listener: &mut Self::Listener, cx: &mut Context<'_>) -> Poll<io::Result<(Self::Wire, SocketAddr)>>;

    /// Spawns a job. Called only from within the pool's task.
    fn spawn(&mut self, job: impl Future<Output = Job<Self::Wire>> + Send + 'static) -> Self::Handle;

    /// A job that has ended: its result, or its panic. One that was aborted need not be reported, but may.
    fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<thread::Result<Job<Self::Wire>>>;

    /// Sets the one timer, or unsets it, after which it wakes nobody.
    fn set_timer(&mut self, at: Option<Instant>);

    /// Ready once the timer's time has come. Polled only while it is set, and not again once it was ready.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Runs a lookup until the deadline, at which it fails with
    /// [`LookupError::TimedOut`](connmgr_core::LookupError::TimedOut).
    fn until(deadline: Instant, lookup: impl Future<Output = Lookup> + Send) -> impl Future<Output = Lookup> + Send;

    /// Called after each wake-up: lets other tasks run, if this one has not waited for long.
    fn pause(&mut self) -> impl Future<Output = ()> + Send;

    /// Waits until every job has ended. All were aborted before.
    fn end(self) -> impl Future<Output = ()> + Send;
}
