//! In connect-only mode only added peers are dialed. No seed is asked and no book is kept.

use connmgr_core::{Action, ConnManager, Event, Kind, Mode};

use super::{Property, Rule, RuleContext, RuleResult, hold};

#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectOnlyRule;

impl ConnectOnlyRule {
    fn applies(seen: RuleContext<'_>) -> bool {
        seen.ledger.config.mode == Mode::ConnectOnly
    }
}

impl Rule for ConnectOnlyRule {
    const PROPERTY: Property = Property::ConnectOnly;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        if !Self::applies(seen) {
            return Ok(());
        }
        let asks = matches!(
            action,
            Action::ResolveSeed { .. }
                | Action::Emit(Event::AddressesWanted { .. } | Event::SeedAnswered { .. } | Event::SeedFailed { .. })
        );
        hold(!asks, || format!("though connect-only: {action}"))
    }

    fn after(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        if !Self::applies(seen) {
            return Ok(());
        }
        for (id, conn) in seen.step.dials.iter().filter_map(|id| Some((id, seen.ledger.conn(*id)?))) {
            hold(conn.kind == Some(Kind::Added), || format!("{id} is dialed as {:?} though connect-only", conn.kind))?;
        }
        hold(manager.book().is_empty(), || "a book is kept though connect-only".into())
    }
}
