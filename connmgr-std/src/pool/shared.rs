//! What a pool and its task have in common.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use crate::adapter::engine::Engine;
use crate::bell::Bell;
use crate::sync::lock;

/// What a pool and its task have in common.
pub(super) struct Shared<S> {
    engine: Mutex<Engine<S>>,
    /// Something may be there to take.
    pub(super) news: Bell,
}

impl<S> Shared<S> {
    pub(super) fn new(engine: Engine<S>) -> Self {
        Self { engine: Mutex::new(engine), news: Bell::default() }
    }

    /// A panic of the task reaches the application by the end of the task, not by the lock.
    pub(super) fn engine(&self) -> MutexGuard<'_, Engine<S>> {
        lock(&self.engine)
    }
}

impl<S> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
