//! An address whose connection was closed as a duplicate is not dialed automatically while the other connection to that
//! peer lives. Probes of a network that is down are exempt: they may go to any address.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, PeerAddress};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::{ConnLife, KnownConn};
use crate::recent::Recent;
use crate::step::StepCause;

/// How many addresses are remembered. The least recently met one is dropped.
const REMEMBERED: u32 = 1024;

#[derive(Clone, Debug)]
pub(crate) struct AliasRestsRule {
    /// The other connection of the peer that was met at an address.
    met: Recent<PeerAddress, Option<ConnId>>,
}

impl Default for AliasRestsRule {
    fn default() -> Self {
        Self { met: Recent::new(REMEMBERED) }
    }
}

impl AliasRestsRule {
    /// The connection that is kept when `loser` is closed as a duplicate.
    fn other(seen: RuleContext<'_>, loser: ConnId) -> Option<ConnId> {
        let StepCause::Ready(newer, info) = seen.step.cause else { return None };
        if loser != newer {
            return Some(newer);
        }
        let is_ready = |conn: &KnownConn| conn.life == ConnLife::Ready;
        let same = seen.ledger.conns.iter().filter(|(_, conn)| is_ready(conn) && conn.identity == info.identity);
        same.map(|(id, _)| *id).min()
    }
}

impl Rule for AliasRestsRule {
    const PROPERTY: Property = Property::AliasRests;
    const AFTER: Concern = Concern::Dials;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::Close { conn: loser, reason: CloseReason::Duplicate } = action else { return Ok(()) };
        let dialed = seen.ledger.conn(*loser).filter(|conn| conn.was_dialed);
        if let Some(address) = dialed.and_then(|conn| conn.address.as_ref()) {
            *self.met.touch(address) = Self::other(seen, *loser);
        }
        Ok(())
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id).filter(|conn| !conn.is_probe) else { continue };
            let repeats = seen.ledger.repeats_unheard(conn);
            let (Some(_), Some(address), false) = (conn.automatic_network(), &conn.address, repeats) else { continue };
            let other = self.met.get(address).copied().flatten().filter(|other| seen.ledger.conn(*other).is_some());
            hold(other.is_none(), || format!("{id} is dialed to {address}, whose peer is connected by {other:?}"))?;
        }
        Ok(())
    }
}
