//! The caller's executor.

use std::pin::Pin;

/// A task to be run.
pub type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The caller's executor. Any closure that spawns a task implements it, for instance
/// `|task: BoxFuture| smol::spawn(task).detach()`.
///
/// A pool is one task, and each dial is one more. They end by themselves, soon after the pool's shutdown. If the
/// executor ends first, or drops the pool's task, the pool ends too.
pub trait Spawn: Send + Sync + 'static {
    /// Runs this task to its end, concurrently with others. Must not block.
    fn spawn(&self, task: BoxFuture);
}

impl<F: Fn(BoxFuture) + Send + Sync + 'static> Spawn for F {
    fn spawn(&self, task: BoxFuture) {
        self(task);
    }
}
