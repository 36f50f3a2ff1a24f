//! Contract 8: no dial to an address that is connected or being dialed.

use std::collections::BTreeMap;

use connmgr_core::{Action, ConnId, ConnManager, Event, PeerAddress, Target};
use rustc_hash::FxHashMap;

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::is_ambiguous;
use crate::step::ended;

/// Counts the connections and dials of each address. A dialed address in `fc00::/8` may be IPv6 or CJDNS; it is checked
/// at the end of the step, when the view has told which.
#[derive(Clone, Debug, Default)]
pub(crate) struct AddressInUseRule {
    users: FxHashMap<PeerAddress, u32>,
}

impl AddressInUseRule {
    fn take(&mut self, id: ConnId, address: &PeerAddress) -> RuleResult {
        if is_ambiguous(address) {
            return Ok(());
        }
        let users = self.users.entry(address.clone()).or_insert(0);
        *users += 1;
        hold(*users == 1, || format!("{id} dials {address}, which is in use"))
    }

    fn release(&mut self, seen: RuleContext<'_>, id: ConnId) {
        let Some(address) = seen.ledger.conn(id).and_then(|conn| conn.address.as_ref()) else { return };
        if let Some(users) = self.users.get_mut(address) {
            *users -= 1;
            if *users == 0 {
                self.users.remove(address);
            }
        }
    }
}

impl Rule for AddressInUseRule {
    const PROPERTY: Property = Property::AddressInUse;
    const AFTER: Concern = Concern::Dials;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Dial { conn, target: Target::Direct(addr), .. } => self.take(*conn, &PeerAddress::from(*addr)),
            Action::Dial { conn, target: Target::Proxied { address, .. }, .. } => self.take(*conn, address),
            Action::Emit(Event::Connected(connected)) if connected.kind.is_inbound() => {
                if let Some(address) = connected.address.as_ref().filter(|address| !is_ambiguous(address)) {
                    *self.users.entry(address.clone()).or_insert(0) += 1;
                }
                Ok(())
            }
            _ => {
                if let Some(conn) = ended(action) {
                    self.release(seen, conn);
                }
                Ok(())
            }
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        for id in &seen.step.dials {
            let address = seen.ledger.conn(*id).and_then(|conn| conn.address.as_ref());
            let Some(address) = address.filter(|address| is_ambiguous(address)) else { continue };
            let mut others =
                seen.ledger.conns.iter().filter(|(other, conn)| *other != id && conn.address.as_ref() == Some(address));
            hold(others.next().is_none(), || format!("{id} dials {address}, which is in use"))?;
        }
        Ok(())
    }

    // Inbound connections may share an address: many peers can sit behind one.
    fn audit(&mut self, _: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        let mut dialed = BTreeMap::new();
        for view in manager.connections().iter().filter(|view| !view.kind.is_inbound()) {
            if let Some(other) = view.address.clone().and_then(|address| dialed.insert(address, view.conn)) {
                return Err(format!("{other} and {} are both to {:?}", view.conn, view.address));
            }
        }
        Ok(())
    }
}
