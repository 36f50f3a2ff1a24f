//! A retry comes when it is due: an added peer that waits has a time that lies ahead.

use connmgr_core::{ConnManager, PeerState, PeerView, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;
use crate::step::TICK;

#[derive(Clone, Debug)]
pub(crate) struct RetryComes;

impl RetryComes {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }

    fn judge(seen: Seen<'_>, view: &PeerView) -> Verdict {
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

impl Rule for RetryComes {
    const PROPERTY: Property = Property::RetryComes;

    fn audit(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Verdict {
        if seen.ledger.phase == Phase::Stopped || seen.step.is_end_of_time() {
            return Ok(());
        }
        manager.added_peers().iter().try_for_each(|view| Self::judge(seen, view))
    }
}
