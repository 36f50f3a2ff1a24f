//! Contract 8: no more automatic connections and dials in one group than allowed.

use connmgr_core::{Action, ConnId, ConnManager, Event, Group, NetworkKind, PeerAddress};
use rustc_hash::FxHashMap;

use super::{Property, Rule, RuleContext, RuleResult, hold};

#[derive(Clone, Debug, Default)]
pub(crate) struct GroupTakenRule {
    /// The group of each automatic dial and connection, until it ends or an added peer takes it over.
    taken: FxHashMap<ConnId, Group>,
    counts: FxHashMap<Group, u32>,
}

impl GroupTakenRule {
    fn group(seen: RuleContext<'_>, address: &PeerAddress) -> Option<Group> {
        let overlay = address.network().is_some_and(NetworkKind::is_overlay);
        if overlay && seen.ledger.config.groups.exempt_overlays { None } else { seen.ledger.groups.of(address.host()) }
    }

    fn release(&mut self, id: ConnId) {
        let Some(group) = self.taken.remove(&id) else { return };
        if let Some(count) = self.counts.get_mut(&group) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&group);
            }
        }
    }
}

impl Rule for GroupTakenRule {
    const PROPERTY: Property = Property::GroupTaken;

    fn action(&mut self, _: RuleContext<'_>, action: &Action) -> RuleResult {
        if let Action::Emit(
            Event::Disconnected { conn, .. } | Event::DialFailed { conn, .. } | Event::Adopted { conn, .. },
        ) = action
        {
            self.release(*conn);
        }
        Ok(())
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let Some(most) = seen.ledger.config.groups.max_per_group else { return Ok(()) };
        for id in &seen.step.dials {
            let Some(conn) = seen.ledger.conn(*id) else { continue };
            let (true, Some(address)) = (conn.kind.is_some_and(|kind| kind.takes_group()), &conn.address) else {
                continue;
            };
            let Some(group) = Self::group(seen, address) else { continue };
            self.taken.insert(*id, group);
            let count = self.counts.entry(group).or_insert(0);
            *count += 1;
            hold(*count <= most, || format!("{id} to {address} is number {count} in its group, of at most {most}"))?;
        }
        Ok(())
    }
}
