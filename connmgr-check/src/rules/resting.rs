//! While inactive, nobody is dialed, asked or let in, and every connection goes.

use connmgr_core::{Action, ConnManager, Event};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;

#[derive(Clone, Debug)]
pub(crate) struct Resting;

impl Resting {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

/// Whether an action begins something new.
pub(super) fn begins(action: &Action) -> bool {
    match action {
        Action::Dial { .. }
        | Action::ResolveSeed { .. }
        | Action::ResolveHost { .. }
        | Action::ScheduleRetry { .. }
        | Action::Emit(Event::AddressesWanted { .. }) => true,
        Action::Emit(Event::Connected(connected)) => connected.kind.is_inbound(),
        Action::Close { .. } | Action::PauseAccept { .. } | Action::Save | Action::Emit(_) => false,
    }
}

impl Rule for Resting {
    const PROPERTY: Property = Property::Resting;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        hold(seen.ledger.phase != Phase::Inactive || !begins(action), || format!("while inactive: {action}"))
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let left = seen.ledger.phase == Phase::Inactive && seen.step.is_settled() && seen.ledger.live() > 0;
        hold(!left, || format!("{} connections and dials are left while inactive", seen.ledger.live()))
    }
}
