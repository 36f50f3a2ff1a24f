//! When state is saved.
//!
//! The bans, a second after they change. The book, a minute after the first address is learnt, for a crash in the first
//! minutes would otherwise leave nothing; then at most once in `book.save_every`, for it may be large. The two don't wait
//! for each other: any peer can cause a ban at any time.

use core::time::Duration;

use crate::config::Mode;
use crate::types::Action;

use super::{ConnManager, Phase, Timer};

/// The longest time from a change of the bans to its `Save`.
const SAVE_BANS_WITHIN: Duration = Duration::from_secs(1);

/// The longest time from the first address learnt to the book's first `Save`, if `book.save_every` is longer.
const SAVE_FIRST_BOOK_WITHIN: Duration = Duration::from_secs(60);

/// What was saved of the book.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BookSaves {
    /// It was saved in this life.
    any: bool,
    /// The latest `Save` is for it.
    latest: bool,
}

impl ConnManager {
    /// Whether the latest [`Action::Save`] is for the book too. If not, [`saved_bans`](Self::saved_bans) is enough, and
    /// the book has a `Save` of its own to come. Ask before the next input.
    ///
    /// Never with `Mode::ConnectOnly`, in which there is no book: one that is on disk is to stay there.
    #[must_use]
    pub const fn saves_book(&self) -> bool {
        self.book_saves.latest
    }

    /// The bans have changed.
    pub(super) fn save_bans_later(&mut self) {
        self.save_later(Timer::SaveBans, SAVE_BANS_WITHIN);
    }

    /// The book has changed.
    pub(super) fn save_book_later(&mut self) {
        let every = self.config.book.save_every;
        let within = if self.book_saves.any { every } else { every.min(SAVE_FIRST_BOOK_WITHIN) };
        if self.has_book() {
            self.save_later(Timer::SaveBook, within);
        }
    }

    fn save_later(&mut self, timer: Timer, within: Duration) {
        if self.phase != Phase::Stopped {
            self.arm_earlier(timer, self.now().after(within));
        }
    }

    /// Emits `Save` for the bans.
    pub(super) fn save_bans(&mut self) {
        self.book_saves.latest = false;
        self.act(Action::Save);
    }

    /// Emits `Save` for everything.
    pub(super) fn save_all(&mut self) {
        self.disarm(Timer::SaveBans);
        self.disarm(Timer::SaveBook);
        let has_book = self.has_book();
        self.book_saves = BookSaves { any: self.book_saves.any || has_book, latest: has_book };
        self.act(Action::Save);
    }

    fn has_book(&self) -> bool {
        self.config.mode == Mode::Automatic
    }

    /// Whether the book's first save is still to come.
    pub(super) const fn is_book_unsaved(&self) -> bool {
        !self.book_saves.any
    }
}
