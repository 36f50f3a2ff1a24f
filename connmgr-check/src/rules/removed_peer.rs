//! A removed peer stays removed: its connection goes with it, and nothing is done for it any more. What is done for a
//! peer goes to its address.

use connmgr_core::{Action, ConnId, ConnManager, Event, Input, Keep, Kind, PeerId, Reply};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::step::Cause;

#[derive(Clone, Debug)]
pub(crate) struct RemovedPeer {
    /// The connection of the peer that this step removes.
    orphan: Option<ConnId>,
}

impl RemovedPeer {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { orphan: None }
    }

    fn is_added(seen: Seen<'_>, peer: PeerId, action: &Action) -> Verdict {
        hold(seen.ledger.peers.get(peer).is_some(), || format!("{peer} is not added (any more), but: {action}"))
    }

    /// An end is told of a peer that this very step removed, too.
    fn had(seen: Seen<'_>, peer: Option<PeerId>, action: &Action) -> Verdict {
        match peer {
            Some(peer) if seen.step.cause != Cause::RemovePeer(peer) => Self::is_added(seen, peer, action),
            Some(_) | None => Ok(()),
        }
    }

    fn dial(seen: Seen<'_>, id: ConnId) -> Verdict {
        let Some(conn) = seen.ledger.conn(id).filter(|conn| conn.kind == Some(Kind::Added)) else { return Ok(()) };
        let peer = conn.peer.and_then(|peer| seen.ledger.peers.get(peer));
        let right = peer.zip(conn.address.as_ref()).is_some_and(|(peer, address)| peer.may_be_at(address));
        hold(right, || format!("{id} dials {:?} for {:?}, whose address it is not", conn.address, conn.peer))
    }
}

impl Rule for RemovedPeer {
    const PROPERTY: Property = Property::RemovedPeer;

    fn input(&mut self, seen: Seen<'_>, _: &Input, _: &Reply) -> Verdict {
        self.orphan = match seen.step.cause {
            Cause::RemovePeer(peer) => seen.ledger.peers.get(peer).and_then(|peer| peer.conn),
            _ => None,
        };
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::ScheduleRetry { peer, .. }
            | Action::Emit(Event::Adopted { peer, .. } | Event::LookupFailed { peer, .. }) => {
                Self::is_added(seen, *peer, action)
            }
            Action::Emit(Event::PeerFinished { peer }) => {
                let once = seen.ledger.peers.get(*peer).is_some_and(|peer| peer.keep == Keep::Once);
                hold(once, || format!("{peer} is finished, but was not added for one connection"))
            }
            Action::Emit(Event::Connected(connected)) => {
                connected.peer.map_or(Ok(()), |peer| Self::is_added(seen, peer, action))
            }
            Action::Emit(Event::Disconnected { peer, .. } | Event::DialFailed { peer, .. }) => {
                Self::had(seen, *peer, action)
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        if let Some(id) = self.orphan.take() {
            hold(seen.ledger.conn(id).is_none(), || format!("{id} outlives the peer it was for"))?;
        }
        seen.step.dials.iter().try_for_each(|id| Self::dial(seen, *id))
    }
}
