//! The two clocks, as plain numbers.
//!
//! This file knows no clock: both times are told from outside. [`Time`] is monotonic and carries every
//! deadline, rate and decay; [`UnixTime`] serves only what others say or what outlives the process.

use core::fmt;
use core::time::Duration;

/// Nanoseconds since the manager was born. Monotonic; never read from a clock by this crate.
///
/// 64 bits of nanoseconds last 584 years; arithmetic saturates rather than wraps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The moment of birth.
    pub const ZERO: Self = Self(0);
    /// The end of time; a deadline that never comes.
    pub const MAX: Self = Self(u64::MAX);

    /// A time so many nanoseconds after birth.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// A time so many milliseconds after birth.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A time so many seconds after birth.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since birth.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This time and a while, or [`Time::MAX`].
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A duration as whole nanoseconds, saturating at 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 / 1_000_000;
        write!(f, "{}.{:03}s", millis / 1000, millis % 1000)
    }
}

/// Whole seconds since 1970-01-01 UTC, as the world counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// A time so many seconds after the epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This time and a while (whole seconds), saturating.
    #[must_use]
    pub const fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait.as_secs()))
    }

    /// This time less a while (whole seconds), not before the epoch.
    #[must_use]
    pub const fn before(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(wait.as_secs()))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

#[cfg(feature = "serde")]
mod data {
    use super::{Time, UnixTime};
    crate::data::number_as_text!(Time, from_nanos, as_nanos);
    crate::data::number_as_text!(UnixTime, from_secs, as_secs);
}
