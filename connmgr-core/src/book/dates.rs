//! What the dates of others are worth.

use core::time::Duration;

use super::claims::Told;
use crate::types::{SteadySecond, Time, UnixTime};

/// How far the clocks of others may be ahead of ours.
const CLOCK_SLACK: Duration = Duration::from_secs(10 * 60);
/// A last-seen before this (in 1973) is an error, as in Core.
pub(super) const FIRST_SENSIBLE: UnixTime = UnixTime::from_secs(100_000_000);
/// A last-seen that is not believable counts as this long ago.
const UNBELIEVED: Duration = Duration::from_secs(5 * 24 * 60 * 60);
/// Gossip about others counts as older by this.
const HEARSAY_PENALTY: Duration = Duration::from_secs(2 * 60 * 60);

/// Whether a date may be right, by a wall clock that shows `unix`.
pub(super) fn is_believable(last_seen: UnixTime, unix: UnixTime) -> bool {
    last_seen <= unix.after(CLOCK_SLACK) && last_seen >= FIRST_SENSIBLE
}

/// The date, made believable: 5 days ago if it is more than 10 min ahead, or before 1973.
pub(super) fn believed(last_seen: UnixTime, unix: UnixTime, now: Time) -> SteadySecond {
    if is_believable(last_seen, unix) {
        SteadySecond::of(last_seen, unix, now)
    } else {
        SteadySecond::at(now).before(UNBELIEVED)
    }
}

impl Told {
    /// The age of a report of `at`, by a wall clock that showed `unix`.
    pub(super) fn judged(self, unix: UnixTime, at: Time) -> SteadySecond {
        believed(self.last_seen, unix, at).before(self.penalty())
    }

    /// The date it comes to, believed or not.
    pub(super) fn date(self) -> UnixTime {
        self.last_seen.before(self.penalty())
    }

    const fn penalty(self) -> Duration {
        if self.is_hearsay { HEARSAY_PENALTY } else { Duration::ZERO }
    }
}
