//! Contract 3: a timeout before the deadline emits nothing and moves no deadline.

use connmgr_core::{Action, ConnManager};

use super::{Property, Rule, RuleContext, RuleResult, hold};

#[derive(Clone, Debug, Default)]
pub(crate) struct EarlyIsFreeRule;

impl Rule for EarlyIsFreeRule {
    const PROPERTY: Property = Property::EarlyIsFree;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        hold(!seen.step.is_early_timeout(), || format!("a timeout before the deadline caused: {action}"))
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let step = seen.step;
        let moved = step.is_early_timeout() && step.due_before != Some(step.due);
        hold(!moved, || format!("a timeout before the deadline moved it from {:?} to {:?}", step.due_before, step.due))
    }
}
