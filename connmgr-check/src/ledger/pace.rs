//! How fast automatic dials into one network may follow one another, as far as inputs and actions tell.
//!
//! 640 dials go at full speed, time counting as one in 4 s; each 64 more double the interval, from 200 ms up to 10 s.
//! What restores full speed for certain is told: a connection that is stable. What lends 39 dials at full speed is a
//! change of the machine's network, the end of a rest, and, once between two stable connections, a recovery: a network
//! that is up again, the first ready connection after four dials that led to none, or a life much longer than those
//! before. Where something may have been a recovery, both are followed: that it was, and that it was not. A dial that
//! only one allows says which; one that neither allows is too fast.

use std::time::Duration;

use connmgr_core::{ConnId, Time};

use crate::step::{Step, TICK};

/// Dials at full speed.
const FULL_SPEED: u64 = 640;
/// Time that counts as one.
const WORTH_A_DIAL: u64 = 4;
/// So many more double the interval.
const DOUBLED_EACH: u64 = 64;
const INTERVALS: [Duration; 7] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
    Duration::from_millis(6400),
    Duration::from_secs(10),
];
/// Dials that are lent.
const LENT: u32 = 39;
/// After so many dials that led to no ready connection the next ready one may be a recovery.
const FRUITLESS: u32 = 4;
/// A life of this, and twice as long as those before, may be one.
const LONG_LIFE: Duration = Duration::from_secs(5);

/// What may be dialed.
#[derive(Clone, Copy, Debug)]
struct Leave {
    /// So many dials more at full speed.
    lent: u32,
    next_at: Time,
    /// It has slowed down.
    is_slow: bool,
}

impl Leave {
    const FULL: Self = Self { lent: 0, next_at: Time::ZERO, is_slow: false };
    const LENT: Self = Self { lent: LENT, ..Self::FULL };

    fn dial(&mut self, interval: Duration, now: Time) {
        match self.lent.checked_sub(1) {
            Some(left) => self.lent = left,
            None => self.next_at = self.next_at.max(now).after(interval),
        }
        self.is_slow = self.lent == 0 && !interval.is_zero();
    }
}

/// The pace of automatic dials into one network.
#[derive(Clone, Debug)]
pub(crate) struct DialPace {
    /// Dials since full speed was restored.
    dials: u64,
    /// When the first of them began, or time was last counted anew.
    began: Time,
    /// If there was no recovery since a connection was last stable; none if that can't be.
    unspent: Option<Leave>,
    /// If there was one.
    spent: Option<Leave>,
    /// Dials in a row, at most, that led to no ready connection.
    fruitless: u32,
    /// Something has failed so often, or ended so soon, that a recovery may be one.
    was_bad: bool,
    /// When that was last.
    failed_at: Option<Time>,
    /// The longest life of a connection that was ready and not stable, at least.
    longest_life: Duration,
    /// Connections that are ready and not stable for certain.
    young: Vec<(Time, ConnId)>,
    /// When full speed was last restored, or may have been.
    restored_at: Option<Time>,
    /// It had slowed down when it was last asked.
    was_slowed: bool,
}

impl DialPace {
    pub(crate) const fn new() -> Self {
        Self {
            dials: 0,
            began: Time::ZERO,
            unspent: Some(Leave::FULL),
            spent: None,
            fruitless: 0,
            was_bad: false,
            failed_at: None,
            longest_life: Duration::ZERO,
            young: Vec::new(),
            restored_at: None,
            was_slowed: false,
        }
    }

    /// When rests of addresses were last forgiven, or may have been.
    pub(crate) const fn restored_at(&self) -> Option<Time> {
        self.restored_at
    }

    /// Whether dials have slowed down for certain, or may go at full speed again, since this was last asked.
    pub(crate) fn turn(&mut self) -> Option<bool> {
        let is_slowed = self.leaves().all(|leave| leave.is_slow);
        let has_turned = std::mem::replace(&mut self.was_slowed, is_slowed) != is_slowed;
        has_turned.then_some(is_slowed)
    }

    fn leaves(&self) -> impl Iterator<Item = Leave> {
        [self.unspent, self.spent].into_iter().flatten()
    }

    /// The network is up again: a recovery, if there was none. Rests are forgiven each time.
    pub(crate) fn is_up(&mut self, now: Time) {
        self.may_recover(now);
        self.unspent = None;
        self.restored_at = Some(now);
    }

    /// Full speed was restored, not before this: failures before it count no more.
    fn forget_failures(&mut self, since: Time) {
        if self.failed_at.is_none_or(|at| at < since) {
            (self.was_bad, self.fruitless) = (false, 0);
        }
    }

    /// The machine's network may have changed, with effect.
    pub(crate) const fn may_start_over(&mut self, now: Time) {
        self.start_over(now);
        self.restored_at = Some(now);
    }

    /// There is work again after a rest.
    pub(crate) const fn start_over(&mut self, now: Time) {
        (self.unspent, self.spent) = (Some(Leave::LENT), None);
        (self.began, self.longest_life) = (now, Duration::ZERO);
    }

    /// A connection is stable, or may be: what was lent it keeps, for it may have been stable before.
    fn may_be_stable(&mut self, now: Time) {
        let lent = self.leaves().map(|leave| leave.lent).max().unwrap_or(0);
        (self.unspent, self.spent) = (Some(Leave { lent, ..Leave::FULL }), None);
        (self.dials, self.longest_life) = (0, Duration::ZERO);
        self.restored_at = Some(now);
    }

    /// Something may be a recovery, though no connection is stable.
    const fn may_recover(&mut self, now: Time) {
        if self.unspent.is_some() {
            self.spent = Some(Leave::LENT);
            self.restored_at = Some(now);
        }
    }

    /// A dial, or what came of it, has ended without being ready.
    pub(crate) const fn failed(&mut self, now: Time) {
        self.fruitless = self.fruitless.saturating_add(1);
        self.was_bad |= self.fruitless >= FRUITLESS;
        self.failed_at = Some(now);
    }

    /// A connection was ready in this step, or may have been; it may have ended since.
    pub(crate) const fn ready(&mut self, is_sure: bool, now: Time) {
        if self.fruitless >= FRUITLESS {
            self.may_recover(now);
        }
        if is_sure {
            self.fruitless = 0;
        }
    }

    /// It is ready still.
    pub(crate) fn stays(&mut self, id: ConnId, now: Time) {
        self.young.push((now, id));
    }

    /// A ready connection has ended, or belongs to an added peer from now on.
    pub(crate) fn left(&mut self, id: ConnId, has_ended: bool, stable_after: Duration, now: Time) {
        self.judge_lives(now);
        let Some(place) = self.young.iter().position(|(_, young)| *young == id) else { return };
        let (since, _) = self.young.remove(place);
        let life = now.since(since);
        if life >= stable_after {
            self.may_be_stable(now);
        } else if has_ended {
            self.longest_life = self.longest_life.max(life);
            (self.was_bad, self.failed_at) = (true, Some(now));
        }
    }

    /// A connection that has lived for long may have been a recovery at any time until now.
    fn judge_lives(&mut self, now: Time) {
        let enough = (self.longest_life * 2).max(LONG_LIFE);
        if self.was_bad && self.young.iter().any(|(since, _)| now.since(*since) >= enough) {
            self.may_recover(now);
        }
    }

    /// Time has passed: connections may be stable, and are for certain once a timeout has left nothing to be done.
    pub(crate) fn pass(&mut self, step: &Step, stable_after: Duration) {
        if self.young.is_empty() {
            return;
        }
        let stable_at = |since: Time| since.after(stable_after.max(TICK));
        if self.young.iter().any(|(since, _)| stable_at(*since) <= step.now) {
            self.may_be_stable(step.now);
        }
        if !step.is_due_timeout() || !step.is_settled() {
            return;
        }
        while let Some(place) = self.young.iter().position(|(since, _)| stable_at(*since) <= step.now) {
            let (since, _) = self.young.swap_remove(place);
            self.forget_failures(stable_at(since));
        }
    }

    /// A dial begins. Returns whether it is in time; one that need not be is counted all the same.
    pub(crate) fn dial(&mut self, need_be_in_time: bool, now: Time) -> bool {
        self.judge_lives(now);
        if need_be_in_time {
            self.unspent = self.unspent.filter(|leave| leave.next_at <= now);
            self.spent = self.spent.filter(|leave| leave.next_at <= now);
        }
        let in_time = self.leaves().next().is_some();
        if self.dials == 0 {
            self.began = now;
        }
        self.dials += 1;
        let interval = self.interval(now);
        for leave in [&mut self.unspent, &mut self.spent].into_iter().flatten() {
            leave.dial(interval, now);
        }
        in_time
    }

    fn interval(&self, now: Time) -> Duration {
        let waited = now.since(self.began).as_secs() / WORTH_A_DIAL;
        let Some(beyond) = (self.dials + waited).checked_sub(FULL_SPEED + 1) else { return Duration::ZERO };
        let place = usize::try_from(beyond / DOUBLED_EACH).unwrap_or(usize::MAX);
        INTERVALS[place.min(INTERVALS.len() - 1)]
    }
}
