//! What outlives the process: taken out, and put back in.

use alloc::vec::Vec;

use crate::config::Mode;
use crate::types::{SavedBan, Snapshot};

use super::ConnManager;

impl ConnManager {
    /// What outlives the process. Take it at each [`Action::Save`](crate::Action::Save) and at the end.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let now = self.now();
        Snapshot { addresses: self.book.save(self.unix(), now), anchors: Vec::new(), bans: self.saved_bans() }
    }

    /// The bans of the snapshot alone, without a copy of the book.
    #[must_use]
    pub fn saved_bans(&self) -> Vec<SavedBan> {
        let save_ban = |ban: super::BanView| SavedBan { target: ban.target, since: ban.since, until: ban.until };
        self.bans().into_iter().map(save_ban).collect()
    }

    /// Puts back what a former life left, but for what is wrong in it.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        let (unix, now) = (self.unix(), self.now());
        if self.config.mode == Mode::Automatic {
            let mut addresses = snapshot.addresses.clone();
            addresses.retain(|saved| self.is_worth_knowing(&saved.address));
            self.book.restore(&addresses, unix, now);
        }
        for ban in &snapshot.bans {
            // The clock may have been turned: a ban lasts its own duration from now at the most.
            let left = ban.until.since(unix).min(ban.until.since(ban.since));
            if !left.is_zero() && self.is_bannable(&ban.target) {
                // One that was saved by a clock ahead of this one stands since now.
                let since = self.clocks.steady(ban.since.min(unix));
                self.bans.ban(&ban.target, since, now.after(left));
            }
        }
        self.arm_bans();
    }
}
