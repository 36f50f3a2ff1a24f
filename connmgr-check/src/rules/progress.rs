//! Contract 4: after a due timeout the next deadline is at least 1 ms away, and no action carries a nearer one.

use connmgr_core::{Action, ConnManager, Time};

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::step::TICK;

#[derive(Clone, Debug, Default)]
pub(crate) struct ProgressRule;

impl Rule for ProgressRule {
    const PROPERTY: Property = Property::Progress;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let at = match action {
            Action::Dial { deadline, .. }
            | Action::ResolveSeed { deadline, .. }
            | Action::ResolveHost { deadline, .. } => *deadline,
            Action::ScheduleRetry { at, .. } => *at,
            Action::PauseAccept { until, .. } => *until,
            Action::Close { .. } | Action::Save | Action::Emit(_) => return Ok(()),
        };
        let now = seen.now();
        hold(at >= now.after(TICK), || format!("at {now}, less than a tick away: {action}, until {at}"))
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let (step, now) = (seen.step, seen.now());
        let near = step.due.is_some_and(|due| due < now.after(TICK) || due <= now);
        hold(!(step.is_due_timeout() && near), || {
            format!("after a timeout at {} ns the next deadline is {:?}", now.as_nanos(), step.due)
        })?;
        hold(step.due != Some(Time::MAX), || "a deadline at the end of time, which never comes".into())?;
        hold(seen.ledger.phase != RunPhase::Stopped || step.due.is_none(), || {
            format!("a deadline after Stopped: {:?}", step.due)
        })
    }
}
