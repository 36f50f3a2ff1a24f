//! Connect-only: the added peers and nobody else; no seeds, no book, ever.

use connmgr_core::{Action, ConnManager, Event, Kind, Mode};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

#[derive(Clone, Debug)]
pub(crate) struct ConnectOnly {
    applies: bool,
}

impl ConnectOnly {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        Self { applies: ledger.config.mode == Mode::ConnectOnly }
    }
}

impl Rule for ConnectOnly {
    const PROPERTY: Property = Property::ConnectOnly;

    fn action(&mut self, _: Seen<'_>, action: &Action) -> Verdict {
        if !self.applies {
            return Ok(());
        }
        let asks = matches!(
            action,
            Action::ResolveSeed { .. }
                | Action::Emit(Event::AddressesWanted { .. } | Event::SeedAnswered { .. } | Event::SeedFailed { .. })
        );
        hold(!asks, || format!("though connect-only: {action}"))
    }

    fn after(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Verdict {
        if !self.applies {
            return Ok(());
        }
        for (id, conn) in seen.step.dials.iter().filter_map(|id| Some((id, seen.ledger.conn(*id)?))) {
            hold(conn.kind == Some(Kind::Added), || format!("{id} is dialed as {:?} though connect-only", conn.kind))?;
        }
        hold(manager.book().is_empty(), || "a book is kept though connect-only".into())
    }
}
