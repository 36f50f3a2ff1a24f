//! Tells the application of refused arrivals, merged: a flood of them must cost no more than its counting.

use core::time::Duration;

use crate::types::{Event, Refusal};

use super::{ConnManager, Phase, Timer};

/// The time for which refusals are collected, and so the least time between two events of them.
const COLLECTED_FOR: Duration = Duration::from_secs(1);

impl ConnManager {
    /// An arrival was refused. The first since the last event sets the timer of the next.
    pub(super) fn count_refusal(&mut self, refusal: Refusal) {
        self.stats.refused += 1;
        if self.phase == Phase::Stopped {
            return;
        }
        self.refused.count(refusal);
        if self.single.refusals.is_none() {
            let at = self.now().after(COLLECTED_FOR);
            self.arm(Timer::Refusals, at);
        }
    }

    /// Tells what was collected, if anything was: at the timer, and before the end.
    pub(super) fn tell_refusals(&mut self) {
        if self.single.refusals.is_some() {
            self.disarm(Timer::Refusals);
        }
        let counts = core::mem::take(&mut self.refused);
        if counts.total() > 0 {
            self.tell(Event::Refused { counts });
        }
    }
}
