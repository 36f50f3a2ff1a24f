//! A connection that is ready offers what its kind requires; one that does not is closed for that, and no other is.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, Input, Reply};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::Life;
use crate::step::Cause;

#[derive(Clone, Debug)]
pub(crate) struct RequiredServices {
    /// It became ready, and lacks what its kind requires.
    useless: Option<ConnId>,
}

impl RequiredServices {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { useless: None }
    }
}

impl Rule for RequiredServices {
    const PROPERTY: Property = Property::RequiredServices;

    fn input(&mut self, seen: Seen<'_>, _: &Input, _: &Reply) -> Verdict {
        self.useless = None;
        let Cause::Ready(id, info) = seen.step.cause else { return Ok(()) };
        let conn = seen.ledger.conn(id).filter(|conn| conn.life == Life::Open);
        let required = conn.and_then(|conn| conn.kind).map(|kind| seen.ledger.config.required.of(kind));
        self.useless = required.filter(|required| !info.services.has(*required)).map(|_| id);
        Ok(())
    }

    fn action(&mut self, _: Seen<'_>, action: &Action) -> Verdict {
        let Action::Close { conn, reason: CloseReason::MissingServices } = action else { return Ok(()) };
        hold(self.useless == Some(*conn), || format!("{conn} is closed for lack of services, which it has"))
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let left = self.useless.take().filter(|id| seen.ledger.conn(*id).is_some());
        hold(left.is_none(), || format!("{left:?} lacks services that its kind requires, and stays"))
    }
}
