//! The pace of automatic dials into one network, and their yield.
//!
//! Dials that yield nothing slow down. The first [`BURST`] since full speed was restored go as fast as `dial.rate`
//! allows; then each [`STRETCH`] doubles the interval, up to [`SLOWEST`]. Elapsed time counts too, as one dial in
//! [`DIAL_WORTH`], so that dials that take long to fail get no extra hour. So dials without success cost at most 1 400
//! dials in the first hour and 400 in each later one.
//!
//! A *stable* connection restores full speed. A *recovery* grants [`LOAN`] dials at full speed, enough to fill a pool
//! once peers answer again. A recovery is: a network that was down answers; a connection is ready after a stretch in
//! which none was; or a connection lives much longer than those before it. Only one recovery counts between two stable
//! connections, because peers that get ready and leave would cause one after the other.
//!
//! This file knows no addresses, no timers and no other networks.

use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::types::{Time, nanos};

/// Dials at full speed. Where 4 % of the addresses answer, eight connections take 200 dials on average, and more than
/// this once in a million cases.
const BURST: u32 = 640;
/// Elapsed time since the first of them that counts as one dial.
const DIAL_WORTH: Duration = Duration::from_secs(4);
/// This many further dials double the interval.
const STRETCH: u32 = 64;
/// The first interval after the burst.
const FIRST_INTERVAL: Duration = Duration::from_millis(200);
/// The longest interval: 360 dials an hour.
pub(crate) const SLOWEST: Duration = Duration::from_secs(10);
/// The dials that a recovery grants: with them, no hour at the slowest pace has more than 400 dials.
const LOAN: u32 = 39;
/// After this many dials in a row without a ready connection, the next ready one is a recovery.
const DRY: u32 = 4;
/// A connection that lives this many times as long as any before it is a recovery too, …
const TIMES_AS_LONG: u32 = 2;
/// … if it lives at least this long.
const LIVES: Duration = Duration::from_secs(5);
/// Elapsed time beyond this makes no difference: it is worth a burst and six stretches, which lead to the longest
/// interval.
const LONGEST_WORTH: Duration = DIAL_WORTH.saturating_mul(BURST + 6 * STRETCH + 1);
/// The yield is computed from at most this many outcomes; older ones count less and less.
const OUTCOMES: u16 = 64;

/// The pace of automatic dials into one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Dials since full speed was restored.
    fruitless: u32,
    /// When the first of them began.
    began: Time,
    /// Dials still granted at full speed.
    loan: u32,
    next_at: Time,
    /// When the last dial was made, and its number among the dials into all networks.
    last: Option<(Time, u64)>,
    /// Dials in a row without a ready connection.
    dry: u32,
    /// Since full speed was restored: a dry stretch, or a ready connection that ended before it was stable.
    was_bad: bool,
    /// Whether the next recovery counts.
    may_recover: bool,
    /// The longest life of a ready connection that ended before it was stable.
    longest_life: Duration,
    /// No life is a recovery before this time, so none need be looked at. It follows from what happened.
    no_recovery_before: Time,
    outcomes: u16,
    ready: u16,
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self {
            fruitless: 0,
            began: Time::ZERO,
            loan: 0,
            next_at: Time::ZERO,
            last: None,
            dry: 0,
            was_bad: false,
            may_recover: true,
            longest_life: Duration::ZERO,
            no_recovery_before: Time::ZERO,
            outcomes: 0,
            ready: 0,
        }
    }

    /// When the next dial may be made; a past time means now.
    pub(crate) const fn next_at(&self) -> Time {
        self.next_at
    }

    /// When an address that rests may be dialed, if there is no other: at the slowest pace.
    pub(crate) fn next_scarce_at(&self) -> Time {
        self.last.map_or(Time::ZERO, |(at, _)| at.after(SLOWEST)).max(self.next_at)
    }

    /// Whether dials have yielded nothing for so long that they have slowed down.
    pub(crate) const fn is_slowed(&self) -> bool {
        self.fruitless > BURST && self.loan == 0
    }

    /// A dial begins; `turn` is its number among all dials.
    pub(crate) fn record_dial(&mut self, turn: u64, now: Time) {
        if self.fruitless == 0 {
            self.began = now;
        }
        self.fruitless = self.fruitless.saturating_add(1);
        self.last = Some((now, turn));
        match self.loan.checked_sub(1) {
            Some(left) => self.loan = left,
            None => self.next_at = self.next_at.max(now).after(self.interval(now)),
        }
    }

    fn interval(&self, now: Time) -> Duration {
        let waited = u32::try_from(now.since(self.began).as_secs() / DIAL_WORTH.as_secs()).unwrap_or(u32::MAX);
        let Some(beyond) = self.fruitless.saturating_add(waited).checked_sub(BURST + 1) else { return Duration::ZERO };
        let factor = 1u32.checked_shl(beyond / STRETCH).unwrap_or(u32::MAX);
        FIRST_INTERVAL.saturating_mul(factor).min(SLOWEST)
    }

    /// A dial or handshake has ended without a ready connection.
    pub(crate) fn record_failure(&mut self) {
        self.dry = self.dry.saturating_add(1);
        self.was_bad |= self.dry >= DRY;
        self.record_outcome(0);
    }

    /// A connection is ready. Returns whether that is a recovery, which ends the rests of addresses.
    pub(crate) fn record_ready(&mut self) -> bool {
        let was_dry = self.dry >= DRY;
        self.dry = 0;
        self.record_outcome(1);
        was_dry && self.recover()
    }

    /// The network was down and answers. Recent failures say nothing about its yield.
    pub(crate) const fn record_up(&mut self) {
        self.outcomes = self.ready;
        self.recover();
    }

    const fn recover(&mut self) -> bool {
        let recovers = self.may_recover;
        if recovers {
            self.may_recover = false;
            self.loan = LOAN;
            self.next_at = Time::ZERO;
        }
        recovers
    }

    /// A ready connection has ended before it was stable.
    pub(crate) fn record_short_life(&mut self, life: Duration) {
        self.longest_life = self.longest_life.max(life);
        self.was_bad = true;
    }

    /// How long an unstable ready connection must live to be a recovery; `None` if none can be.
    fn recovering_life(&self) -> Option<Duration> {
        let enough = || self.longest_life.saturating_mul(TIMES_AS_LONG).max(LIVES);
        self.may_recover_by_life().then(enough)
    }

    /// Whether an unstable ready connection can be a recovery.
    const fn may_recover_by_life(&self) -> bool {
        self.was_bad && self.may_recover
    }

    /// Whether an unstable ready connection may have lived long enough to be a recovery.
    pub(crate) fn is_recovery_near(&self, now: Time) -> bool {
        self.may_recover_by_life() && self.no_recovery_before <= now
    }

    /// The longest life of the unstable ready connections is this. Returns whether it is a recovery, which ends the rests
    /// of addresses.
    pub(crate) fn record_long_life(&mut self, life: Duration, now: Time) -> bool {
        let Some(enough) = self.recovering_life() else { return false };
        if life >= enough {
            return self.recover();
        }
        // What is enough grows until a connection is stable, and no other connection is older.
        self.no_recovery_before = now.after(enough.saturating_sub(life));
        false
    }

    /// A connection is stable: restores full speed. Returns whether addresses may have rests that should end.
    pub(crate) const fn record_stable(&mut self) -> bool {
        let was_bad = self.was_bad;
        self.may_recover = true;
        self.longest_life = Duration::ZERO;
        self.no_recovery_before = Time::ZERO;
        self.fruitless = 0;
        self.loan = 0;
        self.next_at = Time::ZERO;
        self.dry = 0;
        self.was_bad = false;
        was_bad
    }

    /// The machine is in another network: earlier results no longer count, and some dials at full speed find out.
    /// Returns whether addresses may have rests that should end.
    pub(crate) const fn start_over(&mut self, now: Time) -> bool {
        let (was_bad, fruitless) = (self.was_bad, self.fruitless);
        self.record_stable();
        (self.fruitless, self.began, self.loan) = (fruitless, now, LOAN);
        (self.outcomes, self.ready) = (0, 0);
        was_bad
    }

    /// Whether recent dials have led to a ready connection.
    pub(crate) const fn is_proven(&self) -> bool {
        self.ready > 0
    }

    /// The yield of dials, from 1 to 4096: the square of the share that leads to a ready connection; a share of one
    /// half if nothing is known. Squared, because a network that refuses at once would otherwise be dialed many times
    /// while handshakes in another network take long.
    pub(crate) fn yields(&self) -> u64 {
        let share = (u64::from(self.ready) + 1) * 64 / (u64::from(self.outcomes) + 2);
        (share * share).max(1)
    }

    /// The number of the last dial, by which networks take turns.
    pub(crate) fn last_turn(&self) -> u64 {
        self.last.map_or(0, |(_, turn)| turn)
    }

    fn record_outcome(&mut self, ready: u16) {
        if self.outcomes >= OUTCOMES {
            self.outcomes /= 2;
            self.ready /= 2;
        }
        self.outcomes += 1;
        self.ready += ready;
    }

    /// Hashes what decides the future, with times relative to `now`.
    pub(crate) fn fingerprint<H: Hasher>(&self, now: Time, to: &mut H) {
        let ahead = |at: Time| nanos(at.since(now));
        let waited = (self.fruitless > 0).then(|| now.since(self.began).min(LONGEST_WORTH));
        (self.fruitless, waited, self.loan, ahead(self.next_at), ahead(self.next_scarce_at())).hash(to);
        (self.dry.min(DRY), self.was_bad, self.may_recover, self.longest_life).hash(to);
        (self.outcomes, self.ready).hash(to);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;
    use std::{println, vec};

    use super::*;

    /// The dials that a pace allows in each of the first `hours` hours if none succeeds.
    fn fruitless_hours(hours: usize) -> Vec<u32> {
        let (mut pace, mut now, mut dials) = (Pace::new(), Time::ZERO, vec![0; hours]);
        while let Some(hour) = dials.get_mut(usize::try_from(now.as_nanos() / 3_600_000_000_000).expect("few hours")) {
            *hour += 1;
            pace.record_dial(1, now);
            pace.record_failure();
            // The rate of all automatic dials.
            now = pace.next_at().max(now.after(Duration::from_millis(100)));
        }
        dials
    }

    #[test]
    fn fruitless_dials_slow_down_to_one_in_ten_seconds() {
        let hours = fruitless_hours(24);
        println!("{hours:?}");
        assert!(hours[0] <= 1_400 && hours[1..].iter().all(|dials| *dials <= 370), "{hours:?}");
        assert!(hours.iter().sum::<u32>() <= 9_800, "{hours:?}");
    }

    #[test]
    fn the_burst_is_at_full_speed() {
        let mut pace = Pace::new();
        (0..BURST).for_each(|_| pace.record_dial(1, Time::ZERO));
        assert_eq!(pace.next_at(), Time::ZERO);
        pace.record_dial(1, Time::ZERO);
        assert_eq!(pace.next_at(), Time::ZERO.after(FIRST_INTERVAL));
    }

    fn dry(pace: &mut Pace) {
        (0..DRY).for_each(|_| pace.record_failure());
    }

    #[test]
    fn the_first_ready_one_after_a_dry_stretch_is_a_recovery_once() {
        let mut pace = Pace::new();
        assert!(!pace.record_ready(), "nothing had failed");
        dry(&mut pace);
        assert!(pace.record_ready());
        dry(&mut pace);
        assert!(!pace.record_ready(), "it was not stable");
        pace.record_stable();
        dry(&mut pace);
        assert!(pace.record_ready());
    }

    #[test]
    fn ready_and_gone_is_no_recovery_but_a_life_much_longer_than_all_before_is() {
        let mut pace = Pace::new();
        let now = Time::ZERO;
        assert!(!pace.record_long_life(Duration::from_secs(50), now), "nothing had failed");
        for _ in 0..=BURST {
            pace.record_dial(1, Time::ZERO);
            assert!(!pace.record_ready());
            pace.record_short_life(Duration::from_secs(3));
        }
        assert!(!pace.record_long_life(Duration::from_secs(5), now));
        assert!(pace.record_long_life(Duration::from_secs(6), now));
        assert!(!pace.record_long_life(Duration::from_secs(7), now), "once");
    }

    #[test]
    fn a_life_is_looked_at_again_when_it_can_be_long_enough() {
        let (mut pace, now) = (Pace::new(), Time::from_secs(100));
        assert!(!pace.is_recovery_near(now), "nothing had failed");
        dry(&mut pace);
        assert!(pace.is_recovery_near(now) && !pace.record_long_life(Duration::from_secs(2), now));
        let at = now.after(LIVES - Duration::from_secs(2));
        assert!(!pace.is_recovery_near(Time::from_nanos(at.as_nanos() - 1)) && pace.is_recovery_near(at));
        // Later, less may be enough.
        pace.record_stable();
        dry(&mut pace);
        assert!(pace.is_recovery_near(now));
    }

    #[test]
    fn a_recovery_lends_some_dials_and_no_more() {
        let mut pace = Pace::new();
        let slow = |pace: &mut Pace| {
            let now = pace.next_at();
            pace.record_dial(1, now);
            pace.next_at().since(now)
        };
        (0..2000).for_each(|_| {
            slow(&mut pace);
        });
        pace.record_up();
        pace.record_up();
        assert_eq!((0..LOAN).map(|_| slow(&mut pace)).max(), Some(Duration::ZERO));
        assert_eq!(slow(&mut pace), SLOWEST);
    }

    #[test]
    fn what_failed_in_an_outage_says_nothing_of_the_yield_after_it() {
        let mut pace = Pace::new();
        pace.record_ready();
        (0..60).for_each(|_| pace.record_failure());
        pace.record_up();
        assert_eq!((pace.yields(), pace.is_proven()), (1764, true));
    }

    #[test]
    fn the_yield_follows_what_happens() {
        let mut pace = Pace::new();
        assert_eq!((pace.yields(), pace.is_proven()), (1024, false));
        pace.record_ready();
        assert_eq!((pace.yields(), pace.is_proven()), (1764, true));
        (0..200).for_each(|_| pace.record_failure());
        assert!(pace.yields() < 8 && !pace.is_proven(), "{}", pace.yields());
    }
}
