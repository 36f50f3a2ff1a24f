//! Saving off the event loop: one thread that owns the state directory.
//!
//! It knows no queue: while it writes, only the newest snapshot waits, for each holds all that the one before it did.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::Snapshot;

use super::{StateDir, StateError};
use crate::sync::{lock, wait_timeout};

/// A thread that writes snapshots to a [`StateDir`].
///
/// Dropped without [`Saver::finish`], it writes what waits on its own, as long as the process lives.
pub struct Saver {
    shared: Arc<Shared>,
}

struct Shared {
    desk: Mutex<Desk>,
    changed: Condvar,
}

/// What waits, and who may still come.
struct Desk {
    waiting: Option<Snapshot>,
    /// No more will come.
    closed: bool,
    end: End,
}

/// Whether the thread has ended and the directory is free, and who is to be told.
enum End {
    /// Not yet, and nobody has asked.
    ToCome,
    /// Not yet; this is to be called then.
    Awaited(OnEnd),
    /// It has.
    Here,
}

/// Called once.
type OnEnd = Box<dyn FnOnce() + Send>;

/// The disk was too slow to finish in the time given; the thread goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state is still being written")]
pub struct NotFinished;

impl Saver {
    /// Starts the thread. `on_error` is called on it with each failure; it should pass the error on and return.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub fn start(dir: StateDir, on_error: impl FnMut(StateError) + Send + 'static) -> io::Result<Self> {
        let desk = Mutex::new(Desk { waiting: None, closed: false, end: End::ToCome });
        let shared = Arc::new(Shared { desk, changed: Condvar::new() });
        let ours = Ended(Arc::clone(&shared));
        let write = move || {
            let mut dir = dir;
            run(&ours.0, |snapshot| dir.save(snapshot), on_error);
            // Free before anybody is told of the end.
            drop(dir);
            drop(ours);
        };
        thread::Builder::new().name("connmgr-saver".into()).spawn(write)?;
        Ok(Self { shared })
    }

    /// Has this written when the thread gets to it, instead of what waits. Never blocks on the disk.
    pub fn save(&self, snapshot: Snapshot) {
        // The one it replaces may be large; it is freed after the lock.
        let _replaced = lock(&self.shared.desk).waiting.replace(snapshot);
        self.shared.changed.notify_all();
    }

    /// Writes what waits and lets go of the directory; blocks until that is done, or for so long.
    ///
    /// # Errors
    /// [`NotFinished`] when the time is over first. A failure to write has gone to `on_error`.
    pub fn finish(self, within: Duration) -> Result<(), NotFinished> {
        let start = Instant::now();
        self.close();
        let mut desk = lock(&self.shared.desk);
        while !matches!(desk.end, End::Here) {
            let left = within.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(NotFinished);
            }
            desk = wait_timeout(&self.shared.changed, desk, left);
        }
        Ok(())
    }

    /// The same without blocking: calls `on_end` when what waits is written and the directory is free, from whatever
    /// thread that happens on. It must not block. If the disk hangs, it is never called.
    pub fn finish_then(self, on_end: impl FnOnce() + Send + 'static) {
        self.close();
        let mut desk = lock(&self.shared.desk);
        if matches!(desk.end, End::Here) {
            drop(desk);
            return on_end();
        }
        desk.end = End::Awaited(Box::new(on_end));
    }

    fn close(&self) {
        lock(&self.shared.desk).closed = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Saver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saver").finish_non_exhaustive()
    }
}

/// Says that the thread has ended, however it ends.
struct Ended(Arc<Shared>);

impl Drop for Ended {
    fn drop(&mut self) {
        let end = std::mem::replace(&mut lock(&self.0.desk).end, End::Here);
        self.0.changed.notify_all();
        match end {
            End::Awaited(on_end) => on_end(),
            End::ToCome | End::Here => {}
        }
    }
}

/// Saves one snapshot after the other, and goes on after a failure.
fn run(
    shared: &Shared,
    mut save: impl FnMut(&Snapshot) -> Result<(), StateError>,
    mut on_error: impl FnMut(StateError),
) {
    while let Some(snapshot) = next(shared) {
        // What a panic left half done on the disk is what a crash would: a temporary file, which the next save replaces.
        let saved = catch_unwind(AssertUnwindSafe(|| save(&snapshot)));
        if let Err(error) = saved.unwrap_or_else(|panic| Err(StateError::Panicked(words_of(&*panic)))) {
            on_error(error);
        }
    }
}

/// What a panic says.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word").to_owned()
}

/// The newest snapshot; none once no more will come.
fn next(shared: &Shared) -> Option<Snapshot> {
    let mut desk = lock(&shared.desk);
    loop {
        match desk.waiting.take() {
            Some(snapshot) => return Some(snapshot),
            None if desk.closed => return None,
            None => desk = shared.changed.wait(desk).unwrap_or_else(std::sync::PoisonError::into_inner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_saving_is_reported_and_the_next_save_tries_again() {
        let desk = Mutex::new(Desk { waiting: Some(Snapshot::default()), closed: true, end: End::ToCome });
        let shared = Shared { desk, changed: Condvar::new() };
        let (mut saves, mut errors) = (0, Vec::new());
        let save = |snapshot: &Snapshot| {
            saves += 1;
            if saves == 1 {
                lock(&shared.desk).waiting = Some(snapshot.clone());
                panic!("a fault of ours");
            }
            Ok(())
        };
        run(&shared, save, |error| errors.push(error.to_string()));
        assert_eq!((saves, errors), (2, vec!["saving has panicked: a fault of ours".to_owned()]));
    }
}
