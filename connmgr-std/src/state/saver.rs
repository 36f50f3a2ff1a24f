//! Saving off the event loop: one thread that owns the state directory.
//!
//! There is no queue. While the thread writes, or waits to try again, only the newest book and the newest bans wait.
//!
//! ```text
//! save ──► waits ──► is written ──► done
//!            ▲            │ fails: 1 s later, 2, 4, … 30 s, at the next save, and at the end
//!            └────────────┘
//! ```

use std::any::Any;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{PeerAddress, SavedAddress, SavedBan, Snapshot};

use super::{StateDir, StateError};
use crate::sync::{lock, wait, wait_timeout};

/// The wait after the first failure in a row. It doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait after a failure.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A thread that writes to a [`StateDir`].
///
/// Dropped, it writes what waits, once, and frees the directory, as long as the process lives. Dropping waits for
/// nothing.
pub(crate) struct Saver(Arc<Unwritten>);

/// What the thread reports.
#[derive(Debug)]
pub(crate) enum SaveNews {
    /// A file is not saved, and will be tried again. Told once for each cause in a row.
    NotSaved(StateError),
    /// A file that was not saved is saved now.
    SavedAgain(PathBuf),
    /// At the end, a file is not saved.
    Lost(StateError),
}

/// What the thread has not written.
#[derive(Default)]
struct Unwritten {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    unsaved: Unsaved,
    /// Some of it was not tried yet.
    is_new: bool,
    /// The [`Saver`] was dropped: nothing more comes.
    closed: bool,
}

/// What is to be written, by file.
#[derive(Debug, Default)]
struct Unsaved {
    bans: Option<Vec<SavedBan>>,
    book: Option<Book>,
}

#[derive(Debug)]
struct Book {
    addresses: Vec<SavedAddress>,
    anchors: Vec<PeerAddress>,
}

/// What the thread does next.
enum SaverTurn {
    /// Write this. If that fails, it waits.
    Write(Unsaved),
    /// Write this. If that fails, it is lost.
    WriteLast(Unsaved),
    End,
}

impl Saver {
    /// Starts the thread. It calls `on_news` for each piece of news, and `on_end` once the directory is free again.
    /// Neither may block. If the disk hangs, `on_end` is never called.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(crate) fn start(
        dir: StateDir,
        on_news: impl FnMut(SaveNews) + Send + 'static,
        on_end: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let unwritten = Arc::new(Unwritten::default());
        let ours = Arc::clone(&unwritten);
        let write = move || {
            let mut writer = StateWriter::new(dir, on_news);
            // A panic of `on_news` must not cost the call of `on_end`, for which the pool's end waits.
            let _ = catch_unwind(AssertUnwindSafe(|| ours.write_all(&mut writer)));
            drop(writer);
            on_end();
        };
        thread::Builder::new().name("connmgr-saver".into()).spawn(write)?;
        Ok(Self(unwritten))
    }

    /// Has this written as soon as the thread is free, in place of what waits. Never blocks on the disk.
    pub(crate) fn save(&self, snapshot: Snapshot) {
        let Snapshot { addresses, anchors, bans, .. } = snapshot;
        self.put(Unsaved { bans: Some(bans), book: Some(Book { addresses, anchors }) });
    }

    /// The same for the bans alone. A book that waits goes on waiting.
    pub(crate) fn save_bans(&self, bans: Vec<SavedBan>) {
        self.put(Unsaved { bans: Some(bans), book: None });
    }

    fn put(&self, newer: Unsaved) {
        let mut waiting = lock(&self.0.waiting);
        // A book may be large: the replaced one is freed outside the lock.
        let _replaced = (
            newer.bans.and_then(|bans| waiting.unsaved.bans.replace(bans)),
            newer.book.and_then(|book| waiting.unsaved.book.replace(book)),
        );
        waiting.is_new = true;
        drop(waiting);
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
    /// Writes one thing after the other, until nothing more comes. What fails is tried again.
    fn write_all<F: FnMut(SaveNews)>(&self, writer: &mut StateWriter<F>) {
        let mut backoff = SaveBackoff::default();
        loop {
            match self.next(backoff.retry_at) {
                SaverTurn::Write(unsaved) => {
                    let failed = writer.write(unsaved, SaveNews::NotSaved);
                    backoff.note(failed.is_empty(), Instant::now());
                    self.put_back(failed);
                }
                SaverTurn::WriteLast(unsaved) => drop(writer.write(unsaved, SaveNews::Lost)),
                SaverTurn::End => return,
            }
        }
    }

    /// Waits for something new, or for this time.
    fn next(&self, retry_at: Option<Instant>) -> SaverTurn {
        let mut waiting = lock(&self.waiting);
        loop {
            if waiting.closed && waiting.unsaved.is_empty() {
                return SaverTurn::End;
            }
            let left = retry_at.map(|at| at.saturating_duration_since(Instant::now()));
            if waiting.closed || waiting.is_new || left.is_some_and(|left| left.is_zero()) {
                return waiting.take();
            }
            waiting = self.wait(waiting, left);
        }
    }

    fn wait<'a>(&self, waiting: MutexGuard<'a, Waiting>, left: Option<Duration>) -> MutexGuard<'a, Waiting> {
        match left {
            Some(left) => wait_timeout(&self.changed, waiting, left),
            None => wait(&self.changed, waiting),
        }
    }

    /// What could not be written waits again, unless something newer has come.
    fn put_back(&self, failed: Unsaved) {
        let unsaved = &mut lock(&self.waiting).unsaved;
        let Unsaved { bans, book } = failed;
        unsaved.bans = unsaved.bans.take().or(bans);
        unsaved.book = unsaved.book.take().or(book);
    }
}

impl Waiting {
    fn take(&mut self) -> SaverTurn {
        self.is_new = false;
        let unsaved = std::mem::take(&mut self.unsaved);
        if self.closed { SaverTurn::WriteLast(unsaved) } else { SaverTurn::Write(unsaved) }
    }
}

impl Unsaved {
    const fn is_empty(&self) -> bool {
        self.bans.is_none() && self.book.is_none()
    }
}

/// When the thread tries again.
#[derive(Debug, Default)]
struct SaveBackoff {
    /// The failures in a row.
    failures: u32,
    /// None after a success.
    retry_at: Option<Instant>,
}

impl SaveBackoff {
    fn note(&mut self, is_saved: bool, now: Instant) {
        *self = if is_saved { Self::default() } else { self.after_failure(now) };
    }

    fn after_failure(&self, now: Instant) -> Self {
        let wait = FIRST_WAIT.saturating_mul(1 << self.failures.min(16)).min(LONGEST_WAIT);
        Self { failures: self.failures.saturating_add(1), retry_at: now.checked_add(wait) }
    }
}

/// Writes to the directory, and remembers what was told of each file.
struct StateWriter<F> {
    dir: StateDir,
    on_news: F,
    /// The text of the error that each file met last; none while it is saved.
    bans_told: Option<String>,
    book_told: Option<String>,
}

impl<F: FnMut(SaveNews)> StateWriter<F> {
    const fn new(dir: StateDir, on_news: F) -> Self {
        Self { dir, on_news, bans_told: None, book_told: None }
    }

    /// Writes each file. Returns what failed.
    fn write(&mut self, unsaved: Unsaved, failed: fn(StateError) -> SaveNews) -> Unsaved {
        let Self { dir, on_news, bans_told, book_told } = self;
        let Unsaved { bans, book } = unsaved;
        let bans = bans.filter(|bans| {
            let saved = guarded(|| dir.save_bans(bans));
            !report(saved, dir.bans_path().to_path_buf(), bans_told, failed, on_news)
        });
        let book = book.filter(|book| {
            let saved = guarded(|| dir.save_book(&book.addresses, &book.anchors));
            !report(saved, dir.book_path().to_path_buf(), book_told, failed, on_news)
        });
        Unsaved { bans, book }
    }
}

/// A panic leaves on disk what a crash would: a temporary file, which the next save replaces.
fn guarded(save: impl FnOnce() -> Result<(), StateError>) -> Result<(), StateError> {
    let saved = catch_unwind(AssertUnwindSafe(save));
    saved.unwrap_or_else(|panic| Err(StateError::Panicked(message_of(&*panic))))
}

/// Reports a failure, or a success after failures. Returns whether the file is saved.
fn report(
    saved: Result<(), StateError>,
    path: PathBuf,
    told: &mut Option<String>,
    failed: fn(StateError) -> SaveNews,
    on_news: &mut impl FnMut(SaveNews),
) -> bool {
    let Err(error) = saved else {
        if told.take().is_some() {
            on_news(SaveNews::SavedAgain(path));
        }
        return true;
    };
    let text = error.to_string();
    let news = failed(error);
    // The same failure again is no news, unless it is the last.
    let is_known = matches!(news, SaveNews::NotSaved(_)) && told.as_ref() == Some(&text);
    *told = Some(text);
    if !is_known {
        on_news(news);
    }
    false
}

/// The message of a panic.
fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message").to_owned()
}

#[cfg(test)]
mod tests;
