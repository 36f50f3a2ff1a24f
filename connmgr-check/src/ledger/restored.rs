//! Bans of an earlier run that keep the dates of their file.

use core::time::Duration;

use connmgr_core::{SavedAddress, SavedBan, Snapshot, Time, UnixTime};

use super::bans::BanKey;

/// They are judged anew whenever the wall clock is set.
#[derive(Clone, Debug)]
pub(crate) struct RestoredBans {
    /// The manager's birth.
    pub(super) at: Time,
    /// Those in force, and those that have ended by a clock that may be wrong.
    pub(super) dated: Vec<SavedBan>,
}

impl RestoredBans {
    pub(super) const fn new(at: Time) -> Self {
        Self { at, dated: Vec::new() }
    }

    /// The ban is over, or there is another of the same target.
    pub(super) fn forget(&mut self, key: &BanKey) {
        self.dated.retain(|ban| BanKey::of(&ban.target) != *key);
    }
}

/// Whether a clock may be right: it is not before 2020, and something on file happened in the 60 days before.
pub(super) fn is_credible(unix: UnixTime, snapshot: &Snapshot) -> bool {
    let is_recent = |at: UnixTime| at <= unix && unix.since(at) < Duration::from_secs(60 * 86_400);
    let is_met = |saved: &SavedAddress| is_recent(saved.last_try) || is_recent(saved.last_success);
    let is_banned = |ban: &SavedBan| is_recent(ban.since);
    unix >= UnixTime::from_secs(1_577_836_800)
        && (snapshot.addresses.iter().any(is_met) || snapshot.bans.iter().any(is_banned))
}
