//! A success is never thrown away while its kind is not full of connections that have come as far: a dial that succeeded
//! is surplus only if every slot of its kind is held by a connection that is open, a handshake that is done only if
//! every slot is held by one that is ready. What is only being dialed holds none against it, nor does a handshake that
//! has given its slot away.

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
        let (count, slots) = (seen.ledger.count(kind), seen.ledger.split.of(kind));
        let is_done = matches!(seen.step.cause, Cause::Ready(done, _) if done == *id);
        let (others, far) = match is_done {
            true => (count.ready, "ready"),
            false => (count.open - count.stalled.min(count.open), "open and not stalled"),
        };
        hold(others >= slots, || {
            format!("{id} succeeded and is closed as surplus, with {others} {kind} connections {far}, of {slots}")
        })
    }
}
