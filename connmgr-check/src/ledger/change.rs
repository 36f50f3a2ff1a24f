//! When a change of the machine's network may take effect: at once, or, within a minute of the last effect, at the first
//! due timeout after that minute.

use std::time::Duration;

use connmgr_core::Time;

use crate::step::{StepRecord, TICK};

/// Changes take effect at most once in so long.
const EVERY: Duration = Duration::from_secs(60);

/// When changes took effect, and will. Where the exact time is not known, the earliest and the latest possible.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changes {
    /// The latest effect.
    last: Option<(Time, Time)>,
    /// When the next effect may come.
    pending: Option<(Time, Time)>,
    /// The first timeout that may have brought the pending effect.
    began: Option<Time>,
    /// Another change came after that timeout.
    again: bool,
    /// An effect may come in this step.
    now: bool,
}

impl Changes {
    /// A step begins whose input is not a change.
    pub(crate) fn pass(&mut self, step: &StepRecord) {
        self.now = step.is_due_timeout() && self.pending.is_some_and(|(first, _)| first <= step.now);
        if self.now {
            self.began.get_or_insert(step.now);
        }
    }

    /// The machine's network has changed.
    pub(crate) fn change(&mut self, now: Time) {
        let Some((first, last)) = self.last.map(|(first, last)| (first.after(EVERY), last.after(EVERY))) else {
            (self.now, self.last) = (true, Some((now, now)));
            return;
        };
        self.now = first <= now;
        if self.began.is_some() {
            self.again = true;
            return;
        }
        if last <= now {
            (self.last, self.pending) = (Some((now, now)), None);
            return;
        }
        // It is not always known whether another effect was pending already.
        let soonest = now.after(TICK);
        let (first, last) = (first.max(soonest), last.max(soonest));
        let (earlier, later) = self.pending.unwrap_or((first, last));
        self.pending = Some((first.min(earlier), last.max(later)));
        if self.now {
            self.began.get_or_insert(now);
        }
    }

    /// The step is over.
    pub(crate) fn settle(&mut self, step: &StepRecord) {
        let (Some(began), Some((_, last))) = (self.began, self.pending) else { return };
        if step.is_due_timeout() && step.is_settled() && last <= step.now {
            self.last = Some((began, step.now));
            self.began = None;
            let again = std::mem::take(&mut self.again);
            self.pending = again.then(|| (began.after(EVERY), step.now.after(EVERY)));
        }
    }

    /// Whether a change may take effect in this step.
    pub(crate) const fn may_have_effect(&self) -> bool {
        self.now
    }
}
