//! Contract 8: no dial to an address that is connected or being dialed.

use std::collections::BTreeMap;

use connmgr_core::{Action, ConnId, ConnManager, Event, PeerAddress, Target};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::is_ambiguous;

/// Addresses in use are counted by who has them. Where the dialed address alone does not say which network is meant
/// (`fc00::/8`), it is judged when the step is over: then the view has told.
#[derive(Clone, Debug)]
pub(crate) struct AddressInUse {
    users: FxHashMap<PeerAddress, u32>,
}

impl AddressInUse {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { users: FxHashMap::default() }
    }

    fn take(&mut self, id: ConnId, address: &PeerAddress) -> Verdict {
        if is_ambiguous(address) {
            return Ok(());
        }
        let users = self.users.entry(address.clone()).or_insert(0);
        *users += 1;
        hold(*users == 1, || format!("{id} dials {address}, which is in use"))
    }

    fn release(&mut self, seen: Seen<'_>, id: ConnId) {
        let Some(address) = seen.ledger.conn(id).and_then(|conn| conn.address.as_ref()) else { return };
        if let Some(users) = self.users.get_mut(address) {
            *users -= 1;
            if *users == 0 {
                self.users.remove(address);
            }
        }
    }
}

impl Rule for AddressInUse {
    const PROPERTY: Property = Property::AddressInUse;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Dial { conn, target: Target::Direct(addr), .. } => self.take(*conn, &PeerAddress::from(*addr)),
            Action::Dial { conn, target: Target::Proxied { address, .. }, .. } => self.take(*conn, address),
            Action::Emit(Event::Connected(connected)) if connected.kind.is_inbound() => {
                if let Some(address) = connected.address.as_ref().filter(|address| !is_ambiguous(address)) {
                    *self.users.entry(address.clone()).or_insert(0) += 1;
                }
                Ok(())
            }
            Action::Emit(Event::Disconnected { conn, .. } | Event::DialFailed { conn, .. }) => {
                self.release(seen, *conn);
                Ok(())
            }
            Action::Close { .. }
            | Action::ResolveSeed { .. }
            | Action::ResolveHost { .. }
            | Action::ScheduleRetry { .. }
            | Action::PauseAccept { .. }
            | Action::Save
            | Action::Emit(_) => Ok(()),
        }
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        for id in &seen.step.dials {
            let address = seen.ledger.conn(*id).and_then(|conn| conn.address.as_ref());
            let Some(address) = address.filter(|address| is_ambiguous(address)) else { continue };
            let mut others =
                seen.ledger.conns.iter().filter(|(other, conn)| *other != id && conn.address.as_ref() == Some(address));
            hold(others.next().is_none(), || format!("{id} dials {address}, which is in use"))?;
        }
        Ok(())
    }

    /// We dial nobody twice. (Who comes in may come from anywhere.)
    fn audit(&mut self, _: Seen<'_>, manager: &ConnManager) -> Verdict {
        let mut dialed = BTreeMap::new();
        for view in manager.connections().iter().filter(|view| !view.kind.is_inbound()) {
            if let Some(other) = view.address.clone().and_then(|address| dialed.insert(address, view.conn)) {
                return Err(format!("{other} and {} are both to {:?}", view.conn, view.address));
            }
        }
        Ok(())
    }
}
