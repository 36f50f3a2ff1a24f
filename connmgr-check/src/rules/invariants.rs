//! `ConnManager::check`, which recounts everything, finds no fault.

use connmgr_core::ConnManager;

use super::{Property, Rule, RuleContext, RuleResult};

#[derive(Clone, Debug, Default)]
pub(crate) struct InvariantsRule;

impl Rule for InvariantsRule {
    const PROPERTY: Property = Property::Invariants;

    fn audit(&mut self, _: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        manager.check().map_err(ToString::to_string)
    }
}
