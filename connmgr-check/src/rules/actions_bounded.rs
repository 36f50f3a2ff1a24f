//! Contract 9: no input causes more than `max_actions_per_input` actions.

use connmgr_core::Action;

use super::{Property, Rule, RuleContext, RuleResult, hold};

#[derive(Clone, Debug, Default)]
pub(crate) struct ActionsBoundedRule;

impl Rule for ActionsBoundedRule {
    const PROPERTY: Property = Property::ActionsBounded;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let most = seen.ledger.config.max_actions_per_input;
        hold(seen.step.actions <= most, || {
            format!("{:?} caused more than {most} actions, the last of them: {action}", seen.step.cause)
        })
    }
}
