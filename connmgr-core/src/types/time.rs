//! Time as plain numbers.
//!
//! Nothing here reads a clock. [`Time`] is monotonic and is used for every deadline, rate and decay. [`UnixTime`] is
//! used only for what others report and for what is saved. Internally a `UnixTime` is kept as a [`SteadySecond`], so
//! that setting the wall clock changes no age.

use core::fmt;
use core::time::Duration;

/// Nanoseconds since the manager's birth. Monotonic.
///
/// 64 bits last for 584 years; arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The moment of birth.
    pub const ZERO: Self = Self(0);
    /// The greatest time. A deadline at this time never comes.
    pub const MAX: Self = Self(u64::MAX);

    /// The time this many nanoseconds after birth.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The time this many milliseconds after birth.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// The time this many seconds after birth.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since birth.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This time plus `wait`, at most [`Time::MAX`].
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A duration in nanoseconds, saturating at 584 years.
#[inline]
pub(crate) const fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(duration.subsec_nanos() as u64)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 / 1_000_000;
        write!(f, "{}.{:03}s", millis / 1000, millis % 1000)
    }
}

/// Whole seconds since 1970-01-01 UTC, by the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// The time this many seconds after the epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// This time plus `wait` (whole seconds), saturating.
    #[must_use]
    pub const fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait.as_secs()))
    }

    /// This time minus `wait` (whole seconds), not before the epoch.
    #[must_use]
    pub const fn before(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(wait.as_secs()))
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

/// As RFC 3339 writes it, in UTC: `2026-11-30T12:00:00Z`. After the year 9999, which has no such text, the seconds:
/// `@253402300800`.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((year, month, day)) = civil_date(self.0 / SECS_PER_DAY) else { return write!(f, "@{}", self.0) };
        let (minutes, secs) = (self.0 % SECS_PER_DAY / 60, self.0 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{secs:02}Z", minutes / 60, minutes % 60)
    }
}

const SECS_PER_DAY: u64 = 24 * 60 * 60;

/// Year, month and day of a day since 1970-01-01, by the Gregorian calendar; `None` after the year 9999.
fn civil_date(mut day: u64) -> Option<(u64, usize, u64)> {
    let is_leap = |year: u64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let days_of = |year: u64| if is_leap(year) { 366 } else { 365 };
    let mut year = 1970;
    while day >= days_of(year) {
        day -= days_of(year);
        year += 1;
        if year > 9999 {
            return None;
        }
    }
    let february = days_of(year) - 337;
    for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        if day < days {
            return Some((year, month, day + 1));
        }
        day -= days;
    }
    None
}

/// A date that is kept across steps of the wall clock: whole seconds of [`Time`], negative before birth; or never.
///
/// A [`UnixTime`] is converted when it is received, and back when it is shown or saved, each time by its age. Four
/// bytes reach 68 years in both directions; anything beyond counts as the last representable second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SteadySecond(i32);

impl SteadySecond {
    /// Earlier than every other.
    pub(crate) const NEVER: Self = Self(i32::MIN);

    /// The second of `now`.
    pub(crate) fn at(now: Time) -> Self {
        Self::from_secs(i64::try_from(now.as_nanos() / 1_000_000_000).unwrap_or(i64::MAX))
    }

    /// Converts `told`, a date of a wall clock that shows `unix` at `now`.
    pub(crate) fn of(told: UnixTime, unix: UnixTime, now: Time) -> Self {
        if told > unix { Self::at(now).after(told.since(unix)) } else { Self::at(now).before(unix.since(told)) }
    }

    /// The date by a wall clock that shows `unix` at `now`. Only never is the epoch.
    pub(crate) fn unix(self, unix: UnixTime, now: Time) -> UnixTime {
        if self == Self::NEVER {
            return UnixTime::default();
        }
        let present = Self::at(now);
        unix.after(self.since(present)).before(present.since(self)).max(UnixTime::from_secs(1))
    }

    /// This plus `wait`.
    pub(crate) fn after(self, wait: Duration) -> Self {
        Self::from_secs(i64::from(self.0).saturating_add_unsigned(wait.as_secs()))
    }

    /// This minus `wait`.
    pub(crate) fn before(self, wait: Duration) -> Self {
        Self::from_secs(i64::from(self.0).saturating_sub_unsigned(wait.as_secs()))
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        let ahead = if self.0 > earlier.0 { self.0.abs_diff(earlier.0) } else { 0 };
        Duration::from_secs(ahead as u64)
    }

    fn from_secs(secs: i64) -> Self {
        let secs = secs.clamp(i64::from(i32::MIN) + 1, i64::from(i32::MAX));
        Self(i32::try_from(secs).expect("clamped to its range"))
    }
}

#[cfg(feature = "serde")]
mod data {
    use super::{Time, UnixTime};
    crate::types::data::number_as_text!(Time, from_nanos, as_nanos);
    crate::types::data::number_as_text!(UnixTime, from_secs, as_secs);
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIX: UnixTime = UnixTime::from_secs(1_700_000_000);
    const NOW: Time = Time::from_millis(5_999);

    #[test]
    fn a_date_comes_back_as_the_clock_shows_it_now() {
        for told in
            [UnixTime::from_secs(1), UNIX.before(Duration::from_secs(7)), UNIX, UNIX.after(Duration::from_secs(9))]
        {
            let second = SteadySecond::of(told, UNIX, NOW);
            assert_eq!(second.unix(UNIX, NOW), told);
            let (later, turned) = (NOW.after(Duration::from_secs(60)), Duration::from_secs(1_000_000));
            let by_a_turned_clock = second.unix(UNIX.after(turned + Duration::from_secs(60)), later);
            assert_eq!(by_a_turned_clock, told.after(turned));
        }
    }

    #[test]
    fn never_is_the_epoch_and_before_all_else() {
        assert_eq!(SteadySecond::NEVER.unix(UNIX, NOW), UnixTime::default());
        let first = SteadySecond::of(UnixTime::default(), UnixTime::from_secs(u64::MAX), Time::ZERO);
        assert!(SteadySecond::NEVER < first);
        assert_eq!(first.unix(UnixTime::default(), Time::MAX), UnixTime::from_secs(1));
    }

    #[test]
    fn what_is_out_of_reach_is_as_far_as_can_be() {
        let last = SteadySecond::at(Time::MAX);
        assert_eq!(last.after(Duration::MAX), last);
        assert_eq!(last.since(SteadySecond::NEVER.before(Duration::MAX)).as_secs(), u64::from(u32::MAX) - 1);
    }
}
