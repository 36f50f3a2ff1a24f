//! An address whose dial was closed as a duplicate is not dialed automatically again while the other connection to that
//! peer lives. (A probe of a network that is down may be to anybody.)

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, PeerAddress};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::Life;
use crate::recent::Recent;
use crate::step::Cause;

/// How many addresses are remembered; the one met longest ago makes room.
const REMEMBERED: u32 = 1024;

#[derive(Clone, Debug)]
pub(crate) struct AliasRests {
    /// Where a peer was met that has another connection, and which.
    met: Recent<PeerAddress, Option<ConnId>>,
}

impl AliasRests {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { met: Recent::new(REMEMBERED) }
    }

    /// The connection that stays where this one is a duplicate.
    fn other(seen: Seen<'_>, loser: ConnId) -> Option<ConnId> {
        let Cause::Ready(newer, info) = seen.step.cause else { return None };
        if loser != newer {
            return Some(newer);
        }
        let is_ready = |conn: &crate::ledger::conn::Conn| conn.life == Life::Ready;
        let same = seen.ledger.conns.iter().filter(|(_, conn)| is_ready(conn) && conn.identity == info.identity);
        same.map(|(id, _)| *id).min()
    }
}

impl Rule for AliasRests {
    const PROPERTY: Property = Property::AliasRests;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let Action::Close { conn: loser, reason: CloseReason::Duplicate } = action else { return Ok(()) };
        let dialed = seen.ledger.conn(*loser).filter(|conn| conn.was_dialed);
        if let Some(address) = dialed.and_then(|conn| conn.address.as_ref()) {
            *self.met.touch(address) = Self::other(seen, *loser);
        }
        Ok(())
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| !conn.is_probe) else { continue };
            let repeats = seen.ledger.unheard_address.is_some() && conn.address == seen.ledger.unheard_address;
            let (Some(_), Some(address), false) = (conn.automatic_network(), &conn.address, repeats) else { continue };
            let other = self.met.get(address).copied().flatten().filter(|other| seen.ledger.conn(*other).is_some());
            hold(other.is_none(), || format!("{id} is dialed to {address}, whose peer is connected by {other:?}"))?;
        }
        Ok(())
    }
}
