//! The core's two clocks, read from the machine's.
//!
//! [`Time`] is read from [`Instant`], which is monotonic. [`UnixTime`] is the machine's wall clock. Operators and time
//! servers set it, and the core is told when they do.
//!
//! While a machine is suspended, `Instant` stops on Linux and macOS and goes on on Windows; a clock that always goes on
//! (`CLOCK_BOOTTIME`) is not in `std`. So after a suspend the core's deadlines may come late by the length of the
//! sleep, which is safe. The UNIX time it learns from [`Clock::drift`] is right.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use connmgr_core::{Time, UnixTime};

/// How far the wall clock may be off before the core is told. The core counts whole seconds.
const TOLERANCE: Duration = Duration::from_secs(1);

/// Deadlines are rounded up to this. Timers of operating systems and runtimes count in milliseconds, and some round
/// down.
const GRAIN_NANOS: u64 = 1_000_000;

/// 30 years: stands for deadlines that [`Instant`] can't hold.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// The core's two clocks.
#[derive(Clone, Debug)]
pub struct Clock {
    birth: Instant,
    /// The UNIX time at birth, as the core knows it.
    unix_at_birth: UnixNanos,
}

/// Nanoseconds since 1970. Negative if the wall clock is set to before 1970.
type UnixNanos = i128;

impl Clock {
    /// Starts the clocks: [`Clock::now`] counts from here.
    pub fn start() -> Self {
        Self { birth: Instant::now(), unix_at_birth: wall() }
    }

    /// The monotonic time.
    pub fn now(&self) -> Time {
        self.at(Instant::now())
    }

    /// The monotonic time at an instant; zero for an instant before the start.
    pub fn at(&self, instant: Instant) -> Time {
        Time::ZERO.after(instant.saturating_duration_since(self.birth))
    }

    /// The UNIX time as the manager knows it. When the machine's clock is set, it jumps only once the manager was told.
    pub fn unix(&self) -> UnixTime {
        seconds(self.expected_wall())
    }

    /// The wall clock's time, if it was set to more than a second from what the manager knows; given once. To be asked
    /// first at every wake-up, for [`Input::Clock`](connmgr_core::Input::Clock).
    pub(crate) fn drift(&mut self) -> Option<UnixTime> {
        self.drift_at(wall())
    }

    fn drift_at(&mut self, wall: UnixNanos) -> Option<UnixTime> {
        let off = wall - self.expected_wall();
        if off.unsigned_abs() <= TOLERANCE.as_nanos() {
            return None;
        }
        self.unix_at_birth += off;
        Some(seconds(wall))
    }

    fn expected_wall(&self) -> UnixNanos {
        self.unix_at_birth + signed(self.birth.elapsed())
    }

    /// When to wake for a deadline: not before it, and at most one millisecond after it.
    pub fn instant(&self, deadline: Time) -> Instant {
        let whole = deadline.as_nanos().div_ceil(GRAIN_NANOS).saturating_mul(GRAIN_NANOS);
        let wait = Duration::from_nanos(whole);
        self.birth.checked_add(wait).unwrap_or_else(|| self.birth + FAR)
    }

    /// How long to wait for a deadline, rounded up to whole milliseconds; zero once it has come.
    pub fn wait(&self, deadline: Time) -> Duration {
        let left = deadline.since(self.now());
        let whole_millis = left.as_nanos().div_ceil(u128::from(GRAIN_NANOS));
        Duration::from_millis(u64::try_from(whole_millis).unwrap_or(u64::MAX))
    }
}

fn wall() -> UnixNanos {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => signed(since),
        Err(before) => -signed(before.duration()),
    }
}

/// Never saturates: a duration has less than 2^94 nanoseconds.
fn signed(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

/// Whole seconds; zero before 1970.
fn seconds(nanos: UnixNanos) -> UnixTime {
    UnixTime::from_secs(u64::try_from(nanos.div_euclid(1_000_000_000)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(n: i128) -> i128 {
        n * 3600 * 1_000_000_000
    }

    #[test]
    fn a_clock_that_was_set_is_reported_once() {
        let mut clock = Clock::start();
        let set = wall() + hours(5);
        assert_eq!(clock.drift_at(set), Some(seconds(set)));
        assert_eq!(clock.drift_at(set), None);
        assert!(clock.unix() >= seconds(set));
    }

    #[test]
    fn a_clock_that_was_set_back_is_reported() {
        let mut clock = Clock::start();
        let set = wall() - hours(5);
        assert_eq!(clock.drift_at(set), Some(seconds(set)));
    }

    #[test]
    fn half_a_second_is_no_drift() {
        let mut clock = Clock::start();
        let set = wall() + 500_000_000;
        assert_eq!(clock.drift_at(set), None);
    }

    #[test]
    fn a_clock_before_1970_is_the_epoch() {
        let mut clock = Clock::start();
        assert_eq!(clock.drift_at(-hours(1)), Some(UnixTime::from_secs(0)));
        assert_eq!(clock.unix(), UnixTime::from_secs(0));
    }

    #[test]
    fn a_deadline_is_rounded_up_to_a_millisecond() {
        let clock = Clock::start();
        let of = |nanos| clock.instant(Time::from_nanos(nanos)) - clock.birth;
        assert_eq!(of(0), Duration::ZERO);
        assert_eq!(of(1), Duration::from_millis(1));
        assert_eq!(of(1_000_000), Duration::from_millis(1));
        assert_eq!(of(1_000_001), Duration::from_millis(2));
    }

    #[test]
    fn waking_at_the_instant_is_never_early() {
        let clock = Clock::start();
        for deadline in [Time::ZERO, Time::from_nanos(1), Time::from_nanos(1_234_567), Time::from_secs(86_400)] {
            assert!(clock.at(clock.instant(deadline)) >= deadline, "{deadline}");
        }
    }

    #[test]
    fn the_end_of_time_can_be_waited_for() {
        let clock = Clock::start();
        assert!(clock.instant(Time::MAX) > clock.birth + Duration::from_secs(3600));
        assert!(clock.wait(Time::MAX) > Duration::from_secs(3600));
    }

    #[test]
    fn there_is_no_wait_for_what_is_past() {
        assert_eq!(Clock::start().wait(Time::ZERO), Duration::ZERO);
        assert!(Clock::start().wait(Time::from_secs(1)) > Duration::from_millis(900));
    }
}
