//! Closing many at once: after a ban, a lowered limit, going inactive, shutting down.
//!
//! One call closes as many as its bound allows; the rest follows a tick later.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::conn::Conn;
use crate::types::{Action, CloseReason, ConnId, Event, Kind};

use super::slots::AUTOMATIC;
use super::{ConnManager, Phase, Timer};

/// Kinds whose connections may have to go when their share shrinks. Added peers never do.
const SHRINKABLE: [Kind; 5] = [Kind::Inbound, Kind::AddrFetch, Kind::Feeler, Kind::BlockRelay, Kind::Full];

/// The connections that must go, in the order in which they go.
#[derive(Default)]
struct Doomed {
    order: Vec<(ConnId, CloseReason)>,
    ids: BTreeSet<ConnId>,
}

impl Doomed {
    fn add(&mut self, ids: impl Iterator<Item = ConnId>, reason: CloseReason) {
        let ids: Vec<ConnId> = ids.filter(|id| self.ids.insert(*id)).collect();
        self.order.extend(ids.into_iter().map(|id| (id, reason)));
    }

    fn has(&self, id: ConnId) -> bool {
        self.ids.contains(&id)
    }
}

impl ConnManager {
    /// Closes whatever must go.
    pub(super) fn sweep(&mut self) {
        let mut doomed = match self.phase {
            Phase::Stopped => return self.sweep_wanted = false,
            Phase::Stopping => self.everyone(CloseReason::Shutdown),
            Phase::Inactive => self.everyone(CloseReason::Inactive),
            Phase::Active => self.banned_and_surplus(),
        }
        .order
        .into_iter();
        while self.has_room() {
            match doomed.next() {
                Some((id, reason)) => self.close(id, reason),
                None => {
                    self.sweep_wanted = false;
                    return self.swept();
                }
            }
        }
        self.arm_earlier(Timer::Plan, self.now());
    }

    /// All that had to go is gone.
    fn swept(&mut self) {
        if self.phase == Phase::Stopping {
            self.phase = Phase::Stopped;
            self.act(Action::Save);
            self.tell(Event::Stopped);
        }
    }

    fn everyone(&self, reason: CloseReason) -> Doomed {
        let mut doomed = Doomed::default();
        doomed.add(self.oldest_first(|_| true).into_iter(), reason);
        doomed
    }

    fn banned_and_surplus(&self) -> Doomed {
        let mut doomed = Doomed::default();
        self.doom_banned(&mut doomed);
        let split = self.split();
        for kind in SHRINKABLE {
            let holds = |conn: &Conn| conn.kind() == kind && conn.holds_slot();
            self.doom_surplus(self.table.slots_held(kind), split.of(kind), holds, &mut doomed);
        }
        for kind in AUTOMATIC {
            let is_without = |conn: &Conn| conn.kind() == kind && !conn.holds_slot();
            self.doom_surplus(self.table.without_slot(kind), self.max_hedged(kind), is_without, &mut doomed);
        }
        // What is still too much in all: what has no slot first, then what makes room for added peers that stay though
        // their share has shrunk.
        self.doom_youngest(self.excess(&doomed), |conn| !conn.holds_slot(), &mut doomed);
        for kind in SHRINKABLE {
            self.doom_youngest(self.excess(&doomed), |conn| conn.kind() == kind, &mut doomed);
        }
        doomed
    }

    /// By how many there are too many in all, once the doomed are gone.
    fn excess(&self, doomed: &Doomed) -> usize {
        (self.table.len() as usize).saturating_sub(doomed.order.len()).saturating_sub(self.limits.total as usize)
    }

    fn doom_banned(&self, doomed: &mut Doomed) {
        let rules = self.rules();
        let is_banned =
            |conn: &Conn| !conn.permissions().no_ban && conn.host().is_some_and(|host| rules.is_banned(&host));
        doomed.add(self.oldest_first(is_banned).into_iter(), CloseReason::Banned);
    }

    /// Of a sort of which there are `count` and may be `limit`: the youngest, as far as they are not going already.
    fn doom_surplus(&self, count: u32, limit: u32, sort: impl Fn(&Conn) -> bool, doomed: &mut Doomed) {
        if count > limit {
            let going = doomed.ids.iter().filter(|id| self.table.get(**id).is_some_and(&sort)).count();
            self.doom_youngest(((count - limit) as usize).saturating_sub(going), sort, doomed);
        }
    }

    /// The youngest of a sort that are not doomed already; those that became an added peer's last.
    fn doom_youngest(&self, count: usize, sort: impl Fn(&Conn) -> bool, doomed: &mut Doomed) {
        if count == 0 {
            return;
        }
        let sorted = self.table.iter().filter(|conn| sort(conn) && !doomed.has(conn.id()));
        let mut ids: Vec<(bool, ConnId)> = sorted.map(|conn| (conn.peer().is_none(), conn.id())).collect();
        ids.sort_unstable();
        doomed.add(ids.into_iter().rev().take(count).map(|(_, id)| id), CloseReason::LimitLowered);
    }

    fn oldest_first(&self, sort: impl Fn(&Conn) -> bool) -> Vec<ConnId> {
        let mut ids: Vec<ConnId> = self.table.iter().filter(|conn| sort(conn)).map(Conn::id).collect();
        ids.sort_unstable();
        ids
    }
}
