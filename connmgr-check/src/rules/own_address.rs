//! Contract 8: no dial to ourselves, as far as anybody told.

use connmgr_core::{Action, ConnManager};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::{dialed_address, is_ambiguous};

#[derive(Clone, Debug)]
pub(crate) struct OwnAddress;

impl OwnAddress {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

impl Rule for OwnAddress {
    const PROPERTY: Property = Property::OwnAddress;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let Action::Dial { conn, target, .. } = action else { return Ok(()) };
        let address = dialed_address(target);
        let ours = !is_ambiguous(&address) && seen.ledger.own.contains(&address);
        hold(!ours, || format!("{conn} dials {address}, which is our own"))
    }

    /// Which network an address of `fc00::/8` is meant to be of is known when the step is over.
    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        for id in &seen.step.dials {
            let address = seen.ledger.conn(*id).and_then(|conn| conn.address.as_ref());
            let Some(address) = address.filter(|address| is_ambiguous(address)) else { continue };
            hold(!seen.ledger.own.contains(address), || format!("{id} dials {address}, which is our own"))?;
        }
        Ok(())
    }
}
