//! Retries of added peers keep the bounds of their back-off: never sooner than half the plain wait, never later than
//! the plain wait, and before that where waits are spread; counted up by one, but standing still while an outage holds
//! the peer up, and forgotten only after a stable connection. No dial comes before its time unless something releases it.

use connmgr_core::{Action, Backoff, ConnManager, Keep, PeerId, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::peer::{Peer, Stable};
use crate::step::TICK;
use crate::wait::{longest_wait, shortest_wait};

#[derive(Clone, Debug)]
pub(crate) struct RetryBounds;

impl RetryBounds {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }

    fn count(seen: Seen<'_>, id: PeerId, peer: &Peer, attempt: u32) -> Verdict {
        let end = peer.last_end;
        let is_down = end.network.is_some_and(|network| seen.ledger.is_down(network));
        let frozen = end.unanswered && is_down && peer.attempt > 0;
        let expected = if frozen { peer.attempt } else { peer.attempt.saturating_add(1) };
        let fits = attempt == expected || (end.stable == Stable::Perhaps && attempt == 1);
        hold(fits, || format!("{id} failed {attempt} times in a row by the notice, and {expected} by count ({end:?})"))
    }

    fn wait(id: PeerId, retry: Backoff, attempt: u32, now: Time, at: Time) -> Verdict {
        let (least, most) = (shortest_wait(&retry, attempt), longest_wait(&retry, attempt));
        let (soonest, latest) = (now.after(least.max(TICK)), now.after(most.max(TICK)));
        // Jitter takes away something always, so that nobody waits for as long as another. Near the end of time there
        // is nothing to take from.
        let is_spread = !retry.jitter || most <= TICK || at < latest || now.after(most).after(most) == Time::MAX;
        hold(soonest <= at && at <= latest && is_spread, || {
            format!("the retry of {id} after failure {attempt} is at {at}, not from {soonest} to before {latest}")
        })
    }
}

impl Rule for RetryBounds {
    const PROPERTY: Property = Property::RetryBounds;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let Action::ScheduleRetry { peer: id, at, attempt } = action else { return Ok(()) };
        let Some(peer) = seen.ledger.peers.get(*id) else { return Err(format!("{id} is not added, but retried")) };
        hold(peer.keep == Keep::Always, || format!("{id} was added for one connection, but is retried"))?;
        Self::count(seen, *id, peer, *attempt)?;
        Self::wait(*id, peer.retry.unwrap_or(seen.ledger.config.retry), *attempt, seen.now(), *at)
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| !conn.is_probe) else { continue };
            let Some(peer) = conn.peer.and_then(|peer| seen.ledger.peers.get(peer)) else { continue };
            let early = seen.ledger.peers.waits_until(peer).filter(|until| *until > seen.now());
            if let Some(until) = early {
                return Err(format!("{id} dials {:?} at {}, before its retry at {until}", conn.peer, seen.now()));
            }
        }
        Ok(())
    }
}
