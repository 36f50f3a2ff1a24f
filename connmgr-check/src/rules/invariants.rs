//! `ConnManager::check` recounts everything, and finds nothing.

use connmgr_core::ConnManager;

use super::{Ledger, Property, Rule, Seen, Verdict};

#[derive(Clone, Debug)]
pub(crate) struct Invariants;

impl Invariants {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

impl Rule for Invariants {
    const PROPERTY: Property = Property::Invariants;

    fn audit(&mut self, _: Seen<'_>, manager: &ConnManager) -> Verdict {
        manager.check().map_err(ToString::to_string)
    }
}
