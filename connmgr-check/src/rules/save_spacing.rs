//! State is saved no sooner after the last time than `book.save_every`, or than a second after a ban came or went; and
//! bans are saved within that second.

use core::time::Duration;

use connmgr_core::{Action, ConnManager, Event, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;
use crate::step::{Cause, TICK};

/// How soon bans are saved.
const BANS_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct SaveSpacing {
    saved: Option<Time>,
    /// Since when a change of the bans waits to be saved.
    changed: Option<Time>,
}

impl SaveSpacing {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { saved: None, changed: None }
    }

    fn save(&mut self, seen: Seen<'_>) -> Verdict {
        let (saved, changed) = (self.saved.replace(seen.now()), self.changed.take());
        if seen.ledger.phase == Phase::Stopping {
            return Ok(());
        }
        let (now, every) = (seen.now(), seen.ledger.config.book.save_every.max(TICK));
        let spaced = saved.is_none_or(|saved| now >= saved.after(every));
        let banned = changed.is_some_and(|changed| now >= changed.after(BANS_WITHIN));
        hold(spaced || banned, || format!("state is saved at {now}, and was at {saved:?}; bans changed at {changed:?}"))
    }
}

impl Rule for SaveSpacing {
    const PROPERTY: Property = Property::SaveSpacing;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Save => self.save(seen),
            Action::Emit(Event::Banned { .. }) => {
                self.changed = self.changed.or(Some(seen.now()));
                Ok(())
            }
            // A ban that ends by itself is not worth saving: on load it has ended too.
            Action::Emit(Event::Unbanned { .. }) if seen.step.cause == Cause::Unban => {
                self.changed = self.changed.or(Some(seen.now()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let (step, now) = (seen.step, seen.now());
        if !step.is_due_timeout() || !step.is_settled() || seen.ledger.phase == Phase::Stopped || now == Time::MAX {
            return Ok(());
        }
        let missed = self.changed.filter(|at| at.after(BANS_WITHIN).after(TICK) <= now);
        hold(missed.is_none(), || format!("bans changed at {missed:?}, and were not saved at {now}"))
    }
}
