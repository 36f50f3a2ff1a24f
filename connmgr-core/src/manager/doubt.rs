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

/// A clock is behind if there is more than one date ahead of it for this many in the 60 days before. A few are left by
/// a clock that was ahead itself.
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
        self.supports(unix) || (self.is_empty() && unix >= EARLIEST)
    }

    /// Whether nothing is on file.
    fn is_empty(&self) -> bool {
        self.met.is_empty() && self.banned.is_empty()
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
    dates.shrink_to_fit();
    dates
}

/// How long a clock that fits may be one that went on where the machine was switched off.
const STALE_FOR: Duration = Duration::from_secs(3600);

/// Such a clock is corrected by this, or the correction is none.
const STALE_BY: Duration = LONGEST_GAP;

/// A step of less is not worth judging anything anew.
const LEAST_STEP: Duration = Duration::from_secs(24 * 3600);

/// The wall clock may be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    why: Why,
    born: Time,
    /// What the clock, as the book is judged by it, showed at birth.
    unix_born: UnixTime,
    evidence: Evidence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It does not fit what is on file.
    Unfit,
    /// It fits. But a machine without a battery may save the time when it is switched off, and go on from there: then
    /// the clock is set far ahead soon after birth, before this time.
    Stale(Time),
}

impl Doubt {
    /// Why there is still doubt about a clock that at birth would have shown `unix`; `None` if there is none.
    fn why(evidence: &Evidence, unix: UnixTime) -> Option<Why> {
        (!evidence.allows(unix)).then_some(Why::Unfit)
    }

    /// Whether the ages of the book depend on a clock that at birth would have shown `unix`.
    fn is_moved_by(&self, unix: UnixTime) -> bool {
        match self.why {
            Why::Unfit => unix.since(self.unix_born).max(self.unix_born.since(unix)) >= LEAST_STEP,
            Why::Stale(_) => unix.since(self.unix_born) >= STALE_BY,
        }
    }
}

impl ConnManager {
    /// At birth, before anything is restored.
    pub(super) fn doubt_clock(&mut self, evidence: Evidence) {
        let (unix_born, born) = (self.unix(), self.now());
        let is_known = !evidence.is_empty();
        let stale = is_known.then(|| Why::Stale(born.after(STALE_FOR)));
        if let Some(why) = Doubt::why(&evidence, unix_born).or(stale) {
            self.book.doubt_dates();
            self.doubt = Some(Doubt { why, born, unix_born, evidence });
        }
    }

    /// The wall clock was set. If it was in doubt, the ages of the book are judged anew by it; if it is in no doubt
    /// now, this was the last time.
    pub(super) fn judge_book_anew(&mut self) {
        let Some(doubt) = &mut self.doubt else { return };
        let unix_born = self.clocks.unix_at(doubt.born);
        let why = Doubt::why(&doubt.evidence, unix_born);
        let is_over = why.is_none() && doubt.why == Why::Unfit;
        if !doubt.is_moved_by(unix_born) && !is_over {
            return;
        }
        doubt.unix_born = unix_born;
        doubt.why = why.unwrap_or(doubt.why);
        self.book.judge_anew(doubt.born, |at| self.clocks.unix_at(at));
        if is_over {
            self.trust_clock();
        }
        if !self.book.is_empty() {
            self.save_book_later();
            self.wake_starved();
            self.plan();
        }
    }

    /// A clock that fitted at birth, and was not set far ahead soon, was right.
    pub(super) fn trust_clock_in_time(&mut self) {
        let now = self.now();
        if self.doubt.as_ref().is_some_and(|doubt| matches!(doubt.why, Why::Stale(until) if until <= now)) {
            self.trust_clock();
        }
    }

    fn trust_clock(&mut self) {
        self.book.trust_dates();
        self.doubt = None;
    }

    /// Whether the wall clock does not fit what is on file.
    pub(super) fn is_clock_unfit(&self) -> bool {
        self.doubt.as_ref().is_some_and(|doubt| doubt.why == Why::Unfit)
    }

    /// The clocks for what is saved: a wall clock that does not fit what is on file is not before all of it.
    pub(super) fn clocks_for_saving(&self) -> Clocks {
        let mut clocks = self.clocks.clone();
        if let Some(doubt) = self.doubt.as_ref().filter(|doubt| doubt.why == Why::Unfit) {
            let passed = self.now().since(doubt.born);
            clocks.set_unix(self.unix().max(doubt.evidence.latest().after(passed)));
        }
        clocks
    }
}
