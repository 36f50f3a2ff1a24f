//! Saving off the event loop: one thread that owns the state directory.
//!
//! There is no queue. While the thread writes, only the newest book and the newest bans wait.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use connmgr_core::{SavedBan, Snapshot};

use super::{StateDir, StateError};
use crate::sync::{lock, wait};

/// A thread that writes to a [`StateDir`].
///
/// Dropped, it writes what waits and frees the directory, as long as the process lives. Dropping waits for nothing.
pub(crate) struct Saver(Arc<Unwritten>);

/// What the thread has not begun to write.
#[derive(Default)]
struct Unwritten {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    newest: Option<Unsaved>,
    /// The [`Saver`] was dropped: nothing more comes.
    closed: bool,
}

/// What is to be written.
enum Unsaved {
    /// The bans alone. The book on disk stays.
    Bans(Vec<SavedBan>),
    All(Snapshot),
}

impl Saver {
    /// Starts the thread. It calls `on_error` for each failure, and `on_end` once the directory is free again. Neither
    /// may block. If the disk hangs, `on_end` is never called.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(
        mut dir: StateDir,
        on_error: impl FnMut(StateError) + Send + 'static,
        on_end: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let unwritten = Arc::new(Unwritten::default());
        let ours = Arc::clone(&unwritten);
        let write = move || {
            let save = |unsaved: &Unsaved| match unsaved {
                Unsaved::Bans(bans) => dir.save_bans(bans),
                Unsaved::All(snapshot) => dir.save(snapshot),
            };
            // A panic of `on_error` must not cost the call of `on_end`, for which the pool's end waits.
            let _ = catch_unwind(AssertUnwindSafe(|| ours.write_all(save, on_error)));
            drop(dir);
            on_end();
        };
        thread::Builder::new().name("connmgr-saver".into()).spawn(write)?;
        Ok(Self(unwritten))
    }

    /// Has this written as soon as the thread is free, in place of what waits. Never blocks on the disk.
    pub(crate) fn save(&self, snapshot: Snapshot) {
        // A snapshot may be large: the replaced one is freed outside the lock.
        let _replaced = lock(&self.0.waiting).newest.replace(Unsaved::All(snapshot));
        self.0.changed.notify_all();
    }

    /// The same for the bans alone. A book that waits goes on waiting.
    pub(crate) fn save_bans(&self, bans: Vec<SavedBan>) {
        match &mut lock(&self.0.waiting).newest {
            Some(Unsaved::All(snapshot)) => snapshot.bans = bans,
            Some(Unsaved::Bans(waiting)) => *waiting = bans,
            none => *none = Some(Unsaved::Bans(bans)),
        }
        self.0.changed.notify_all();
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        lock(&self.0.waiting).closed = true;
        self.0.changed.notify_all();
    }
}

impl fmt::Debug for Saver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Saver").finish_non_exhaustive()
    }
}

impl Unwritten {
    /// Saves one thing after the other, and goes on after a failure.
    fn write_all(
        &self,
        mut save: impl FnMut(&Unsaved) -> Result<(), StateError>,
        mut on_error: impl FnMut(StateError),
    ) {
        while let Some(unsaved) = self.next() {
            // A panic leaves on disk what a crash would: a temporary file, which the next save replaces.
            let saved = catch_unwind(AssertUnwindSafe(|| save(&unsaved)));
            if let Err(error) = saved.unwrap_or_else(|panic| Err(StateError::Panicked(message_of(&*panic)))) {
                on_error(error);
            }
        }
    }

    /// Waits for the newest; none once nothing more comes.
    fn next(&self) -> Option<Unsaved> {
        let mut waiting = lock(&self.waiting);
        loop {
            match waiting.newest.take() {
                Some(unsaved) => return Some(unsaved),
                None if waiting.closed => return None,
                None => waiting = wait(&self.changed, waiting),
            }
        }
    }
}

/// The message of a panic.
fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message").to_owned()
}

#[cfg(test)]
mod tests;
