//! Locks that outlive a panic.
//!
//! A panic of a caller's callback must not take the node down with it: nothing here is left half changed while a
//! callback runs, so a poisoned lock is as good as any.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks, poisoned or not.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a notice, at most so long.
pub(crate) fn wait_timeout<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>, wait: Duration) -> MutexGuard<'a, T> {
    condvar.wait_timeout(guard, wait).unwrap_or_else(PoisonError::into_inner).0
}
