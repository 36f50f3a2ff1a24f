//! Two saves are at least `book.save_every` apart, unless a ban began or was lifted: that is saved after a second, and no
//! later.

use core::time::Duration;

use connmgr_core::{Action, ConnManager, Event, Time};

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::step::{StepCause, TICK};

/// How soon a change of the bans is saved.
const BANS_WITHIN: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Default)]
pub(crate) struct SaveSpacingRule {
    saved: Option<Time>,
    /// When the bans changed, if that is not saved yet.
    changed: Option<Time>,
}

impl SaveSpacingRule {
    fn save(&mut self, seen: RuleContext<'_>) -> RuleResult {
        let (saved, changed) = (self.saved.replace(seen.now()), self.changed.take());
        if seen.ledger.phase == RunPhase::Stopping {
            return Ok(());
        }
        let (now, every) = (seen.now(), seen.ledger.config.book.save_every.max(TICK));
        let spaced = saved.is_none_or(|saved| now >= saved.after(every));
        let banned = changed.is_some_and(|changed| now >= changed.after(BANS_WITHIN));
        hold(spaced || banned, || format!("state is saved at {now}, and was at {saved:?}; bans changed at {changed:?}"))
    }
}

impl Rule for SaveSpacingRule {
    const PROPERTY: Property = Property::SaveSpacing;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Save => self.save(seen),
            Action::Emit(Event::Banned { .. }) => {
                self.changed = self.changed.or(Some(seen.now()));
                Ok(())
            }
            // A ban that ends by itself need not be saved: it has ended on load too.
            Action::Emit(Event::Unbanned { .. }) if seen.step.cause == StepCause::Unban => {
                self.changed = self.changed.or(Some(seen.now()));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let (step, now) = (seen.step, seen.now());
        if !step.is_due_timeout() || !step.is_settled() || seen.ledger.phase == RunPhase::Stopped || now == Time::MAX {
            return Ok(());
        }
        let missed = self.changed.filter(|at| at.after(BANS_WITHIN).after(TICK) <= now);
        hold(missed.is_none(), || format!("bans changed at {missed:?}, and were not saved at {now}"))
    }
}
