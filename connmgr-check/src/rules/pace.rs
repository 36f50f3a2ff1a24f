//! Fruitless automatic dials into one network slow down. [`DialPace`](crate::ledger::pace::DialPace) has the numbers and
//! finds the dial that comes too soon. Probes and v1 repetitions may come at any time, but count.

use connmgr_core::ConnManager;

use super::{Concern, Property, Rule, RuleContext, RuleResult};

#[derive(Clone, Debug, Default)]
pub(crate) struct PaceRule;

impl Rule for PaceRule {
    const PROPERTY: Property = Property::Pace;
    const AFTER: Concern = Concern::Dials;

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        match seen.step.too_fast {
            None => Ok(()),
            Some((id, network)) => Err(format!("{id} is dialed into {network} though dials there have slowed down")),
        }
    }
}
