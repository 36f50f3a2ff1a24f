//! Contract 8: no dial to ourselves, as far as anybody told.

use connmgr_core::Action;

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
}
