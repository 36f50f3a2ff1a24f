//! A removed peer stays removed: its connection is closed with it, and no later action names it. A dial for a peer goes to
//! one of that peer's addresses.

use connmgr_core::{Action, ConnId, ConnManager, Event, Input, Keep, Kind, PeerId, Reply};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::step::StepCause;

#[derive(Clone, Debug, Default)]
pub(crate) struct RemovedPeerRule {
    /// The connection and the dials of the peer that this step removes.
    orphans: Vec<ConnId>,
}

impl RemovedPeerRule {
    fn is_added(seen: RuleContext<'_>, peer: PeerId, action: &Action) -> RuleResult {
        hold(seen.ledger.peers.get(peer).is_some(), || format!("{peer} is not added (any more), but: {action}"))
    }

    // The step that removes a peer still reports the end of its connection.
    fn was_added(seen: RuleContext<'_>, peer: Option<PeerId>, action: &Action) -> RuleResult {
        match peer {
            Some(peer) if seen.step.cause != StepCause::RemovePeer(peer) => Self::is_added(seen, peer, action),
            Some(_) | None => Ok(()),
        }
    }

    fn dial(seen: RuleContext<'_>, id: ConnId) -> RuleResult {
        let Some(conn) = seen.ledger.conn(id).filter(|conn| conn.kind == Some(Kind::Added)) else { return Ok(()) };
        let peer = conn.peer.and_then(|peer| seen.ledger.peers.get(peer));
        let right = peer.zip(conn.address.as_ref()).is_some_and(|(peer, address)| peer.may_be_at(address));
        hold(right, || format!("{id} dials {:?} for {:?}, whose address it is not", conn.address, conn.peer))
    }
}

impl Rule for RemovedPeerRule {
    const PROPERTY: Property = Property::RemovedPeer;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, _: &Input, _: &Reply) -> RuleResult {
        self.orphans.clear();
        if let StepCause::RemovePeer(peer) = seen.step.cause {
            self.orphans.extend(seen.ledger.peers.get(peer).into_iter().flat_map(|peer| &peer.conns));
        }
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::ScheduleRetry { peer, .. }
            | Action::Emit(Event::Adopted { peer, .. } | Event::LookupFailed { peer, .. }) => {
                Self::is_added(seen, *peer, action)
            }
            Action::Emit(Event::PeerFinished { peer, .. }) => {
                let once = seen.ledger.peers.get(*peer).is_some_and(|peer| peer.wanted.keep == Keep::Once);
                hold(once, || format!("{peer} is finished, but was not added for one connection"))
            }
            Action::Emit(Event::Connected(connected)) => {
                connected.peer.map_or(Ok(()), |peer| Self::is_added(seen, peer, action))
            }
            Action::Emit(Event::Disconnected { peer, .. } | Event::DialFailed { peer, .. }) => {
                Self::was_added(seen, *peer, action)
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        for id in &self.orphans {
            hold(seen.ledger.conn(*id).is_none(), || format!("{id} outlives the peer it was for"))?;
        }
        seen.step.dials.iter().try_for_each(|id| Self::dial(seen, *id))
    }
}
