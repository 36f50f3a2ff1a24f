//! The monotonic clock and the wall clock, as last reported.

use core::time::Duration;

use crate::types::{SteadySecond, Time, UnixTime};

/// The latest monotonic time reported, and its offset to the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clocks {
    now: Time,
    /// The monotonic time at which the wall clock was last read.
    set_at: Time,
    /// What the wall clock said at `set_at`.
    unix_then: UnixTime,
}

impl Clocks {
    pub(super) const fn new(unix: UnixTime, now: Time) -> Self {
        Self { now, set_at: now, unix_then: unix }
    }

    /// Time never goes back: an earlier `now` counts as the latest one seen.
    pub(super) fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// The wall clock now says `unix`.
    pub(super) const fn set_unix(&mut self, unix: UnixTime) {
        self.set_at = self.now;
        self.unix_then = unix;
    }

    pub(super) const fn now(&self) -> Time {
        self.now
    }

    pub(super) fn unix(&self) -> UnixTime {
        self.unix_at(self.now)
    }

    /// The wall-clock time at a monotonic time, past or future.
    pub(super) const fn unix_at(&self, at: Time) -> UnixTime {
        let (at, set_at) = (whole_seconds(at), whole_seconds(self.set_at));
        self.unix_then.after(at.saturating_sub(set_at)).before(set_at.saturating_sub(at))
    }

    /// Converts a date of the present wall clock.
    pub(super) fn steady(&self, told: UnixTime) -> SteadySecond {
        SteadySecond::of(told, self.unix(), self.now)
    }

    /// The date of `second` by the present wall clock.
    pub(super) fn unix_of(&self, second: SteadySecond) -> UnixTime {
        second.unix(self.unix(), self.now)
    }
}

const fn whole_seconds(time: Time) -> Duration {
    Duration::from_secs(time.as_nanos() / 1_000_000_000)
}
