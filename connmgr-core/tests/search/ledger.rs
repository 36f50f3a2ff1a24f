//! What was promised and what was kept: a driver's view of every connection.

use std::collections::BTreeSet;

use connmgr_core::*;

/// How many ended connections are remembered, to be told of again.
const REMEMBERED: usize = 2;

/// Every dial and connection, as a driver sees them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    dialing: BTreeSet<ConnId>,
    open: BTreeSet<ConnId>,
    /// Those that ended last, latest last.
    pub(crate) ended: Vec<ConnId>,
    newest: Option<ConnId>,
}

impl Ledger {
    /// Enters what an input has caused.
    pub(crate) fn enter(&mut self, input: &Input, actions: &[Action]) -> Result<(), String> {
        // A driver forgets a dial once it has told its result.
        let told = match input {
            Input::DialResult { conn, .. } if self.dialing.remove(conn) => Some(*conn),
            _ => None,
        };
        let mut succeeded = match input {
            Input::DialResult { conn, result: Ok(()) } => told.filter(|told| told == conn),
            _ => None,
        };
        if let Some(failed) = told.filter(|_| succeeded.is_none()) {
            self.end(failed);
        }
        for action in actions {
            self.enter_action(action, &mut succeeded)?;
        }
        succeeded.map_or(Ok(()), |conn| Err(format!("the success of {conn} led to neither Connected nor Close")))
    }

    fn enter_action(&mut self, action: &Action, succeeded: &mut Option<ConnId>) -> Result<(), String> {
        match action {
            Action::Dial { conn, .. } => {
                self.is_new(*conn)?;
                self.dialing.insert(*conn);
            }
            Action::Close { conn, .. } => {
                let is_late_success = succeeded.take_if(|succeeded| succeeded == conn).is_some();
                if is_late_success || self.dialing.remove(conn) {
                    self.end(*conn);
                }
            }
            Action::Emit(Event::Connected(connected)) => {
                if succeeded.take_if(|succeeded| *succeeded == connected.conn).is_none() {
                    self.is_new(connected.conn)?;
                }
                self.open.insert(connected.conn);
            }
            Action::Emit(Event::Disconnected { conn, .. }) => {
                if !self.open.remove(conn) {
                    return Err(format!("{conn} was disconnected without being connected"));
                }
                self.end(*conn);
            }
            _ => {}
        }
        Ok(())
    }

    fn is_new(&mut self, conn: ConnId) -> Result<(), String> {
        if self.newest >= Some(conn) {
            return Err(format!("{conn} is not a new id"));
        }
        self.newest = Some(conn);
        Ok(())
    }

    fn end(&mut self, conn: ConnId) {
        if self.ended.len() == REMEMBERED {
            self.ended.remove(0);
        }
        self.ended.push(conn);
    }

    /// Compares with what the manager says there is.
    pub(crate) fn balance(&self, manager: &ConnManager) -> Result<(), String> {
        let is_open = |conn: &ConnView| conn.state.is_open();
        let (open, dialing): (Vec<_>, Vec<_>) = manager.connections().into_iter().partition(is_open);
        if !open.iter().map(|conn| conn.conn).eq(self.open.iter().copied()) {
            return Err(format!("open: the driver has {:?}, the manager {open:?}", self.open));
        }
        if !dialing.iter().map(|conn| conn.conn).eq(self.dialing.iter().copied()) {
            return Err(format!("dialing: the driver has {:?}, the manager {dialing:?}", self.dialing));
        }
        Ok(())
    }
}
