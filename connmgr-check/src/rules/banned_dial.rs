//! Contract 8: no dial to a banned host.

use connmgr_core::Action;

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::dialed_address;

#[derive(Clone, Debug, Default)]
pub(crate) struct BannedDialRule;

impl Rule for BannedDialRule {
    const PROPERTY: Property = Property::BannedDial;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::Dial { conn, target, .. } = action else { return Ok(()) };
        if seen.ledger.bans.len() == 0 {
            return Ok(());
        }
        let address = dialed_address(target);
        let banned = seen.ledger.is_banned(address.host(), seen.now());
        hold(!banned, || {
            let until = seen.ledger.bans.until(address.host(), seen.now());
            format!("{conn} dials {address}, which is banned until {until:?}")
        })
    }
}
