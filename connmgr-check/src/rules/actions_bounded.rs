//! Contract 9: no input causes more than `max_actions_per_input` actions.

use connmgr_core::Action;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

#[derive(Clone, Debug)]
pub(crate) struct ActionsBounded;

impl ActionsBounded {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

impl Rule for ActionsBounded {
    const PROPERTY: Property = Property::ActionsBounded;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let most = seen.ledger.config.max_actions_per_input;
        hold(seen.step.actions <= most, || {
            format!("{:?} caused more than {most} actions, the last of them: {action}", seen.step.cause)
        })
    }
}
