//! What the caller's executor does for the pool.

use std::pin::Pin;

/// A task that is to be run.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs tasks: the caller's executor. Any closure that spawns is one, `|task: BoxFuture| smol::spawn(task).detach()` for
/// instance.
///
/// A pool is one task, and each dial one more. They end by themselves, soon after the pool is told to. An executor that
/// ends first, or drops a task, takes the pool with it, which its application sees as its end.
pub trait Spawn: Send + Sync + 'static {
    /// Runs this to its end, beside whatever else runs. Must not block.
    fn spawn(&self, task: BoxFuture);
}

impl<F: Fn(BoxFuture) + Send + Sync + 'static> Spawn for F {
    fn spawn(&self, task: BoxFuture) {
        self(task);
    }
}
