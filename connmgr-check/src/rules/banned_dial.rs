//! Contract 8: no dial to the banned.

use connmgr_core::Action;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::dialed_address;

#[derive(Clone, Debug)]
pub(crate) struct BannedDial;

impl BannedDial {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

impl Rule for BannedDial {
    const PROPERTY: Property = Property::BannedDial;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
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
