//! Contract 8: no dial to an address known to be our own.

use connmgr_core::{Action, ConnManager};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::{dialed_address, is_ambiguous};

#[derive(Clone, Debug, Default)]
pub(crate) struct OwnAddressRule;

impl Rule for OwnAddressRule {
    const PROPERTY: Property = Property::OwnAddress;
    const AFTER: Concern = Concern::Dials;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::Dial { conn, target, .. } = action else { return Ok(()) };
        let address = dialed_address(target);
        let ours = !is_ambiguous(&address) && seen.ledger.own.contains(&address, seen.now());
        hold(!ours, || format!("{conn} dials {address}, which is our own"))
    }

    // Whether an address of `fc00::/8` is IPv6 or CJDNS is known at the end of the step.
    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        for id in &seen.step.dials {
            let address = seen.ledger.conn(*id).and_then(|conn| conn.address.as_ref());
            let Some(address) = address.filter(|address| is_ambiguous(address)) else { continue };
            hold(!seen.ledger.own.contains(address, seen.now()), || format!("{id} dials {address}, which is our own"))?;
        }
        Ok(())
    }
}
