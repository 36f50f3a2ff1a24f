//! What a pool and its task share.

use std::fmt;
use std::sync::{Mutex, MutexGuard};

use crate::adapter::engine::Engine;
use crate::bell::WakeBell;
use crate::sync::lock;

/// The engine, which the pool and its task lock in turns.
pub(super) struct SharedEngine<S> {
    engine: Mutex<Engine<S>>,
    /// Rings when there may be an event to take.
    pub(super) news: WakeBell,
}

impl<S> SharedEngine<S> {
    pub(super) fn new(engine: Engine<S>) -> Self {
        Self { engine: Mutex::new(engine), news: WakeBell::default() }
    }

    // A panic of the task reaches the application through the task's end, not through a poisoned lock.
    pub(super) fn engine(&self) -> MutexGuard<'_, Engine<S>> {
        lock(&self.engine)
    }
}

impl<S> fmt::Debug for SharedEngine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedEngine").finish_non_exhaustive()
    }
}
