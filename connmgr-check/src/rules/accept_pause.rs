//! Accepting pauses longer after each failure in a row, up to the longest pause.

use connmgr_core::{Action, ConnManager, Input, ListenerId, Reply};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;
use crate::step::{Cause, TICK};

#[derive(Clone, Debug)]
pub(crate) struct AcceptPause {
    /// Failures in a row of each listener.
    failures: FxHashMap<ListenerId, u32>,
    /// A pause must follow.
    wanted: Option<ListenerId>,
}

impl AcceptPause {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { failures: FxHashMap::default(), wanted: None }
    }
}

impl Rule for AcceptPause {
    const PROPERTY: Property = Property::AcceptPause;

    fn input(&mut self, seen: Seen<'_>, input: &Input, _: &Reply) -> Verdict {
        let is_known = |id: ListenerId| seen.ledger.config.listeners.iter().any(|known| known.id == id);
        self.wanted = match seen.step.cause {
            Cause::AcceptError(id) => Some(id).filter(|id| is_known(*id) && seen.ledger.phase != Phase::Stopped),
            _ => None,
        };
        if let (Input::Accept { listener, .. }, Phase::Active) = (input, seen.ledger.phase) {
            self.failures.remove(listener);
        }
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let Action::PauseAccept { listener, until } = action else { return Ok(()) };
        hold(self.wanted.take() == Some(*listener), || format!("{listener} pauses though accepting did not fail"))?;
        let failures = self.failures.entry(*listener).or_insert(0);
        let config = &seen.ledger.config.inbound;
        let factor = 1u32.checked_shl(*failures).unwrap_or(u32::MAX);
        *failures = failures.saturating_add(1);
        let expected = seen.now().after(config.first_pause.saturating_mul(factor).min(config.max_pause).max(TICK));
        hold(*until == expected, || format!("{listener} pauses until {until} instead of {expected}"))
    }

    fn after(&mut self, _: Seen<'_>, _: &ConnManager) -> Verdict {
        hold(self.wanted.is_none(), || format!("accepting failed, and {:?} does not pause", self.wanted))
    }
}
