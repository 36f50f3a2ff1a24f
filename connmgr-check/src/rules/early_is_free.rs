//! Contract 3: a timeout before the deadline emits nothing and moves no deadline.

use connmgr_core::{Action, ConnManager};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

#[derive(Clone, Debug)]
pub(crate) struct EarlyIsFree;

impl EarlyIsFree {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

impl Rule for EarlyIsFree {
    const PROPERTY: Property = Property::EarlyIsFree;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        hold(!seen.step.is_early_timeout(), || format!("a timeout before the deadline caused: {action}"))
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let step = seen.step;
        let moved = step.is_early_timeout() && step.due_before != Some(step.due);
        hold(!moved, || format!("a timeout before the deadline moved it from {:?} to {:?}", step.due_before, step.due))
    }
}
