//! What is copied from a manager that asks to be saved: the bans each time, the book if it is the book's turn.
//!
//! A ban is saved within a second, and any peer can cause one at any time. To copy a book of 60 000 addresses takes the
//! event loop 7 ms, to copy 20 bans a microsecond. The manager decides whose turn it is.

use connmgr_core::ConnManager;

use crate::state::Saver;

/// Passes a manager's state to the saver.
#[derive(Debug)]
pub(super) struct Saving {
    saver: Saver,
}

impl Saving {
    pub(super) const fn new(saver: Saver) -> Self {
        Self { saver }
    }

    /// The manager asks to be saved.
    pub(super) fn save(&mut self, manager: &ConnManager) {
        if manager.saves_book() {
            self.saver.save(manager.snapshot());
        } else {
            self.saver.save_bans(manager.saved_bans());
        }
    }
}
