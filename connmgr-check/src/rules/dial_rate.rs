//! Automatic dials, v1 repetitions included, stay within `dial.rate`. Probes are exempt. The ledger counts them.

use connmgr_core::ConnManager;

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};

#[derive(Clone, Debug, Default)]
pub(crate) struct DialRateRule;

impl Rule for DialRateRule {
    const PROPERTY: Property = Property::DialRate;
    const AFTER: Concern = Concern::Dials;

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let rate = &seen.ledger.config.dial.rate;
        hold(seen.step.over_rate.is_none(), || {
            format!("{:?} is dialed at {}, faster than {rate:?} allows", seen.step.over_rate, seen.now())
        })
    }
}
