//! Retries of added peers stay within their back-off: with jitter between half the full wait and less than all of it,
//! else exactly the full wait. The count of failures grows by one, stands still during an outage of the peer's network,
//! and starts over only after a stable connection. A waiting peer is not dialed before its retry unless something
//! releases it.

use connmgr_core::{Action, Backoff, ConnManager, Keep, PeerId, Time};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::peer::{KnownPeer, Stable};
use crate::step::TICK;
use crate::wait::{longest_wait, shortest_wait};

#[derive(Clone, Debug, Default)]
pub(crate) struct RetryBoundsRule;

impl RetryBoundsRule {
    fn count(seen: RuleContext<'_>, id: PeerId, peer: &KnownPeer, attempt: u32) -> RuleResult {
        let end = peer.last_end;
        let is_down = end.network.is_some_and(|network| seen.ledger.is_down(network));
        let frozen = end.unanswered && is_down && peer.attempt > 0;
        let expected = if frozen { peer.attempt } else { peer.attempt.saturating_add(1) };
        let fits = attempt == expected || (end.stable == Stable::Perhaps && attempt == 1);
        hold(fits, || format!("{id} failed {attempt} times in a row by the notice, and {expected} by count ({end:?})"))
    }

    fn wait(id: PeerId, retry: Backoff, attempt: u32, now: Time, at: Time) -> RuleResult {
        let (least, most) = (shortest_wait(&retry, attempt), longest_wait(&retry, attempt));
        let (soonest, latest) = (now.after(least.max(TICK)), now.after(most.max(TICK)));
        // Jitter always takes something away, so that no two peers wait equally long. Near the end of time there is
        // nothing to take from.
        let is_spread = !retry.jitter || most <= TICK || at < latest || now.after(most).after(most) == Time::MAX;
        hold(soonest <= at && at <= latest && is_spread, || {
            format!("the retry of {id} after failure {attempt} is at {at}, not from {soonest} to before {latest}")
        })
    }
}

impl Rule for RetryBoundsRule {
    const PROPERTY: Property = Property::RetryBounds;
    const AFTER: Concern = Concern::Dials;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::ScheduleRetry { peer: id, at, attempt } = action else { return Ok(()) };
        let Some(peer) = seen.ledger.peers.get(*id) else { return Err(format!("{id} is not added, but retried")) };
        hold(peer.wanted.keep == Keep::Always, || format!("{id} was added for one connection, but is retried"))?;
        Self::count(seen, *id, peer, *attempt)?;
        Self::wait(*id, peer.wanted.retry.unwrap_or(seen.ledger.config.retry), *attempt, seen.now(), *at)
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
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
