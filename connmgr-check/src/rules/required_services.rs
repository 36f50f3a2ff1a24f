//! A connection is closed for missing services if, and only if, it becomes ready without those its kind requires.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, Input, Reply};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::ConnLife;
use crate::step::StepCause;

#[derive(Clone, Debug, Default)]
pub(crate) struct RequiredServicesRule {
    /// Becomes ready in this step, and lacks what its kind requires.
    useless: Option<ConnId>,
}

impl Rule for RequiredServicesRule {
    const PROPERTY: Property = Property::RequiredServices;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, _: &Input, _: &Reply) -> RuleResult {
        self.useless = None;
        let StepCause::Ready(id, info) = seen.step.cause else { return Ok(()) };
        let conn = seen.ledger.conn(id).filter(|conn| conn.life == ConnLife::Open);
        let required = conn.and_then(|conn| conn.kind).map(|kind| seen.ledger.config.required.of(kind));
        self.useless = required.filter(|required| !info.services.has(*required)).map(|_| id);
        Ok(())
    }

    fn action(&mut self, _: RuleContext<'_>, action: &Action) -> RuleResult {
        let Action::Close { conn, reason: CloseReason::MissingServices } = action else { return Ok(()) };
        hold(self.useless == Some(*conn), || format!("{conn} is closed for lack of services, which it has"))
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let left = self.useless.take().filter(|id| seen.ledger.conn(*id).is_some());
        hold(left.is_none(), || format!("{left:?} lacks services that its kind requires, and stays"))
    }
}
