//! Saving state, and restoring it at birth.

use alloc::vec::Vec;

use crate::config::Mode;
use crate::mechanisms::bans::{Ban, SavedSpan};
use crate::types::{BanTarget, SavedBan, Snapshot, Time};

use super::ConnManager;
use super::clocks::Clocks;
use super::doubt::Evidence;

impl ConnManager {
    /// The state to keep on disk. Take it at each [`Action::Save`](crate::Action::Save) and at the end. Copies the
    /// whole book; [`saved_bans`](Self::saved_bans) does not.
    ///
    /// While the wall clock may be wrong, as with a machine that starts in 1970, dates of the snapshot of birth and of
    /// reports are saved as they came in, and no other date is before the latest in the snapshot of birth.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let clocks = self.clocks_for_saving();
        let addresses = self.book.save(self.is_clock_unfit(), clocks.unix(), clocks.now());
        Snapshot { addresses, book_secret: Some(self.book.secret()), anchors: Vec::new(), bans: self.saved_bans() }
    }

    /// The bans of the snapshot, without a copy of the book. A ban that was restored keeps the dates it had in the
    /// snapshot of birth, whatever the wall clock says, until it is banned anew. One that has ended by a clock that may be
    /// wrong is still among them.
    #[must_use]
    pub fn saved_bans(&self) -> Vec<SavedBan> {
        let now = self.now();
        let standing = self.bans.list().filter(|(_, ban, _)| ban.until > now);
        let clocks = self.clocks_for_saving();
        let standing = standing.map(|(target, ban, exceptions)| save_ban(&clocks, target, ban, exceptions));
        self.restored_bans.lapsed.iter().cloned().chain(standing).collect()
    }

    /// Restores what an earlier run saved. Skips what is invalid, expired or not allowed by the configuration.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        let (unix, now) = (self.unix(), self.now());
        let evidence = Evidence::of(snapshot);
        let trust = if evidence.supports(unix) { ClockTrust::Full } else { ClockTrust::None };
        self.doubt_clock(evidence);
        if self.config.mode == Mode::Automatic {
            let mut addresses = snapshot.addresses.clone();
            for saved in &mut addresses {
                saved.address = self.settled(saved.address.clone());
            }
            addresses.retain(|saved| self.is_worth_knowing(&saved.address));
            self.book.restore(&addresses, snapshot.book_secret, &self.groups, unix, now);
        }
        for ban in &snapshot.bans {
            self.judge_ban(ban, trust);
        }
        self.restore_exceptions(&snapshot.bans);
        self.arm_bans();
    }

    /// After all bans, for a new one ends the exceptions inside it.
    fn restore_exceptions(&mut self, bans: &[SavedBan]) {
        for exception in bans.iter().flat_map(|ban| &ban.exceptions) {
            self.bans.except(exception);
        }
    }

    /// The wall clock was set: bans with dates of a file are judged anew by it. No event tells of them, as at birth.
    pub(super) fn judge_bans_anew(&mut self) {
        let mut restored = self.bans.take_restored();
        restored.append(&mut self.restored_bans.lapsed);
        if restored.is_empty() {
            return;
        }
        for ban in &restored {
            self.judge_ban(ban, ClockTrust::None);
        }
        self.restore_exceptions(&restored);
        self.arm_bans();
        self.release_banned_peers();
        self.wake_starved();
        self.sweep_wanted = true;
        self.plan();
    }

    /// Puts a ban of a file in force, if it has not ended. It lasts at most its own duration from birth, for the wall clock
    /// may be wrong.
    fn judge_ban(&mut self, ban: &SavedBan, trust: ClockTrust) {
        let (unix, now) = (self.unix(), self.now());
        let served = now.since(self.restored_bans.at);
        let own = ban.until.since(ban.since).saturating_sub(served);
        let left = ban.until.since(unix).min(own);
        if own.is_zero() || !self.is_bannable(&ban.target) {
            return;
        }
        if left.is_zero() {
            let room = (self.config.max_bans as usize).saturating_sub(self.restored_bans.lapsed.len());
            if trust == ClockTrust::None && room > 0 {
                self.restored_bans.lapsed.push(ban.clone());
            }
            return;
        }
        let since = self.clocks.steady(ban.since.min(unix));
        // A ban from the future, by a clock that is right, was saved by one that was ahead: it begins now, once.
        let keeps_dates = trust == ClockTrust::None || ban.since <= unix;
        let saved = keeps_dates.then_some(SavedSpan { since: ban.since, until: ban.until });
        self.bans.restore(&ban.target, since, now.after(left), saved);
    }
}

fn save_ban(clocks: &Clocks, target: BanTarget, ban: Ban, exceptions: Vec<BanTarget>) -> SavedBan {
    let SavedSpan { since, until } =
        ban.saved.unwrap_or_else(|| SavedSpan { since: clocks.unix_of(ban.since), until: clocks.unix_at(ban.until) });
    SavedBan { target, since, until, exceptions }
}

/// What is known of the bans of a file, besides those in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RestoredBans {
    /// When they were restored.
    at: Time,
    /// They have ended by the wall clock, which may be ahead: they stay on file for this run, and are in force again if
    /// the clock is set back.
    lapsed: Vec<SavedBan>,
}

impl RestoredBans {
    pub(super) const fn new(at: Time) -> Self {
        Self { at, lapsed: Vec::new() }
    }

    /// It is banned anew.
    pub(super) fn forget(&mut self, target: &BanTarget) {
        self.lapsed.retain(|ban| ban.target != *target);
    }
}

/// Whether the wall clock may be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClockTrust {
    Full,
    None,
}
