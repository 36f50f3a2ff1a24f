//! A connection that was ready and that the application drops does not count as a failure of its address.
//!
//! The failures of an address don't change while it is connected, save that they are forgiven: it is not dialed.

use connmgr_core::{ConnId, ConnManager, Input, PeerAddress, Reply};
use rustc_hash::FxHashMap;

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::{ConnLife, KnownConn};
use crate::step::StepCause;

#[derive(Clone, Debug, Default)]
pub(crate) struct DropBlamesNobodyRule {
    /// The failures of the address of each connection that is ready, when it got ready.
    failures: FxHashMap<ConnId, u32>,
    /// A ready connection was dropped in this step: its address, and the failures that it had.
    dropped: Option<(PeerAddress, u32)>,
}

fn dialed(conn: &KnownConn) -> Option<&PeerAddress> {
    conn.address.as_ref().filter(|_| conn.was_dialed)
}

fn failures(manager: &ConnManager, address: &PeerAddress) -> Option<u32> {
    manager.book().get(address).map(|known| known.failures)
}

impl Rule for DropBlamesNobodyRule {
    const PROPERTY: Property = Property::DropBlamesNobody;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, _: &Input, _: &Reply) -> RuleResult {
        let StepCause::Dropped(id) = seen.step.cause else { return Ok(()) };
        let conn = seen.ledger.conn(id).filter(|conn| conn.life == ConnLife::Ready);
        let (address, had) = (conn.and_then(dialed), self.failures.get(&id));
        self.dropped = address.zip(had).map(|(address, had)| (address.clone(), *had));
        Ok(())
    }

    fn action(&mut self, _: RuleContext<'_>, action: &connmgr_core::Action) -> RuleResult {
        if let connmgr_core::Action::Emit(connmgr_core::Event::Disconnected { conn, .. }) = action {
            self.failures.remove(conn);
        }
        Ok(())
    }

    fn after(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        if let Some(id) = seen.step.made_ready {
            let address = seen.ledger.conn(id).and_then(dialed);
            if let Some(failures) = address.and_then(|address| failures(manager, address)) {
                self.failures.insert(id, failures);
            }
        }
        let Some((address, had)) = self.dropped.take() else { return Ok(()) };
        let has = failures(manager, &address).unwrap_or(0);
        hold(has <= had, || format!("{address} was ready and dropped, and has {has} failures instead of {had}"))
    }
}
