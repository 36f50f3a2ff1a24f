//! Closing many at once: after a ban, a lowered limit, going inactive, shutting down.
//!
//! One call closes as many as its bound allows; the rest follows a tick later.

use alloc::vec::Vec;

use crate::action::{Action, CloseReason};
use crate::event::{Event, Kind};
use crate::id::ConnId;

use super::{ConnManager, Phase};

/// Kinds whose connections may have to go when their share shrinks. Added peers never do.
const SHRINKABLE: [Kind; 5] = [Kind::Inbound, Kind::AddrFetch, Kind::Feeler, Kind::BlockRelay, Kind::Full];

impl ConnManager {
    /// Closes whatever must go.
    pub(super) fn sweep(&mut self) {
        let mut doomed = match self.phase {
            Phase::Stopped => return self.sweep_wanted = false,
            Phase::Stopping => self.everyone(CloseReason::Shutdown),
            Phase::Inactive => self.everyone(CloseReason::Inactive),
            Phase::Active => self.banned_and_surplus(),
        }
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
        self.plan_at(self.now());
    }

    /// All that had to go is gone.
    fn swept(&mut self) {
        if self.phase == Phase::Stopping {
            self.phase = Phase::Stopped;
            self.act(Action::Save);
            self.tell(Event::Stopped);
        }
    }

    fn everyone(&self, reason: CloseReason) -> Vec<(ConnId, CloseReason)> {
        let mut ids: Vec<ConnId> = self.table.iter().map(|conn| conn.id()).collect();
        ids.sort_unstable();
        ids.into_iter().map(|id| (id, reason)).collect()
    }

    fn banned_and_surplus(&self) -> Vec<(ConnId, CloseReason)> {
        let mut doomed = self.banned();
        let split = self.split();
        for kind in SHRINKABLE {
            let surplus = self.table.slots_held(kind).saturating_sub(split.of(kind));
            self.doom_youngest(kind, surplus, &mut doomed);
        }
        // What is still too much in all (silent dials, addr-fetches) goes by the same rule.
        let left = self.table.len() - u32::try_from(doomed.len()).unwrap_or(u32::MAX).min(self.table.len());
        self.doom_silent(left.saturating_sub(self.limits.total), &mut doomed);
        doomed
    }

    fn banned(&self) -> Vec<(ConnId, CloseReason)> {
        let rules = self.rules();
        let is_banned = |conn: &&crate::conn::Conn| {
            !conn.permissions().no_ban && conn.host().is_some_and(|host| rules.is_banned(&host))
        };
        let mut banned: Vec<ConnId> = self.table.iter().filter(is_banned).map(|conn| conn.id()).collect();
        banned.sort_unstable();
        banned.into_iter().map(|id| (id, CloseReason::Banned)).collect()
    }

    /// The youngest of a kind that hold a slot and are not doomed already; those that became an added peer's last.
    fn doom_youngest(&self, kind: Kind, count: u32, doomed: &mut Vec<(ConnId, CloseReason)>) {
        let already = |id: ConnId| doomed.iter().any(|(other, _)| *other == id);
        let going = doomed.iter().filter(|(id, _)| self.table.get(*id).is_some_and(|conn| conn.kind() == kind)).count();
        let count = (count as usize).saturating_sub(going);
        if count == 0 {
            return;
        }
        let of_kind = self.table.iter().filter(|conn| conn.kind() == kind && conn.holds_slot());
        let is_nobodys = |conn: &crate::conn::Conn| (conn.peer().is_none(), conn.id());
        let mut ids: Vec<(bool, ConnId)> = of_kind.map(is_nobodys).filter(|(_, id)| !already(*id)).collect();
        ids.sort_unstable();
        doomed.extend(ids.into_iter().rev().take(count).map(|(_, id)| (id, CloseReason::LimitLowered)));
    }

    /// The youngest silent dials and addr-fetches.
    fn doom_silent(&self, count: u32, doomed: &mut Vec<(ConnId, CloseReason)>) {
        if count == 0 {
            return;
        }
        let is_spare = |conn: &&crate::conn::Conn| !conn.holds_slot() || conn.kind() == Kind::AddrFetch;
        let already = |id: ConnId| doomed.iter().any(|(other, _)| *other == id);
        let spare = self.table.iter().filter(is_spare).map(|conn| conn.id());
        let mut ids: Vec<ConnId> = spare.filter(|id| !already(*id)).collect();
        ids.sort_unstable();
        doomed.extend(ids.into_iter().rev().take(count as usize).map(|id| (id, CloseReason::LimitLowered)));
    }
}
