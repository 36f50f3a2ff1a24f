//! Connections and dials never exceed the total, except connections to added peers when the total is lowered below
//! their number.

use connmgr_core::{ConnManager, Kind};

use super::{Property, Rule, RuleContext, RuleResult, hold};

#[derive(Clone, Debug, Default)]
pub(crate) struct TotalLimitRule;

impl Rule for TotalLimitRule {
    const PROPERTY: Property = Property::TotalLimit;

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let (ledger, live, dials) = (seen.ledger, seen.ledger.live(), !seen.step.dials.is_empty());
        if !seen.step.is_settled() {
            let total = ledger.limits.total;
            return hold(!dials || live <= total, || {
                format!("a dial beyond the total: {live} of {total}, and more to do")
            });
        }
        let added = ledger.count(Kind::Added);
        let most = ledger.limits.total.max(added.open + added.dialing);
        hold(live <= most, || format!("{live} connections and dials, of at most {most}"))?;
        let beyond = dials && live + ledger.lookups > ledger.limits.total;
        hold(!beyond, || {
            let (lookups, total) = (ledger.lookups, ledger.limits.total);
            format!("a dial beyond the total: {live} connections and dials and {lookups} lookups, of {total}")
        })
    }
}
