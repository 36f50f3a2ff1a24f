//! Of two connections to one identity the right one is kept: not one that has been silent for `health.traffic_within`. If each side dialed one, it is the one dialed by the greater
//! identity; if we dialed both, the older; if both are inbound, both stay, for the dialer chooses. A visit is closed
//! before anything else.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, Event, Identity, Input, Kind, Reply, Time};
use rustc_hash::FxHashMap;

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::ConnLife;
use crate::step::StepCause;

#[derive(Clone, Debug, Default)]
pub(crate) struct DuplicatesRule {
    /// Ready connections of each identity, oldest first.
    ready: FxHashMap<Identity, Vec<ConnId>>,
    /// When each of them was made ready, or last showed life.
    heard: FxHashMap<ConnId, Time>,
    /// Must be closed in this step.
    loser: Option<ConnId>,
}

impl DuplicatesRule {
    /// Which of two connections to one identity must be closed.
    fn choose(&self, seen: RuleContext<'_>, older: ConnId, newer: ConnId, theirs: Identity) -> Option<ConnId> {
        let kind = |id: ConnId| seen.ledger.conn(id).and_then(|conn| conn.kind);
        let is_visit = |id| kind(id).is_some_and(Kind::is_visit);
        let came_in = |id| kind(id).is_some_and(Kind::is_inbound);
        if is_visit(newer) {
            return Some(newer);
        }
        if is_visit(older) {
            return Some(older);
        }
        let heard = self.heard.get(&older).copied().unwrap_or_default();
        if seen.now().since(heard) >= seen.ledger.config.health.traffic_within {
            return Some(older);
        }
        match (came_in(older), came_in(newer), seen.ledger.config.identity) {
            (true, true, _) => None,
            (false, false, _) | (_, _, None) => Some(newer),
            // One was dialed by each side: the dial of the greater identity stays.
            (older_came_in, _, Some(ours)) => Some(if (ours > theirs) == older_came_in { older } else { newer }),
        }
    }
}

impl Rule for DuplicatesRule {
    const PROPERTY: Property = Property::Duplicates;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, input: &Input, _: &Reply) -> RuleResult {
        self.loser = None;
        if let Input::Activity { conn, .. } = input {
            if let Some(heard) = self.heard.get_mut(conn) {
                *heard = seen.now();
            }
        }
        let StepCause::Ready(id, info) = seen.step.cause else { return Ok(()) };
        let Some(conn) = seen.ledger.conn(id).filter(|conn| conn.life == ConnLife::Open) else { return Ok(()) };
        let required = conn.kind.map(|kind| seen.ledger.config.required.of(kind));
        if required.is_some_and(|required| !info.services.has(required)) || seen.ledger.is_our_identity(&info) {
            return Ok(());
        }
        let peer = conn.peer.and_then(|peer| seen.ledger.peers.get(peer));
        let wanted = peer.and_then(|peer| peer.wanted.identity);
        let Some(theirs) = info.identity.filter(|theirs| wanted.is_none_or(|wanted| wanted == *theirs)) else {
            return Ok(());
        };
        let older = self.ready.get(&theirs).and_then(|ids| ids.first());
        self.loser = older.and_then(|older| self.choose(seen, *older, id, theirs));
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Close { conn, reason: CloseReason::Duplicate } => {
                let expected = self.loser.take() == Some(*conn);
                hold(expected, || format!("{conn} is closed as a duplicate, which it is not, or not the one to go"))
            }
            Action::Close { conn, reason: CloseReason::OwnAddress } => {
                // A connection to ourselves is closed for that, not as a duplicate.
                self.loser = self.loser.filter(|_| !matches!(seen.step.cause, StepCause::Ready(id, _) if id == *conn));
                Ok(())
            }
            Action::Emit(Event::Disconnected { conn, .. }) => {
                self.heard.remove(conn);
                if let Some(identity) = seen.ledger.conn(*conn).and_then(|conn| conn.identity) {
                    if let Some(ids) = self.ready.get_mut(&identity) {
                        ids.retain(|id| id != conn);
                        if ids.is_empty() {
                            self.ready.remove(&identity);
                        }
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let loser = self.loser.take();
        hold(loser.is_none(), || format!("{loser:?} is a duplicate, and was not closed"))?;
        let made_ready = seen.step.made_ready.and_then(|id| Some((id, seen.ledger.conn(id)?.identity?)));
        if let Some((id, identity)) = made_ready {
            self.heard.insert(id, seen.now());
            let ids = self.ready.entry(identity).or_default();
            ids.insert(ids.partition_point(|other| *other < id), id);
        }
        Ok(())
    }
}
