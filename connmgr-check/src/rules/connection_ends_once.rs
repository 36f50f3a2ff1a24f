//! Contract 7: `Connected` comes before `Disconnected`, each once; nothing after. What the world says has ended is
//! ended, and whom a command disconnects is closed.

use connmgr_core::{Action, ConnId, ConnManager, Event, Input, Reply};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::Life;
use crate::step::Cause;

#[derive(Clone, Debug)]
pub(crate) struct ConnectionEndsOnce {
    /// Who was let in by the input of this step, and was not `Connected` yet.
    admitted: Option<ConnId>,
    /// Who must be gone when the step is over.
    ends: Option<ConnId>,
}

impl ConnectionEndsOnce {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { admitted: None, ends: None }
    }

    fn connected(&mut self, seen: Seen<'_>, id: ConnId, inbound: bool) -> Verdict {
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

impl Rule for ConnectionEndsOnce {
    const PROPERTY: Property = Property::ConnectionEndsOnce;

    fn input(&mut self, seen: Seen<'_>, _: &Input, reply: &Reply) -> Verdict {
        self.admitted = if let Reply::Accepted(Ok(conn)) = reply { Some(*conn) } else { None };
        self.ends = match seen.step.cause {
            Cause::Closed(conn, _) => seen.ledger.conn(conn).filter(|conn| conn.is_open()).map(|_| conn),
            Cause::Disconnect(conn) | Cause::Reconnect(conn) => Some(conn),
            _ => None,
        };
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let Action::Emit(event) = action else { return Ok(()) };
        match event {
            Event::Connected(connected) => self.connected(seen, connected.conn, connected.kind.is_inbound()),
            Event::Disconnected { conn, .. } => match seen.ledger.conn(*conn).map(|conn| conn.life) {
                Some(Life::Open | Life::Ready) => Ok(()),
                Some(Life::Dialing) => Err(format!("{conn} is disconnected, but never was connected")),
                None => Err(format!("{conn} is disconnected, but has ended or never was")),
            },
            Event::Adopted { conn, .. } => {
                let is_open = seen.ledger.conn(*conn).is_some_and(|conn| conn.is_open());
                hold(is_open, || format!("{conn} is adopted, but is not open"))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        if let Some(id) = self.admitted.take() {
            return Err(format!("{id} was let in, but not Connected"));
        }
        match self.ends.take() {
            Some(id) => hold(seen.ledger.conn(id).is_none(), || format!("{id} should have ended in this step")),
            None => Ok(()),
        }
    }
}
