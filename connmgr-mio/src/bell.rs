//! Wakes the caller's poll from other threads.
//!
//! It does not keep the waker alive: a thread that hangs in a lookup, or a handle that outlives the pool, must hold no
//! descriptor.

use std::sync::{Arc, Weak};

use mio::Waker;

/// Wakes the loop that turns the pool, as long as there is one.
#[derive(Clone, Debug)]
pub(crate) struct Bell(Weak<Waker>);

impl Bell {
    pub(crate) fn new(waker: &Arc<Waker>) -> Self {
        Self(Arc::downgrade(waker))
    }

    pub(crate) fn ring(&self) {
        if let Some(waker) = self.0.upgrade() {
            // It fails only without memory in the kernel; the loop then finds what waits when it next wakes.
            let _ = waker.wake();
        }
    }
}
