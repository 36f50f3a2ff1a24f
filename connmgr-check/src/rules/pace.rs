//! Automatic dials into one network that lead nowhere slow down: 640 go at full speed, each 64 more double the
//! interval, from 200 ms up to 10 s, until full speed is restored. Probes of a network that is down and what is
//! repeated as v1 need not keep the pace, but count. The ledger follows the pace.

use connmgr_core::ConnManager;

use super::{Ledger, Property, Rule, Seen, Verdict};

#[derive(Clone, Debug)]
pub(crate) struct Pace;

impl Pace {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

impl Rule for Pace {
    const PROPERTY: Property = Property::Pace;

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        match seen.step.too_fast {
            None => Ok(()),
            Some((id, network)) => Err(format!("{id} is dialed into {network} though dials there have slowed down")),
        }
    }
}
