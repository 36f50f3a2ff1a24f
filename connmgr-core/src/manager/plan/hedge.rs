//! Hedged dials: a dial without progress gives its slot to another.

use crate::config::Split;
use crate::conn::Conn;
use crate::mechanisms::pace::Pace;
use crate::types::{ConnId, Kind};

use super::ConnManager;
use crate::manager::slots::AUTOMATIC;

/// Where a new dial gets its slot from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::manager) enum Vacancy {
    /// A slot is free.
    Free,
    /// This dial gives its slot up, because its network has lately yielded nothing and another network has.
    TakenFrom(ConnId),
}

impl ConnManager {
    /// Dials and handshakes without progress give up their slots, the oldest first, while more may go on without one.
    pub(super) fn hedge(&mut self) {
        for kind in AUTOMATIC {
            while let Some(id) = self.table.first_overdue(kind) {
                if !self.has_hedge_room(kind) {
                    break;
                }
                self.table.give_slot(id, self.now());
            }
        }
    }

    /// Whether [`vacancy`](Self::vacancy) can find any.
    #[inline]
    pub(super) const fn may_have_vacancy(&self, kind: Kind, split: &Split) -> bool {
        self.table.slots_held(kind) < split.of(kind) || self.table.is_dialing_with_slot(kind)
    }

    /// Where one more automatic dial would get its slot from; `None` if it gets none.
    pub(in crate::manager) fn vacancy(&self, kind: Kind, split: &Split) -> Option<Vacancy> {
        if self.has_slot(kind, split) {
            Some(Vacancy::Free)
        } else if self.table.is_dialing_with_slot(kind) {
            self.vacancy_of_doubtful(kind)
        } else {
            None
        }
    }

    /// The dial, if any, that gives its slot to a proven network.
    fn vacancy_of_doubtful(&self, kind: Kind) -> Option<Vacancy> {
        // Asked first: where none is proven, this is asked after every input.
        let is_any_proven = self.paces.iter().any(Pace::is_proven);
        if !is_any_proven
            || !self.networks_up().iter().any(|up| self.is_proven(up))
            || self.take_slots_again_at > self.now()
        {
            return None;
        }
        let fits = self.table.len() + self.peers.lookups() < self.limits.total && self.has_hedge_room(kind);
        if !fits {
            return None;
        }
        let is_doubtful = |conn: &Conn| conn.network().is_some_and(|network| !self.is_proven(network));
        let gives_slot =
            |id: &ConnId| self.table.get(*id).is_some_and(|conn| is_doubtful(conn) && !conn.notes.is_trial);
        self.table.dialing(kind).find(gives_slot).map(Vacancy::TakenFrom)
    }
}
