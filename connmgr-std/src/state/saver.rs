//! Saving off the event loop: one thread that owns the state directory.
//!
//! It knows no queue: while it writes, only the newest waits of the book and of the bans.

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use connmgr_core::{SavedBan, Snapshot};

use super::{StateDir, StateError};
use crate::sync::lock;

/// A thread that writes to a [`StateDir`].
///
/// Dropped without [`Saver::finish`], it writes what waits on its own, as long as the process lives.
pub(crate) struct Saver {
    shared: Arc<Shared>,
}

struct Shared {
    desk: Mutex<Desk>,
    changed: Condvar,
}

/// What waits, and who may still come.
struct Desk {
    waiting: Option<Unsaved>,
    /// No more will come.
    closed: bool,
    end: End,
}

/// What is to be written.
enum Unsaved {
    /// The bans alone; of the book what is on disk stays.
    Bans(Vec<SavedBan>),
    All(Snapshot),
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

impl Saver {
    /// Starts the thread. `on_error` is called on it with each failure; it should pass the error on and return.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(dir: StateDir, on_error: impl FnMut(StateError) + Send + 'static) -> io::Result<Self> {
        let desk = Mutex::new(Desk { waiting: None, closed: false, end: End::ToCome });
        let shared = Arc::new(Shared { desk, changed: Condvar::new() });
        let ours = Ended(Arc::clone(&shared));
        let write = move || {
            let mut dir = dir;
            let save = |unsaved: &Unsaved| match unsaved {
                Unsaved::Bans(bans) => dir.save_bans(bans),
                Unsaved::All(snapshot) => dir.save(snapshot),
            };
            run(&ours.0, save, on_error);
            // Free before anybody is told of the end.
            drop(dir);
            drop(ours);
        };
        thread::Builder::new().name("connmgr-saver".into()).spawn(write)?;
        Ok(Self { shared })
    }

    /// Has this written when the thread gets to it, instead of what waits. Never blocks on the disk.
    pub(crate) fn save(&self, snapshot: Snapshot) {
        // The one it replaces may be large; it is freed after the lock.
        let _replaced = lock(&self.shared.desk).waiting.replace(Unsaved::All(snapshot));
        self.shared.changed.notify_all();
    }

    /// The same of the bans alone. A book that waits goes on waiting.
    pub(crate) fn save_bans(&self, bans: Vec<SavedBan>) {
        let mut desk = lock(&self.shared.desk);
        match &mut desk.waiting {
            Some(Unsaved::All(snapshot)) => snapshot.bans = bans,
            Some(Unsaved::Bans(waiting)) => *waiting = bans,
            None => desk.waiting = Some(Unsaved::Bans(bans)),
        }
        self.shared.changed.notify_all();
    }

    /// Writes what waits and lets go of the directory; then calls `on_end`, on whatever thread that happens. It must not
    /// block. A failure to write has gone to `on_error`. If the disk hangs, `on_end` is never called.
    pub(crate) fn finish(self, on_end: impl FnOnce() + Send + 'static) {
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

/// Saves one thing after the other, and goes on after a failure.
fn run(
    shared: &Shared,
    mut save: impl FnMut(&Unsaved) -> Result<(), StateError>,
    mut on_error: impl FnMut(StateError),
) {
    while let Some(unsaved) = next(shared) {
        // What a panic left half done on the disk is what a crash would: a temporary file, which the next save replaces.
        let saved = catch_unwind(AssertUnwindSafe(|| save(&unsaved)));
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

/// The newest; none once no more will come.
fn next(shared: &Shared) -> Option<Unsaved> {
    let mut desk = lock(&shared.desk);
    loop {
        match desk.waiting.take() {
            Some(unsaved) => return Some(unsaved),
            None if desk.closed => return None,
            None => desk = shared.changed.wait(desk).unwrap_or_else(std::sync::PoisonError::into_inner),
        }
    }
}

#[cfg(test)]
mod tests;
