//! Closing many at once: after a ban, a lowered limit, going inactive, shutting down.
//!
//! One call closes as many as its bound allows; the rest follows a tick later.

use alloc::vec::Vec;

use crate::action::{Action, CloseReason};
use crate::conn::Conn;
use crate::event::{Event, Kind};
use crate::id::ConnId;

use super::dialing::AUTOMATIC;
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
            let holds = |conn: &Conn| conn.kind() == kind && conn.holds_slot();
            let surplus = self.table.slots_held(kind).saturating_sub(split.of(kind));
            self.doom_surplus(surplus, holds, &mut doomed);
        }
        for kind in AUTOMATIC {
            let is_silent = |conn: &Conn| conn.kind() == kind && !conn.holds_slot();
            let surplus = self.table.silent(kind).saturating_sub(self.max_hedged(kind));
            self.doom_surplus(surplus, is_silent, &mut doomed);
        }
        // What is still too much in all: silent dials first, then what makes room for added peers that stay though
        // their share has shrunk.
        self.doom_youngest(self.excess(&doomed), |conn| !conn.holds_slot(), &mut doomed);
        for kind in SHRINKABLE {
            self.doom_youngest(self.excess(&doomed), |conn| conn.kind() == kind, &mut doomed);
        }
        doomed
    }

    /// By how many there are too many in all, once the doomed are gone.
    fn excess(&self, doomed: &[(ConnId, CloseReason)]) -> usize {
        (self.table.len() as usize).saturating_sub(doomed.len()).saturating_sub(self.limits.total as usize)
    }

    fn banned(&self) -> Vec<(ConnId, CloseReason)> {
        let rules = self.rules();
        let is_banned =
            |conn: &&Conn| !conn.permissions().no_ban && conn.host().is_some_and(|host| rules.is_banned(&host));
        let mut banned: Vec<ConnId> = self.table.iter().filter(is_banned).map(|conn| conn.id()).collect();
        banned.sort_unstable();
        banned.into_iter().map(|id| (id, CloseReason::Banned)).collect()
    }

    /// The youngest of a sort of which there is a surplus, as far as it is not going already.
    fn doom_surplus(&self, surplus: u32, sort: impl Fn(&Conn) -> bool, doomed: &mut Vec<(ConnId, CloseReason)>) {
        if surplus > 0 {
            let going = doomed.iter().filter(|(id, _)| self.table.get(*id).is_some_and(&sort)).count();
            self.doom_youngest((surplus as usize).saturating_sub(going), sort, doomed);
        }
    }

    /// The youngest of a sort that are not doomed already.
    fn doom_youngest(&self, count: usize, sort: impl Fn(&Conn) -> bool, doomed: &mut Vec<(ConnId, CloseReason)>) {
        if count == 0 {
            return;
        }
        let already = |id: ConnId| doomed.iter().any(|(other, _)| *other == id);
        let sorted = self.table.iter().filter(|conn| sort(conn)).map(Conn::id);
        let mut ids: Vec<ConnId> = sorted.filter(|id| !already(*id)).collect();
        ids.sort_unstable();
        doomed.extend(ids.into_iter().rev().take(count).map(|id| (id, CloseReason::LimitLowered)));
    }
}
