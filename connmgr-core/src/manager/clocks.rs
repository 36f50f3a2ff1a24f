//! The two clocks, as last told.

use crate::time::{Time, UnixTime};

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

    /// What the world's clocks will say, or said, at a monotonic time.
    pub(super) fn unix_at(&self, at: Time) -> UnixTime {
        if at >= self.set_at {
            self.unix_then.after(at.since(self.set_at))
        } else {
            self.unix_then.before(self.set_at.since(at))
        }
    }
}
