//! Wakes the caller's poll from other threads.
//!
//! The waker is dropped with the pool: a thread that hangs in a lookup, or a handle that outlives the pool, must not
//! hold its descriptor. That takes a lock, so `atomic-waker` does not do.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;

/// Wakes the loop that turns the pool, as long as the pool lives. Clones share the waker.
#[derive(Clone)]
pub(crate) struct PollBell(Arc<Mutex<Option<Arc<Waker>>>>);

impl PollBell {
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        Self(Arc::new(Mutex::new(Some(waker))))
    }

    // Locked while it rings, which is one call that does not block, so that nobody rings any more after `silence`.
    pub(crate) fn ring(&self) {
        if let Some(waker) = &*self.lock() {
            // It fails only if the kernel is out of memory. The loop then finds the work at its next wake-up.
            let _ = waker.wake();
        }
    }

    /// Drops the waker.
    pub(crate) fn silence(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Waker>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PollBell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollBell").finish_non_exhaustive()
    }
}
