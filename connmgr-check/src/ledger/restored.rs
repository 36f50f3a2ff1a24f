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

/// The earliest date that a clock may show: 2020-01-01.
const EARLIEST: UnixTime = UnixTime::from_secs(1_577_836_800);

/// Whether a clock may be right: it is not before 2020, and something on file happened in the 60 days before; of what we
/// did ourselves (or, if that is nothing, of what others said), eight times as much as after it.
pub(super) fn is_credible(unix: UnixTime, snapshot: &Snapshot) -> bool {
    let own = |saved: &SavedAddress| [saved.last_try, saved.last_success];
    let mut met: Vec<UnixTime> = snapshot.addresses.iter().flat_map(own).filter(|at| *at >= EARLIEST).collect();
    if met.is_empty() {
        met = snapshot.addresses.iter().map(|saved| saved.last_seen).filter(|at| *at >= EARLIEST).collect();
    }
    let is_recent = |at: UnixTime| at >= EARLIEST && at <= unix && unix.since(at) < Duration::from_secs(60 * 86_400);
    let recent = met.iter().filter(|at| is_recent(**at)).count();
    let ahead = met.iter().filter(|at| **at > unix).count();
    let is_banned = |ban: &SavedBan| is_recent(ban.since);
    unix >= EARLIEST && (recent > 0 || snapshot.bans.iter().any(is_banned)) && ahead * 8 <= recent
}
