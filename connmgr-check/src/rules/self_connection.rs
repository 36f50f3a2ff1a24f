//! A nonce or the identity of ours that comes back closes the connection, at both ends.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, Event, Input, Reply};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::Life;
use crate::step::Cause;

#[derive(Clone, Debug)]
pub(crate) struct SelfConnection {
    /// Whose nonce it is, of those open.
    nonces: FxHashMap<u64, ConnId>,
    /// Who must go in this step.
    ends: [Option<ConnId>; 2],
}

impl SelfConnection {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { nonces: FxHashMap::default(), ends: [None; 2] }
    }
}

impl Rule for SelfConnection {
    const PROPERTY: Property = Property::SelfConnection;

    fn input(&mut self, seen: Seen<'_>, _: &Input, _: &Reply) -> Verdict {
        self.ends = [None; 2];
        let Cause::Ready(id, info) = seen.step.cause else { return Ok(()) };
        if seen.ledger.conn(id).is_none_or(|conn| conn.life != Life::Open) {
            return Ok(());
        }
        let other = info.nonce.and_then(|nonce| self.nonces.get(&nonce)).copied();
        if other.is_some() || seen.ledger.is_our_identity(&info) {
            self.ends = [Some(id), other];
        }
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Emit(Event::Connected(connected)) => _ = self.nonces.insert(connected.nonce, connected.conn),
            Action::Emit(Event::Disconnected { conn, .. }) => {
                seen.ledger.conn(*conn).iter().for_each(|conn| _ = self.nonces.remove(&conn.nonce));
            }
            Action::Close { conn, reason: CloseReason::OwnAddress } => {
                let expected = seen.step.cause == Cause::OwnAddress || self.ends.contains(&Some(*conn));
                return hold(expected, || format!("{conn} is closed as leading to ourselves, which nothing showed"));
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let ends = core::mem::take(&mut self.ends);
        let left = ends.into_iter().flatten().find(|id| seen.ledger.conn(*id).is_some());
        hold(left.is_none(), || format!("{left:?} leads to ourselves, and stays"))
    }
}
