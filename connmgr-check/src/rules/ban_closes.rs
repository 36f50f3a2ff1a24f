//! A ban closes the connections to the hosts it covers, in the same step, except those with the `no_ban` permission.

use connmgr_core::{Action, ConnManager, Event};

use super::{Property, Rule, RuleContext, RuleResult};
use crate::ledger::conn::KnownConn;

#[derive(Clone, Debug, Default)]
pub(crate) struct BanClosesRule {
    /// There was a ban, and every step since left work to do: not checked yet.
    pending: bool,
}

impl Rule for BanClosesRule {
    const PROPERTY: Property = Property::BanCloses;

    fn action(&mut self, _: RuleContext<'_>, action: &Action) -> RuleResult {
        if let Action::Emit(Event::Banned { .. }) = action {
            self.pending = true;
        }
        Ok(())
    }

    // Bans are rare, so walking all connections is cheap enough.
    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        if !self.pending || !seen.step.is_settled() {
            return Ok(());
        }
        self.pending = false;
        let is_left = |conn: &KnownConn| {
            !conn.permissions.no_ban && conn.host().is_some_and(|host| seen.ledger.is_banned(host, seen.now()))
        };
        let left = seen.ledger.conns.iter().filter(|(_, conn)| is_left(conn)).min_by_key(|(id, _)| **id);
        match left {
            Some((id, conn)) => Err(format!("{id} to {:?} is open though its host is banned", conn.address)),
            None => Ok(()),
        }
    }
}
