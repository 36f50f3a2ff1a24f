//! Accepting pauses longer after each failure in a row, up to the longest pause.

use connmgr_core::{Action, ConnManager, Input, ListenerId, Reply};
use rustc_hash::FxHashMap;

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::step::{StepCause, TICK};

#[derive(Clone, Debug, Default)]
pub(crate) struct AcceptPauseRule {
    /// Failed accepts in a row, by listener.
    failures: FxHashMap<ListenerId, u32>,
    /// The listener that must be paused in this step.
    wanted: Option<ListenerId>,
}

impl Rule for AcceptPauseRule {
    const PROPERTY: Property = Property::AcceptPause;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, input: &Input, _: &Reply) -> RuleResult {
        let is_known = |id: ListenerId| seen.ledger.config.listeners.iter().any(|known| known.id == id);
        self.wanted = match seen.step.cause {
            StepCause::AcceptError(id) => Some(id).filter(|id| is_known(*id) && seen.ledger.phase != RunPhase::Stopped),
            _ => None,
        };
        if let (Input::Accept { listener, .. }, RunPhase::Active) = (input, seen.ledger.phase) {
            self.failures.remove(listener);
        }
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::PauseAccept { listener, until } = action else { return Ok(()) };
        hold(self.wanted.take() == Some(*listener), || format!("{listener} pauses though accepting did not fail"))?;
        let failures = self.failures.entry(*listener).or_insert(0);
        let config = &seen.ledger.config.inbound;
        let factor = 1u32.checked_shl(*failures).unwrap_or(u32::MAX);
        *failures = failures.saturating_add(1);
        let expected = seen.now().after(config.first_pause.saturating_mul(factor).min(config.max_pause).max(TICK));
        hold(*until == expected, || format!("{listener} pauses until {until} instead of {expected}"))
    }

    fn after(&mut self, _: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        hold(self.wanted.is_none(), || format!("accepting failed, and {:?} does not pause", self.wanted))
    }
}
