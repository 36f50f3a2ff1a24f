//! A connection is closed as surplus only if every slot of its kind is held by a ready connection. A dial that has not
//! succeeded is never surplus.

use connmgr_core::{Action, CloseReason, ConnId};

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::KnownConn;
use crate::step::StepCause;

#[derive(Clone, Debug, Default)]
pub(crate) struct SuccessKeptRule;

impl SuccessKeptRule {
    /// Whether a dial has succeeded, in this step or before.
    fn has_succeeded(seen: RuleContext<'_>, id: ConnId, conn: &KnownConn) -> bool {
        conn.is_open() || seen.step.cause == StepCause::DialResult(id, Ok(()))
    }
}

impl Rule for SuccessKeptRule {
    const PROPERTY: Property = Property::SuccessKept;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::Close { conn: id, reason: CloseReason::Surplus } = action else { return Ok(()) };
        let Some(conn) = seen.ledger.conn(*id) else { return Ok(()) };
        hold(Self::has_succeeded(seen, *id, conn), || format!("{id} is surplus, but nobody told of its success"))?;
        let Some(kind) = conn.kind else { return Ok(()) };
        let (count, slots) = (seen.ledger.count(kind), seen.ledger.split.of(kind));
        hold(count.ready >= slots, || {
            format!(
                "{id} succeeded and is closed as surplus, with {} {kind} connections ready, of {slots}",
                count.ready
            )
        })
    }
}
