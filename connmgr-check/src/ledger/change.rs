//! When a change of the machine's network may have its effect: at once, or, told within a minute of the last one, when
//! that minute is over and a timeout says so.

use std::time::Duration;

use connmgr_core::Time;

use crate::step::{Step, TICK};

/// Changes have an effect once in so long.
const EVERY: Duration = Duration::from_secs(60);

/// What is known of the effects of changes. Where the step of an effect is not known, the first and the last that it
/// may have been.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Changes {
    /// The latest effect.
    last: Option<(Time, Time)>,
    /// Another is to come, not before this.
    pending: Option<(Time, Time)>,
    /// Timeouts that may have brought it about: the first of them.
    began: Option<Time>,
    /// Another change was told since.
    again: bool,
    /// It may come in this step.
    now: bool,
}

impl Changes {
    /// A step begins that tells of no change.
    pub(crate) fn pass(&mut self, step: &Step) {
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
        // Whether another was pending already is not always known.
        let soonest = now.after(TICK);
        let (first, last) = (first.max(soonest), last.max(soonest));
        let (earlier, later) = self.pending.unwrap_or((first, last));
        self.pending = Some((first.min(earlier), last.max(later)));
        if self.now {
            self.began.get_or_insert(now);
        }
    }

    /// The step is over.
    pub(crate) fn settle(&mut self, step: &Step) {
        let (Some(began), Some((_, last))) = (self.began, self.pending) else { return };
        if step.is_due_timeout() && step.is_settled() && last <= step.now {
            self.last = Some((began, step.now));
            self.began = None;
            let again = std::mem::take(&mut self.again);
            self.pending = again.then(|| (began.after(EVERY), step.now.after(EVERY)));
        }
    }

    /// Whether a change may have its effect in this step.
    pub(crate) const fn may_have_effect(&self) -> bool {
        self.now
    }
}
