//! Contract 7: `Connected` comes before `Disconnected`, each once, and nothing comes after. A connection reported closed
//! ends in that step, and so does one that a command disconnects. The end tells who ended it.

use connmgr_core::{Action, ConnId, ConnManager, EndReason, Event, Input, Reply};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::ConnLife;
use crate::step::StepCause;

#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionEndsOnceRule {
    /// Accepted in this step, and not `Connected` yet.
    admitted: Option<ConnId>,
    /// Must have ended when the step is over.
    ends: Option<ConnId>,
}

impl ConnectionEndsOnceRule {
    fn connected(&mut self, seen: RuleContext<'_>, id: ConnId, inbound: bool) -> RuleResult {
        if inbound {
            let is_new = self.admitted.take() == Some(id) && seen.ledger.conn(id).is_none();
            return hold(is_new, || format!("{id} came in, but nobody was just let in under this id"));
        }
        match seen.ledger.conn(id) {
            Some(conn) => hold(!conn.is_open(), || format!("{id} is connected a second time")),
            None => Err(format!("{id} is connected, but was not dialed or has ended")),
        }
    }
}

/// The input ended the connection that it is about; all others that end in the step are closed by the manager.
fn tells_who_ended_it(cause: StepCause, conn: ConnId, reason: EndReason) -> RuleResult {
    let holds = match (cause, reason) {
        (StepCause::Closed(closed, cause), _) if closed == conn => reason == EndReason::Theirs(cause),
        (StepCause::Dropped(dropped), _) if dropped == conn => reason == EndReason::Dropped,
        (_, EndReason::Ours(_)) => true,
        _ => false,
    };
    hold(holds, || format!("{conn} is said to have ended for another reason than told: {reason}"))
}

impl Rule for ConnectionEndsOnceRule {
    const PROPERTY: Property = Property::ConnectionEndsOnce;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, _: &Input, reply: &Reply) -> RuleResult {
        self.admitted = if let Reply::Accepted(Ok(conn)) = reply { Some(*conn) } else { None };
        self.ends = match seen.step.cause {
            StepCause::Closed(conn, _) | StepCause::Dropped(conn) => {
                seen.ledger.conn(conn).filter(|conn| conn.is_open()).map(|_| conn)
            }
            StepCause::Disconnect(conn) | StepCause::Reconnect(conn) => Some(conn),
            _ => None,
        };
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::Emit(event) = action else { return Ok(()) };
        match event {
            Event::Connected(connected) => self.connected(seen, connected.conn, connected.kind.is_inbound()),
            Event::Disconnected { conn, reason, .. } => match seen.ledger.conn(*conn).map(|conn| conn.life) {
                Some(ConnLife::Open | ConnLife::Ready) => tells_who_ended_it(seen.step.cause, *conn, *reason),
                Some(ConnLife::Dialing) => Err(format!("{conn} is disconnected, but never was connected")),
                None => Err(format!("{conn} is disconnected, but has ended or never was")),
            },
            Event::Adopted { conn, .. } => {
                let is_open = seen.ledger.conn(*conn).is_some_and(|conn| conn.is_open());
                hold(is_open, || format!("{conn} is adopted, but is not open"))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        if let Some(id) = self.admitted.take() {
            return Err(format!("{id} was let in, but not Connected"));
        }
        match self.ends.take() {
            Some(id) => hold(seen.ledger.conn(id).is_none(), || format!("{id} should have ended in this step")),
            None => Ok(()),
        }
    }
}
