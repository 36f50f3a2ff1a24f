//! A ban closes the connections of whom it covers, in the same step; but those who are spared bans.

use connmgr_core::{Action, ConnManager, Event};

use super::{Ledger, Property, Rule, Seen, Verdict};

#[derive(Clone, Debug)]
pub(crate) struct BanCloses {
    /// There was a ban, and no step since then was seen to leave no work.
    unjudged: bool,
}

impl BanCloses {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { unjudged: false }
    }
}

impl Rule for BanCloses {
    const PROPERTY: Property = Property::BanCloses;

    fn action(&mut self, _: Seen<'_>, action: &Action) -> Verdict {
        if let Action::Emit(Event::Banned { .. }) = action {
            self.unjudged = true;
        }
        Ok(())
    }

    /// Bans are rare: then all connections are looked at.
    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        if !self.unjudged || !seen.step.is_settled() {
            return Ok(());
        }
        self.unjudged = false;
        let is_left = |conn: &crate::ledger::conn::Conn| {
            !conn.permissions.no_ban && conn.host().is_some_and(|host| seen.ledger.is_banned(host, seen.now()))
        };
        let left = seen.ledger.conns.iter().filter(|(_, conn)| is_left(conn)).min_by_key(|(id, _)| **id);
        match left {
            Some((id, conn)) => Err(format!("{id} to {:?} is open though its host is banned", conn.address)),
            None => Ok(()),
        }
    }
}
