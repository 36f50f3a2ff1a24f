//! A success is never thrown away while its kind is not full of open connections: a dial that succeeded is surplus only
//! if every slot of its kind is held by a connection that is at least open. What is only being dialed holds none
//! against it.

use connmgr_core::{Action, CloseReason, ConnId};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::check::ledger::conn::Conn;
use crate::check::step::Cause;

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
        let Some(conn) = seen.ledger.conn(*id).filter(|conn| Self::has_succeeded(seen, *id, conn)) else {
            return Ok(());
        };
        let Some(kind) = conn.kind else { return Ok(()) };
        let others = seen.ledger.count(kind).open - u32::from(conn.is_open());
        let slots = seen.ledger.split.of(kind);
        hold(others >= slots, || {
            format!("{id} succeeded and is closed as surplus, with {others} other {kind} connections open, of {slots}")
        })
    }
}
