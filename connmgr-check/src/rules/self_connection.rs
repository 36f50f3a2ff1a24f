//! A peer that reports our own nonce or identity is ourselves: the connection is closed, and so is its other end.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, Event, Input, Reply};
use rustc_hash::FxHashMap;

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::ConnLife;
use crate::step::StepCause;

#[derive(Clone, Debug, Default)]
pub(crate) struct SelfConnectionRule {
    /// Open connections by their nonce.
    nonces: FxHashMap<u64, ConnId>,
    /// Must be closed in this step.
    ends: [Option<ConnId>; 2],
}

impl Rule for SelfConnectionRule {
    const PROPERTY: Property = Property::SelfConnection;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, _: &Input, _: &Reply) -> RuleResult {
        self.ends = [None; 2];
        let StepCause::Ready(id, info) = seen.step.cause else { return Ok(()) };
        if seen.ledger.conn(id).is_none_or(|conn| conn.life != ConnLife::Open) {
            return Ok(());
        }
        let other = info.nonce.and_then(|nonce| self.nonces.get(&nonce)).copied();
        if other.is_some() || seen.ledger.is_our_identity(&info) {
            self.ends = [Some(id), other];
        }
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Emit(Event::Connected(connected)) => _ = self.nonces.insert(connected.nonce, connected.conn),
            Action::Emit(Event::Disconnected { conn, .. }) => {
                if let Some(conn) = seen.ledger.conn(*conn) {
                    self.nonces.remove(&conn.nonce);
                }
            }
            Action::Close { conn, reason: CloseReason::OwnAddress } => {
                let expected = seen.step.cause == StepCause::OwnAddress || self.ends.contains(&Some(*conn));
                return hold(expected, || format!("{conn} is closed as leading to ourselves, which nothing showed"));
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let ends = core::mem::take(&mut self.ends);
        let left = ends.into_iter().flatten().find(|id| seen.ledger.conn(*id).is_some());
        hold(left.is_none(), || format!("{left:?} leads to ourselves, and stays"))
    }
}
