//! Contract 8: no more automatic connections and dials in one group than allowed.

use connmgr_core::{Action, ConnId, ConnManager, Event, Group, NetworkKind, PeerAddress};
use rustc_hash::FxHashMap;

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

#[derive(Clone, Debug)]
pub(crate) struct GroupTaken {
    /// Whose group is whose: automatic dials and connections until they end or an added peer takes them over.
    taken: FxHashMap<ConnId, Group>,
    counts: FxHashMap<Group, u32>,
    /// No more than so many in one group.
    most: Option<u32>,
}

impl GroupTaken {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        Self { taken: FxHashMap::default(), counts: FxHashMap::default(), most: ledger.config.groups.max_per_group }
    }

    fn group(seen: Seen<'_>, address: &PeerAddress) -> Option<Group> {
        let overlay = address.network().is_some_and(NetworkKind::is_overlay);
        if overlay && seen.ledger.config.groups.exempt_overlays { None } else { Group::of(address.host()) }
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

impl Rule for GroupTaken {
    const PROPERTY: Property = Property::GroupTaken;

    fn action(&mut self, _: Seen<'_>, action: &Action) -> Verdict {
        if let Action::Emit(
            Event::Disconnected { conn, .. } | Event::DialFailed { conn, .. } | Event::Adopted { conn, .. },
        ) = action
        {
            self.release(*conn);
        }
        Ok(())
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let Some(most) = self.most else { return Ok(()) };
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
