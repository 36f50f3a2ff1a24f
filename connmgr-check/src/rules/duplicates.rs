//! Of two connections to one identity the right one is kept: of two dialed by each side, the one that the greater
//! identity dialed; of two that we dialed, the older; of two that came in, both (the dialer chooses). A visit goes first.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, Event, Identity, Input, Kind, Reply};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::Life;
use crate::step::Cause;

#[derive(Clone, Debug)]
pub(crate) struct Duplicates {
    /// Ready connections of each identity, oldest first.
    ready: FxHashMap<Identity, Vec<ConnId>>,
    /// Who must go in this step.
    loser: Option<ConnId>,
}

impl Duplicates {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { ready: FxHashMap::default(), loser: None }
    }

    /// Which of two connections to one identity is one too many.
    fn choose(seen: Seen<'_>, older: ConnId, newer: ConnId, theirs: Identity) -> Option<ConnId> {
        let kind = |id: ConnId| seen.ledger.conn(id).and_then(|conn| conn.kind);
        let is_visit = |id| kind(id).is_some_and(Kind::is_visit);
        let came_in = |id| kind(id).is_some_and(Kind::is_inbound);
        if is_visit(newer) {
            return Some(newer);
        }
        if is_visit(older) {
            return Some(older);
        }
        match (came_in(older), came_in(newer), seen.ledger.config.identity) {
            (true, true, _) => None,
            (false, false, _) | (_, _, None) => Some(newer),
            // Who dialed the older one? The greater identity's dial stays.
            (older_came_in, _, Some(ours)) => Some(if (ours > theirs) == older_came_in { older } else { newer }),
        }
    }
}

impl Rule for Duplicates {
    const PROPERTY: Property = Property::Duplicates;

    fn input(&mut self, seen: Seen<'_>, _: &Input, _: &Reply) -> Verdict {
        self.loser = None;
        let Cause::Ready(id, info) = seen.step.cause else { return Ok(()) };
        let Some(conn) = seen.ledger.conn(id).filter(|conn| conn.life == Life::Open) else { return Ok(()) };
        let required = conn.kind.map(|kind| seen.ledger.config.required.of(kind));
        if required.is_some_and(|required| !info.services.has(required)) || seen.ledger.is_our_identity(&info) {
            return Ok(());
        }
        let Some(theirs) = info.identity else { return Ok(()) };
        let older = self.ready.get(&theirs).and_then(|ids| ids.first());
        self.loser = older.and_then(|older| Self::choose(seen, *older, id, theirs));
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Close { conn, reason: CloseReason::Duplicate } => {
                let expected = self.loser.take() == Some(*conn);
                hold(expected, || format!("{conn} is closed as a duplicate, which it is not, or not the one to go"))
            }
            Action::Close { conn, reason: CloseReason::OwnAddress } => {
                // That it leads to ourselves weighs more.
                self.loser = self.loser.filter(|_| !matches!(seen.step.cause, Cause::Ready(id, _) if id == *conn));
                Ok(())
            }
            Action::Emit(Event::Disconnected { conn, .. }) => {
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

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let loser = self.loser.take();
        hold(loser.is_none(), || format!("{loser:?} is a duplicate, and was not closed"))?;
        let made_ready = seen.step.made_ready.and_then(|id| Some((id, seen.ledger.conn(id)?.identity?)));
        if let Some((id, identity)) = made_ready {
            let ids = self.ready.entry(identity).or_default();
            ids.insert(ids.partition_point(|other| *other < id), id);
        }
        Ok(())
    }
}
