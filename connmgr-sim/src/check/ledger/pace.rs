//! How fast automatic dials into one network may follow one another, as far as inputs and actions tell.
//!
//! 512 dials go at full speed; each 64 more double the interval, from 200 ms up to 10 s. What restores full speed for
//! certain is told: a network that is up again, a connection that is stable, a change of the machine's network. What
//! may, once between two stable ones, is the first ready connection after eight dials that led to none, and a life much
//! longer than those before. Where one of these came, both are followed: that it restored full speed, and that it did
//! not. A dial that only one allows says which it was; one that neither allows is too fast.

use std::time::Duration;

use connmgr_core::{ConnId, Time};

use crate::check::step::{Step, TICK};

/// Dials at full speed.
const FULL_SPEED: u32 = 512;
/// So many more double the interval.
const DOUBLED_EACH: u32 = 64;
const INTERVALS: [Duration; 7] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(3200),
    Duration::from_millis(6400),
    Duration::from_secs(10),
];
/// A change of the machine's network leaves so many dials at full speed at the least.
const LEFT_BY_CHANGE: u32 = 64;
/// After so many dials that led to no ready connection the next ready one may be a recovery.
const FRUITLESS: u32 = 8;
/// A life of this, and twice as long as those before, may be one.
const LONG_LIFE: Duration = Duration::from_secs(5);

/// Dials since full speed was restored.
#[derive(Clone, Copy, Debug, Default)]
struct Speed {
    dials: u32,
    next_at: Time,
}

/// The pace of automatic dials into one network.
#[derive(Clone, Debug)]
pub(crate) struct DialPace {
    /// If no recovery was taken for one since a connection was last stable; none if that can't be.
    unspent: Option<Speed>,
    /// If one was.
    spent: Option<Speed>,
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
            unspent: Some(Speed { dials: 0, next_at: Time::ZERO }),
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

    /// When full speed was last restored, and rests of addresses forgiven; or may have been.
    pub(crate) const fn restored_at(&self) -> Option<Time> {
        self.restored_at
    }

    /// Whether dials have slowed down for certain, or may go at full speed again, since this was last asked.
    pub(crate) fn turn(&mut self) -> Option<bool> {
        let is_slowed = self.speeds().all(|speed| speed.dials > FULL_SPEED);
        let has_turned = std::mem::replace(&mut self.was_slowed, is_slowed) != is_slowed;
        has_turned.then_some(is_slowed)
    }

    fn speeds(&self) -> impl Iterator<Item = Speed> {
        [self.unspent, self.spent].into_iter().flatten()
    }

    /// The network is up again.
    pub(crate) fn is_up(&mut self, now: Time) {
        self.unspent = self.unspent.map(|_| Speed::default());
        self.spent = self.spent.map(|_| Speed::default());
        self.forget_failures(now);
        self.restored_at = Some(now);
    }

    /// Full speed was restored, not before this: failures before it count no more.
    fn forget_failures(&mut self, since: Time) {
        if self.failed_at.is_none_or(|at| at < since) {
            (self.was_bad, self.fruitless) = (false, 0);
        }
    }

    /// The machine's network may have changed, with effect.
    pub(crate) fn may_start_over(&mut self, now: Time) {
        let dials = self.speeds().map(|speed| speed.dials).min().unwrap_or(0).min(FULL_SPEED - LEFT_BY_CHANGE);
        (self.unspent, self.spent) = (Some(Speed { dials, next_at: Time::ZERO }), None);
        self.longest_life = Duration::ZERO;
        self.restored_at = Some(now);
    }

    /// A connection is stable, or may be.
    fn may_be_stable(&mut self, now: Time) {
        (self.unspent, self.spent) = (Some(Speed::default()), None);
        self.longest_life = Duration::ZERO;
        self.restored_at = Some(now);
    }

    /// Something may be a recovery, though no connection is stable.
    fn may_recover(&mut self, now: Time) {
        if self.unspent.is_some() {
            self.spent = Some(Speed::default());
            self.restored_at = Some(now);
        }
    }

    /// A dial, or what came of it, has ended without being ready.
    pub(crate) const fn failed(&mut self, now: Time) {
        self.fruitless = self.fruitless.saturating_add(1);
        self.was_bad |= self.fruitless >= FRUITLESS;
        self.failed_at = Some(now);
    }

    /// A connection was ready in this step; it may have ended since.
    pub(crate) fn ready(&mut self, now: Time) {
        if self.fruitless >= FRUITLESS {
            self.may_recover(now);
        }
        self.fruitless = 0;
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
            self.unspent = self.unspent.filter(|speed| speed.next_at <= now);
            self.spent = self.spent.filter(|speed| speed.next_at <= now);
        }
        let in_time = self.speeds().next().is_some();
        for speed in [&mut self.unspent, &mut self.spent].into_iter().flatten() {
            speed.dial(now);
        }
        in_time
    }
}

impl Speed {
    fn dial(&mut self, now: Time) {
        self.dials = self.dials.saturating_add(1);
        let Some(beyond) = self.dials.checked_sub(FULL_SPEED + 1) else {
            self.next_at = self.next_at.max(now);
            return;
        };
        let place = (beyond / DOUBLED_EACH) as usize;
        self.next_at = self.next_at.max(now).after(INTERVALS[place.min(INTERVALS.len() - 1)]);
    }
}
