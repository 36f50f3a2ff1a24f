//! While inactive, the manager dials nothing, asks no seed and accepts nothing, and closes every connection.

use connmgr_core::{Action, ConnManager, Event};

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;

#[derive(Clone, Debug, Default)]
pub(crate) struct RestingRule;

/// Whether an action starts something: a dial, a lookup, a wait for a retry, an inbound connection.
pub(super) fn begins(action: &Action) -> bool {
    match action {
        Action::Dial { .. }
        | Action::ResolveSeed { .. }
        | Action::ResolveHost { .. }
        | Action::ScheduleRetry { .. }
        | Action::Emit(Event::AddressesWanted { .. }) => true,
        Action::Emit(Event::Connected(connected)) => connected.kind.is_inbound(),
        Action::Close { .. } | Action::PauseAccept { .. } | Action::Save | Action::Emit(_) => false,
    }
}

impl Rule for RestingRule {
    const PROPERTY: Property = Property::Resting;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        hold(seen.ledger.phase != RunPhase::Inactive || !begins(action), || format!("while inactive: {action}"))
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let left = seen.ledger.phase == RunPhase::Inactive && seen.step.is_settled() && seen.ledger.live() > 0;
        hold(!left, || format!("{} connections and dials are left while inactive", seen.ledger.live()))
    }
}
