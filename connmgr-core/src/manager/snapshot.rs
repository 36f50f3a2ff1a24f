//! Saving state, and restoring it at birth.

use alloc::vec::Vec;

use crate::config::Mode;
use crate::types::{SavedBan, Snapshot};

use super::ConnManager;

impl ConnManager {
    /// The state to keep on disk. Take it at each [`Action::Save`](crate::Action::Save) and at the end. Copies the
    /// whole book; [`saved_bans`](Self::saved_bans) does not.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now = self.now();
        Snapshot { addresses: self.book.save(self.unix(), now), anchors: Vec::new(), bans: self.saved_bans() }
    }

    /// The bans of the snapshot, without a copy of the book.
    #[must_use]
    pub fn saved_bans(&self) -> Vec<SavedBan> {
        let save_ban = |ban: super::BanView| SavedBan { target: ban.target, since: ban.since, until: ban.until };
        self.bans().into_iter().map(save_ban).collect()
    }

    /// Restores what an earlier run saved. Skips what is invalid, expired or not allowed by the configuration.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        let (unix, now) = (self.unix(), self.now());
        if self.config.mode == Mode::Automatic {
            let mut addresses = snapshot.addresses.clone();
            for saved in &mut addresses {
                saved.address = self.settled(saved.address.clone());
            }
            addresses.retain(|saved| self.is_worth_knowing(&saved.address));
            self.book.restore(&addresses, unix, now);
        }
        for ban in &snapshot.bans {
            // The wall clock may have been set meanwhile: a ban lasts at most its own duration from now.
            let left = ban.until.since(unix).min(ban.until.since(ban.since));
            if !left.is_zero() && self.is_bannable(&ban.target) {
                // A ban from the future was saved by a faster clock: it began now.
                let since = self.clocks.steady(ban.since.min(unix));
                self.bans.ban(&ban.target, since, now.after(left));
            }
        }
        self.arm_bans();
    }
}
