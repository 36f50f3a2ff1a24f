//! What is copied from a manager that asks to be saved: the bans each time, the book if it is the book's turn.
//!
//! A ban is saved within a second, and any peer can cause one at any time: to copy 20 bans takes a microsecond. To copy a
//! book of 80 000 addresses takes milliseconds, so that is done in slices, one a turn, until the saver's thread gets
//! all of them. Between two slices the event loop does everything else. The manager decides whose turn it is.
//!
//! ```text
//! Save ──► slice ──► slice ──► … ──► saver
//!            ▲ the next turn each      │ asked again meanwhile: once more
//!            └─────────────────────────┘
//! ```

use connmgr_core::{BookCursor, ConnManager};

use crate::state::{SavedBook, Saver};

/// The most addresses that are copied in one turn. It takes about 0.1 ms.
const SLICE: usize = 1000;

/// Passes a manager's state to the saver.
#[derive(Debug)]
pub(super) struct Saving {
    saver: Saver,
    /// The copy of the book that is under way.
    copy: Option<BookCopy>,
}

/// A copy of the book that is not complete.
#[derive(Debug)]
struct BookCopy {
    book: SavedBook,
    next: BookCursor,
    /// The manager has asked again since it began: what was copied may have changed, so this copy follows.
    after: Option<SavedBook>,
}

impl Saving {
    pub(super) const fn new(saver: Saver) -> Self {
        Self { saver, copy: None }
    }

    /// The manager asks to be saved. The bans are passed on at once. The book follows in slices, but for a manager that
    /// has stopped: no turn may come any more.
    pub(super) fn save(&mut self, manager: &ConnManager) {
        if !manager.saves_book() {
            self.saver.save_bans(manager.saved_bans());
            return;
        }
        let (bans, book) = SavedBook::split(manager.snapshot_without_addresses());
        self.saver.save_bans(bans);
        if manager.is_stopped() {
            self.copy = Some(BookCopy::begin(book));
            self.finish(manager);
        } else if let Some(copy) = &mut self.copy {
            copy.after = Some(book);
        } else {
            self.copy = Some(BookCopy::begin(book));
        }
    }

    /// Whether [`go_on`](Self::go_on) has something to do.
    pub(super) const fn is_copying(&self) -> bool {
        self.copy.is_some()
    }

    /// Copies the next slice. The last one goes to the saver with all others.
    pub(super) fn go_on(&mut self, manager: &ConnManager) {
        if let Some(copy) = self.copy.take() {
            self.take(copy, SLICE, manager);
        }
    }

    /// Copies what is left at once: no turn follows.
    pub(super) fn finish(&mut self, manager: &ConnManager) {
        if let Some(BookCopy { after: Some(newer), .. }) = &mut self.copy {
            self.copy = Some(BookCopy::begin(std::mem::take(newer)));
        }
        if let Some(copy) = self.copy.take() {
            self.take(copy, usize::MAX, manager);
        }
    }

    fn take(&mut self, mut copy: BookCopy, most: usize, manager: &ConnManager) {
        let (slice, next) = manager.saved_addresses(copy.next, most);
        copy.book.slices.push(slice);
        if let Some(next) = next {
            self.copy = Some(BookCopy { next, ..copy });
            return;
        }
        self.saver.save_book(copy.book);
        self.copy = copy.after.map(BookCopy::begin);
    }
}

impl BookCopy {
    const fn begin(book: SavedBook) -> Self {
        Self { book, next: BookCursor::START, after: None }
    }
}
