//! Whether the wall clock may be right, judged by the file of an earlier run.
//!
//! A machine without a battery wakes up in 1970, or where it was when it was switched off. It knows nothing about what
//! is dated by the clock; the book and the bans keep the dates that came in until there is no doubt.

use alloc::vec::Vec;
use core::time::Duration;

use crate::types::{SavedAddress, SavedBan, Snapshot, Time, UnixTime};

use super::ConnManager;
use super::clocks::Clocks;

/// No clock that is right says less: 2020-01-01. Machines without a battery wake up in 1970, 2000 or 2010.
const EARLIEST: UnixTime = UnixTime::from_secs(1_577_836_800);

/// A clock that is this far ahead of all that is on file may be wrong.
const LONGEST_GAP: Duration = Duration::from_secs(60 * 24 * 3600);

/// A clock is behind if there is more than one date ahead of it for this many in the 60 days before. A few are left by a
/// clock that was ahead itself.
const RECENT_FOR_ONE_AHEAD: usize = 8;

/// When things happened, by a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// Our dials and successes; if there were none, what others said. Sorted.
    met: Vec<UnixTime>,
    /// The beginnings of bans. Sorted.
    banned: Vec<UnixTime>,
}

impl Evidence {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let own = |saved: &SavedAddress| [saved.last_try, saved.last_success];
        let mut met = sorted(snapshot.addresses.iter().flat_map(own));
        if met.is_empty() {
            met = sorted(snapshot.addresses.iter().map(|saved| saved.last_seen));
        }
        Self { met, banned: sorted(snapshot.bans.iter().map(|ban: &SavedBan| ban.since)) }
    }

    /// Whether something on file happened in the 60 days before `unix`, and hardly anything after.
    pub(super) fn supports(&self, unix: UnixTime) -> bool {
        let recent = |dates: &[UnixTime]| {
            let past = &dates[..dates.partition_point(|at| *at <= unix)];
            past.len() - past.partition_point(|at| unix.since(*at) >= LONGEST_GAP)
        };
        let (met, ahead) = (recent(&self.met), self.met.len() - self.met.partition_point(|at| *at <= unix));
        let is_recent = met > 0 || recent(&self.banned) > 0;
        unix >= EARLIEST && is_recent && ahead * RECENT_FOR_ONE_AHEAD <= met
    }

    /// Whether nothing on file speaks against `unix`.
    pub(super) fn allows(&self, unix: UnixTime) -> bool {
        let is_empty = self.met.is_empty() && self.banned.is_empty();
        self.supports(unix) || (is_empty && unix >= EARLIEST)
    }

    /// The latest date; the epoch if there is none.
    fn latest(&self) -> UnixTime {
        self.met.last().max(self.banned.last()).copied().unwrap_or_default()
    }
}

/// What a clock that may be right could have written.
fn sorted(dates: impl Iterator<Item = UnixTime>) -> Vec<UnixTime> {
    let mut dates: Vec<_> = dates.filter(|at| *at >= EARLIEST).collect();
    dates.sort_unstable();
    dates
}

/// The wall clock may be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    born: Time,
    evidence: Evidence,
}

impl ConnManager {
    /// At birth, before anything is restored.
    pub(super) fn doubt_clock(&mut self, evidence: Evidence) {
        let (unix, born) = (self.unix(), self.now());
        if !evidence.allows(unix) {
            self.book.doubt_dates();
            self.doubt = Some(Doubt { born, evidence });
        }
    }

    /// The wall clock was set. If it was in doubt, the ages of the book are judged anew by it; if it is in no doubt now,
    /// this was the last time.
    pub(super) fn judge_book_anew(&mut self) {
        let Some(doubt) = &self.doubt else { return };
        self.book.judge_anew(doubt.born, |at| self.clocks.unix_at(at));
        if doubt.evidence.allows(self.clocks.unix_at(doubt.born)) {
            self.book.trust_dates();
            self.doubt = None;
        }
        if !self.book.is_empty() {
            self.save_book_later();
            self.wake_starved();
            self.plan();
        }
    }

    /// The clocks for what is saved: a wall clock in doubt is not before all that is on file.
    pub(super) fn clocks_for_saving(&self) -> Clocks {
        let mut clocks = self.clocks.clone();
        if let Some(doubt) = &self.doubt {
            let passed = self.now().since(doubt.born);
            clocks.set_unix(self.unix().max(doubt.evidence.latest().after(passed)));
        }
        clocks
    }

    /// The wall clock, if it is in no doubt.
    pub(super) fn trusted_unix(&self) -> Option<UnixTime> {
        self.doubt.is_none().then(|| self.unix())
    }
}
