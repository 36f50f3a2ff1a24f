//! Saving state, and restoring it at birth.

use alloc::vec::Vec;

use crate::config::Mode;
use crate::mechanisms::bans::{Ban, SavedSpan};
use crate::types::{BanTarget, SavedBan, Snapshot};

use super::ConnManager;

impl ConnManager {
    /// The state to keep on disk. Take it at each [`Action::Save`](crate::Action::Save) and at the end. Copies the
    /// whole book; [`saved_bans`](Self::saved_bans) does not.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now = self.now();
        Snapshot { addresses: self.book.save(self.unix(), now), anchors: Vec::new(), bans: self.saved_bans() }
    }

    /// The bans of the snapshot, without a copy of the book. A ban that was restored keeps the dates it had in the
    /// snapshot of birth, whatever the wall clock says, until it is banned anew.
    #[must_use]
    pub fn saved_bans(&self) -> Vec<SavedBan> {
        let now = self.now();
        let standing = self.bans.iter().filter(|(_, ban)| ban.until > now);
        standing.map(|(target, ban)| self.save_ban(target, ban)).collect()
    }

    fn save_ban(&self, target: BanTarget, ban: Ban) -> SavedBan {
        let SavedSpan { since, until } = ban.saved.unwrap_or_else(|| SavedSpan {
            since: self.clocks.unix_of(ban.since),
            until: self.clocks.unix_at(ban.until),
        });
        SavedBan { target, since, until }
    }

    /// Restores what an earlier run saved. Skips what is invalid, expired or not allowed by the configuration.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        let (unix, now) = (self.unix(), self.now());
        if self.config.mode == Mode::Automatic {
            let mut addresses = snapshot.addresses.clone();
            addresses.retain(|saved| self.is_worth_knowing(&saved.address));
            self.book.restore(&addresses, unix, now);
        }
        for ban in &snapshot.bans {
            // The wall clock may have been set meanwhile: a ban lasts at most its own duration from now.
            let left = ban.until.since(unix).min(ban.until.since(ban.since));
            if !left.is_zero() && self.is_bannable(&ban.target) {
                // A ban from the future was saved by a faster clock, or ours is behind: it counts from now, and is saved
                // with its own dates.
                let since = self.clocks.steady(ban.since.min(unix));
                let saved = SavedSpan { since: ban.since, until: ban.until };
                self.bans.restore(&ban.target, since, now.after(left), saved);
            }
        }
        self.arm_bans();
    }
}
