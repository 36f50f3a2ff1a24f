//! What was promised and what was kept: a driver's view of every connection.

use std::collections::{BTreeMap, BTreeSet};

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
    /// Whom we dialed.
    dialed: BTreeMap<ConnId, PeerAddress>,
    /// Ready connections whose peer has told who it is.
    known: BTreeMap<ConnId, Identity>,
    /// Addresses at which a peer was met that is connected by another connection.
    met: BTreeMap<PeerAddress, ConnId>,
}

impl Ledger {
    /// Enters what an input has caused.
    ///
    /// # Errors
    /// The promise that was broken.
    pub(crate) fn enter(&mut self, input: &Input, actions: &[Action], after: &ConnManager) -> Result<(), String> {
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
        if let Input::Ready { conn, info: PeerInfo { identity: Some(identity), .. } } = input {
            self.enter_identity(*conn, *identity, actions);
        }
        for action in actions {
            self.enter_action(action, &mut succeeded)?;
            self.check_met(action, after)?;
        }
        succeeded.map_or(Ok(()), |conn| Err(format!("the success of {conn} led to neither Connected nor Close")))
    }

    /// A peer has told who it is. If another connection leads to it as well, one of the two goes, and the address of
    /// that one leads to whom the other has.
    fn enter_identity(&mut self, newer: ConnId, identity: Identity, actions: &[Action]) {
        let older = self.known.iter().find(|(_, known)| **known == identity).map(|(conn, _)| *conn);
        let loser = actions.iter().find_map(|action| match action {
            Action::Close { conn, reason: CloseReason::Duplicate } => Some(*conn),
            _ => None,
        });
        let winner = if loser == Some(newer) { older } else { Some(newer) };
        if let (Some(address), Some(winner)) = (loser.and_then(|loser| self.dialed.get(&loser)), winner) {
            self.met.insert(address.clone(), winner);
        }
        if self.open.contains(&newer) {
            self.known.insert(newer, identity);
        }
    }

    /// Nobody is dialed twice: not automatically.
    fn check_met(&self, action: &Action, after: &ConnManager) -> Result<(), String> {
        let Action::Dial { conn, .. } = action else { return Ok(()) };
        let is_automatic = after.connection(*conn).is_some_and(|view| view.kind.takes_group());
        let twin = self.met.get(&self.dialed[conn]).filter(|twin| self.open.contains(twin));
        match twin.filter(|_| is_automatic) {
            Some(twin) => Err(format!("{conn} is dialed to the peer of {twin}")),
            None => Ok(()),
        }
    }

    /// The connection to a peer that was met at another address as well, if there is one.
    pub(crate) fn met_twice(&self) -> Option<ConnId> {
        self.met.values().find(|conn| self.open.contains(conn)).copied()
    }

    fn enter_action(&mut self, action: &Action, succeeded: &mut Option<ConnId>) -> Result<(), String> {
        match action {
            Action::Dial { conn, target, .. } => {
                self.is_new(*conn)?;
                self.dialing.insert(*conn);
                self.dialed.insert(*conn, address(target));
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

fn address(target: &Target) -> PeerAddress {
    match target {
        Target::Direct(addr) => PeerAddress::from(*addr),
        Target::Proxied { address, .. } => address.clone(),
    }
}
