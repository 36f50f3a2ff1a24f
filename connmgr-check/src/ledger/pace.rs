//! The pace of automatic dials into one network.
//!
//! 640 dials go at full speed, where every 4 s count as a dial. Each 64 more double the interval, from 200 ms up to 10 s.
//! A stable connection restores full speed. These lend 39 dials at full speed: a change of the machine's network, the end
//! of inactivity, and, once between two stable connections, a recovery. A recovery is a network that comes up, the first
//! ready connection after four dials without one, or a connection that lives much longer than those before.
//!
//! It is not always known whether there was a recovery. Then both cases are followed. A dial that only one case allows
//! decides between them; one that neither allows is too fast.

use std::time::Duration;

use connmgr_core::{ConnId, Time};

use crate::step::{StepRecord, TICK};

/// Dials at full speed.
const FULL_SPEED: u64 = 640;
/// So many seconds count as a dial.
const WORTH_A_DIAL: u64 = 4;
/// So many dials more double the interval.
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
/// Dials lent at full speed.
const LENT: u32 = 39;
/// After so many dials that led to no ready connection the next ready one may be a recovery.
const FRUITLESS: u32 = 4;
/// A connection that lives for this long, and twice as long as all before, may be a recovery.
const LONG_LIFE: Duration = Duration::from_secs(5);

/// What may be dialed in one of the two cases.
#[derive(Clone, Copy, Debug)]
struct Leave {
    /// Dials left at full speed.
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
    /// The case of no recovery since a connection was last stable; none if it is ruled out.
    unspent: Option<Leave>,
    /// The case of a recovery; none if it is ruled out.
    spent: Option<Leave>,
    /// The most dials in a row that may have led to no ready connection.
    fruitless: u32,
    /// Dials failed so often, or a connection ended so soon, that a long life may be a recovery.
    was_bad: bool,
    /// The last such failure or end.
    failed_at: Option<Time>,
    /// The longest life of a ready connection that did not become stable; it may have been longer.
    longest_life: Duration,
    /// Ready connections that may not be stable yet, and since when.
    young: Vec<(Time, ConnId)>,
    /// When full speed was last restored, or may have been.
    restored_at: Option<Time>,
    /// What [`Self::turn`] last found.
    was_slowed: bool,
    /// What may be dialed has changed since then.
    is_moved: bool,
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
            is_moved: false,
        }
    }

    /// When the rests of addresses were last forgiven, or may have been.
    pub(crate) const fn restored_at(&self) -> Option<Time> {
        self.restored_at
    }

    /// `Some(true)` if dials have slowed down for certain since the last call, `Some(false)` if they may go at full speed
    /// again.
    pub(crate) fn turn(&mut self) -> Option<bool> {
        if !std::mem::take(&mut self.is_moved) {
            return None;
        }
        let is_slowed = self.leaves().all(|leave| leave.is_slow);
        let has_turned = std::mem::replace(&mut self.was_slowed, is_slowed) != is_slowed;
        has_turned.then_some(is_slowed)
    }

    fn leaves(&self) -> impl Iterator<Item = Leave> {
        [self.unspent, self.spent].into_iter().flatten()
    }

    /// The network is up again: a recovery, if there was none since the last stable connection. Rests are forgiven in any
    /// case.
    pub(crate) fn is_up(&mut self, now: Time) {
        self.may_recover(now);
        (self.unspent, self.is_moved) = (None, true);
        self.restored_at = Some(now);
    }

    /// Full speed was restored, at `since` or later: earlier failures no longer count.
    fn forget_failures(&mut self, since: Time) {
        if self.failed_at.is_none_or(|at| at < since) {
            (self.was_bad, self.fruitless) = (false, 0);
        }
    }

    /// A change of the machine's network may have taken effect.
    pub(crate) const fn may_start_over(&mut self, now: Time) {
        self.start_over(now);
        self.restored_at = Some(now);
    }

    /// The manager is active again.
    pub(crate) const fn start_over(&mut self, now: Time) {
        (self.unspent, self.spent, self.is_moved) = (Some(Leave::LENT), None, true);
        (self.began, self.longest_life) = (now, Duration::ZERO);
    }

    /// A connection is stable, or may be. Lent dials are kept, for it may have been stable before they were lent.
    fn may_be_stable(&mut self, now: Time) {
        let lent = self.leaves().map(|leave| leave.lent).max().unwrap_or(0);
        (self.unspent, self.spent, self.is_moved) = (Some(Leave { lent, ..Leave::FULL }), None, true);
        (self.dials, self.longest_life) = (0, Duration::ZERO);
        self.restored_at = Some(now);
    }

    /// There may be a recovery.
    const fn may_recover(&mut self, now: Time) {
        if self.unspent.is_some() {
            (self.spent, self.is_moved) = (Some(Leave::LENT), true);
            self.restored_at = Some(now);
        }
    }

    /// A dial or connection ended without becoming ready.
    pub(crate) const fn failed(&mut self, now: Time) {
        self.fruitless = self.fruitless.saturating_add(1);
        self.was_bad |= self.fruitless >= FRUITLESS;
        self.failed_at = Some(now);
    }

    /// A connection became ready in this step, or may have. It may have ended in the same step.
    pub(crate) const fn ready(&mut self, is_sure: bool, now: Time) {
        if self.fruitless >= FRUITLESS {
            self.may_recover(now);
        }
        if is_sure {
            self.fruitless = 0;
        }
    }

    /// It is still ready at the end of the step.
    pub(crate) fn stays(&mut self, id: ConnId, now: Time) {
        self.young.push((now, id));
    }

    /// A ready connection ended, or was adopted by an added peer.
    pub(crate) fn left(&mut self, id: ConnId, has_ended: bool, stable_after: Duration, now: Time) {
        self.check_lives(now);
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

    /// A long life may have been a recovery at any time until now.
    fn check_lives(&mut self, now: Time) {
        let enough = (self.longest_life * 2).max(LONG_LIFE);
        if self.was_bad && self.young.iter().any(|(since, _)| now.since(*since) >= enough) {
            self.may_recover(now);
        }
    }

    /// Time has passed: connections may be stable. They are for certain after a due timeout that leaves no work.
    pub(crate) fn pass(&mut self, step: &StepRecord, stable_after: Duration) {
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

    /// Counts a dial. Returns whether it is in time; one that is exempt always is.
    pub(crate) fn dial(&mut self, need_be_in_time: bool, now: Time) -> bool {
        self.check_lives(now);
        self.is_moved = true;
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
