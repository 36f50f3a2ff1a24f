//! A retry comes when it is due: the retry of a waiting peer lies ahead, and `poll_timeout` covers it.

use connmgr_core::{ConnManager, PeerState, PeerView, Time};

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::step::TICK;

#[derive(Clone, Debug, Default)]
pub(crate) struct RetryComesRule;

impl RetryComesRule {
    fn check(seen: RuleContext<'_>, view: &PeerView) -> RuleResult {
        if view.state != PeerState::Waiting {
            return Ok(());
        }
        let Some(at) = view.next_retry else { return Err(format!("{} waits for no time", view.peer)) };
        if at == Time::MAX {
            return Ok(());
        }
        let missed = seen.step.last_due.is_some_and(|due| at.after(TICK) <= due) && seen.step.is_settled();
        hold(!missed, || format!("{} was to be retried at {at}, and waits still at {}", view.peer, seen.now()))?;
        let cover = at.after(TICK).max(seen.step.last_due.map_or(Time::ZERO, |due| due.after(TICK)));
        hold(seen.step.due.is_some_and(|due| due <= cover), || {
            format!("{} is to be retried at {at}, but the next deadline is {:?}", view.peer, seen.step.due)
        })
    }
}

impl Rule for RetryComesRule {
    const PROPERTY: Property = Property::RetryComes;

    fn audit(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        if seen.ledger.phase == RunPhase::Stopped || seen.step.is_end_of_time() {
            return Ok(());
        }
        manager.added_peers().iter().try_for_each(|view| Self::check(seen, view))
    }
}
