//! The two clocks, as last told.

use core::time::Duration;

use crate::types::{SteadySecond, Time, UnixTime};

/// The latest monotonic time told, and the offset to what the world's clocks say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clocks {
    now: Time,
    /// At this monotonic time …
    set_at: Time,
    /// … the world's clocks said this.
    unix_then: UnixTime,
}

impl Clocks {
    pub(super) const fn new(unix: UnixTime, now: Time) -> Self {
        Self { now, set_at: now, unix_then: unix }
    }

    /// Time moves forward: an earlier `now` counts as the latest one seen.
    pub(super) fn advance(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// The world's clocks were found to say this.
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

    /// What the world's clocks will say, or said, at a monotonic time. Their seconds begin with its seconds, so that
    /// between two steps all that is told in the one comes back from the other to the second.
    pub(super) const fn unix_at(&self, at: Time) -> UnixTime {
        let (at, set_at) = (whole_seconds(at), whole_seconds(self.set_at));
        self.unix_then.after(at.saturating_sub(set_at)).before(set_at.saturating_sub(at))
    }

    /// Told by the world's clocks now.
    pub(super) fn steady(&self, told: UnixTime) -> SteadySecond {
        SteadySecond::of(told, self.unix(), self.now)
    }

    /// What the world's clocks call it now.
    pub(super) fn unix_of(&self, second: SteadySecond) -> UnixTime {
        second.unix(self.unix(), self.now)
    }
}

const fn whole_seconds(time: Time) -> Duration {
    Duration::from_secs(time.as_nanos() / 1_000_000_000)
}
