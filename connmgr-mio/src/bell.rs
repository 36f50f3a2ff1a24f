//! Wakes the caller's poll from other threads.
//!
//! It does not keep the waker: a thread that hangs in a lookup, or a handle that outlives the pool, must hold no
//! descriptor, nor one that rings while the pool is dropped.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;

/// Wakes the loop that turns the pool, as long as there is one. Clones are the same bell.
#[derive(Clone)]
pub(crate) struct PollBell(Arc<Mutex<Option<Arc<Waker>>>>);

impl PollBell {
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        Self(Arc::new(Mutex::new(Some(waker))))
    }

    /// Held while it rings, which is one call that does not wait; so whoever silences it knows that nobody rings.
    pub(crate) fn ring(&self) {
        if let Some(waker) = &*self.lock() {
            // It fails only without memory in the kernel; the loop then finds what waits when it next wakes.
            let _ = waker.wake();
        }
    }

    /// Lets go of the waker for good.
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
