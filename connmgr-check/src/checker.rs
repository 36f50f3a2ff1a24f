//! The trait of a rule, and what a rule may look at.

use connmgr_core::{Action, ConnManager, Input, Reply, Time};

use super::concern::Concern;
use super::ledger::Ledger;
use super::property::Property;
use super::step::StepRecord;

/// Whether a rule holds; if not, a text that says what was expected and what was seen.
pub(crate) type RuleResult = Result<(), String>;

/// Fails with a text unless the rule holds. The text is only built on failure.
pub(crate) fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> RuleResult {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What every rule may look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleContext<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) step: &'a StepRecord,
}

impl RuleContext<'_> {
    pub(crate) const fn now(&self) -> Time {
        self.step.now
    }
}

/// A rule checks one property of the manager from its inputs and actions. `input` and `action` see the ledger as it was
/// before the input or action.
pub(crate) trait Rule: Default {
    /// The property that is broken when the rule is.
    const PROPERTY: Property;
    /// When `input` is called; no action is known then.
    const INPUT: Concern = Concern::EachStep;
    /// When `after` is called.
    const AFTER: Concern = Concern::EachStep;

    /// The manager is born. Called once, before all else.
    fn begin(&mut self, _: &Ledger) {}

    /// The manager was told an input and gave this reply; its actions follow. Called as [`Self::INPUT`] says.
    fn input(&mut self, _: RuleContext<'_>, _: &Input, _: &Reply) -> RuleResult {
        Ok(())
    }

    /// The manager emitted an action.
    fn action(&mut self, _: RuleContext<'_>, _: &Action) -> RuleResult {
        Ok(())
    }

    /// The step is over. The ledger knows all its actions. Called as [`Self::AFTER`] says.
    fn after(&mut self, _: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        Ok(())
    }

    /// Called now and then after a step, for checks that cost too much to run at every step.
    fn audit(&mut self, _: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        Ok(())
    }
}
