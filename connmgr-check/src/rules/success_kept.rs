//! A success is never thrown away while its kind is not full: a dial that succeeded, or a handshake that is done, is
//! surplus only if every slot of its kind is held by a connection that is ready. What has not succeeded is never surplus.

use connmgr_core::{Action, CloseReason, ConnId};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::Conn;
use crate::step::Cause;

#[derive(Clone, Debug)]
pub(crate) struct SuccessKept;

impl SuccessKept {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }

    /// Whether a dial has succeeded, in this step or before.
    fn has_succeeded(seen: Seen<'_>, id: ConnId, conn: &Conn) -> bool {
        conn.is_open() || seen.step.cause == Cause::DialResult(id, Ok(()))
    }
}

impl Rule for SuccessKept {
    const PROPERTY: Property = Property::SuccessKept;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
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
