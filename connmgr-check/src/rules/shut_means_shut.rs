//! Contract 11: after `shutdown` everything is closed, then `Stopped` comes, and nothing after it.

use connmgr_core::{Action, CloseReason, ConnManager, Event};

use super::resting::begins;
use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;

#[derive(Clone, Debug, Default)]
pub(crate) struct ShutMeansShutRule;

impl Rule for ShutMeansShutRule {
    const PROPERTY: Property = Property::ShutMeansShut;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let phase = seen.ledger.phase;
        hold(phase != RunPhase::Stopped, || format!("after Stopped: {action}"))?;
        hold(phase != RunPhase::Stopping || !begins(action), || format!("while shutting down: {action}"))?;
        match action {
            Action::Emit(Event::Stopped) => {
                let (asked, live) = (phase == RunPhase::Stopping, seen.ledger.live());
                hold(asked && live == 0, || format!("Stopped with {live} connections and dials (asked for: {asked})"))
            }
            Action::Close { conn, reason: CloseReason::Shutdown } => {
                hold(phase == RunPhase::Stopping, || format!("{conn} is closed for a shutdown that nobody asked for"))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        let (phase, stopped) = (seen.ledger.phase, manager.is_stopped());
        hold((phase == RunPhase::Stopped) == stopped, || format!("Stopped was told: {phase:?}, and is: {stopped}"))?;
        let left = phase == RunPhase::Stopping && seen.step.is_settled();
        hold(!left, || format!("{} connections and dials are left, and nothing goes on", seen.ledger.live()))
    }
}
