//! Connections and dials never exceed the total; added peers alone may, when it falls below them.

use connmgr_core::{ConnManager, Kind};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

#[derive(Clone, Debug)]
pub(crate) struct TotalLimit;

impl TotalLimit {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

impl Rule for TotalLimit {
    const PROPERTY: Property = Property::TotalLimit;

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
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
