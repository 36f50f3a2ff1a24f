//! Closes many connections: after a ban, a lowered limit, at inactivity and at shutdown.
//!
//! One call closes as many as its limit of actions allows; the rest follow one tick later.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::conn::Conn;
use crate::types::{CloseReason, ConnId, Event, Kind};

use super::slots::AUTOMATIC;
use super::{ConnManager, Phase, Timer};

/// Kinds whose connections may have to close when their share shrinks. Added peers stay.
const SHRINKABLE: [Kind; 5] = [Kind::Inbound, Kind::AddrFetch, Kind::Feeler, Kind::BlockRelay, Kind::Full];

/// The connections to close, in order.
#[derive(Default)]
struct ToClose {
    order: Vec<(ConnId, CloseReason)>,
    ids: BTreeSet<ConnId>,
}

impl ToClose {
    fn add(&mut self, ids: impl Iterator<Item = ConnId>, reason: CloseReason) {
        let ids: Vec<ConnId> = ids.filter(|id| self.ids.insert(*id)).collect();
        self.order.extend(ids.into_iter().map(|id| (id, reason)));
    }

    fn has(&self, id: ConnId) -> bool {
        self.ids.contains(&id)
    }
}

impl ConnManager {
    /// Closes every connection that must close.
    pub(super) fn sweep(&mut self) {
        let mut to_close = match self.phase {
            Phase::Stopped => return self.sweep_wanted = false,
            Phase::Stopping => self.all_connections(CloseReason::Shutdown),
            Phase::Inactive => self.all_connections(CloseReason::Inactive),
            Phase::Active => self.banned_and_surplus().order,
        }
        .into_iter();
        while self.has_room() {
            match to_close.next() {
                Some((id, reason)) => self.close(id, reason),
                None => {
                    self.sweep_wanted = false;
                    return self.finish_sweep();
                }
            }
        }
        self.arm_earlier(Timer::Plan, self.now());
    }

    /// Everything that had to close is closed.
    fn finish_sweep(&mut self) {
        if self.phase == Phase::Stopping {
            self.phase = Phase::Stopped;
            self.tell_refusals();
            self.save_all();
            self.tell(Event::Stopped);
        }
    }

    fn all_connections(&self, reason: CloseReason) -> Vec<(ConnId, CloseReason)> {
        self.oldest_first(|_| true).into_iter().map(|id| (id, reason)).collect()
    }

    fn banned_and_surplus(&self) -> ToClose {
        let mut to_close = ToClose::default();
        self.select_banned(&mut to_close);
        let split = self.split();
        for kind in SHRINKABLE {
            let holds = |conn: &Conn| conn.kind() == kind && conn.holds_slot();
            self.select_surplus(self.table.slots_held(kind), split.of(kind), holds, &mut to_close);
        }
        for kind in AUTOMATIC {
            let is_without = |conn: &Conn| conn.kind() == kind && !conn.holds_slot();
            self.select_surplus(self.table.without_slot(kind), self.max_hedged(kind), is_without, &mut to_close);
        }
        // If the total is still exceeded: first what has no slot, then what must make room for added peers, which stay
        // even if their share has shrunk.
        self.select_youngest(self.excess(&to_close), |conn| !conn.holds_slot(), &mut to_close);
        for kind in SHRINKABLE {
            self.select_youngest(self.excess(&to_close), |conn| conn.kind() == kind, &mut to_close);
        }
        to_close
    }

    /// By how many the total is exceeded once these are closed.
    fn excess(&self, to_close: &ToClose) -> usize {
        (self.table.len() as usize).saturating_sub(to_close.order.len()).saturating_sub(self.limits.total as usize)
    }

    fn select_banned(&self, to_close: &mut ToClose) {
        to_close.add(self.oldest_first(|conn| self.is_banned(conn)).into_iter(), CloseReason::Banned);
    }

    /// Whether a ban forbids this connection: of its host, or of the name for which it was dialed.
    pub(super) fn is_banned(&self, conn: &Conn) -> bool {
        let rules = self.rules();
        let peer = conn.dialed().and(conn.peer()).and_then(|peer| self.peers.get(peer));
        let name = peer.and_then(|peer| peer.addresses().get(conn.notes.of)).filter(|at| at.name().is_some());
        !conn.permissions().no_ban
            && (conn.host().is_some_and(|host| rules.is_banned(&host))
                || name.is_some_and(|name| rules.is_banned(name.host())))
    }

    /// Selects the youngest of `count` where `limit` are allowed, less those already selected.
    fn select_surplus(&self, count: u32, limit: u32, sort: impl Fn(&Conn) -> bool, to_close: &mut ToClose) {
        if count > limit {
            let going = to_close.ids.iter().filter(|id| self.table.get(**id).is_some_and(&sort)).count();
            self.select_youngest(((count - limit) as usize).saturating_sub(going), sort, to_close);
        }
    }

    /// Selects the youngest not yet selected. A connection of an added peer comes last.
    fn select_youngest(&self, count: usize, sort: impl Fn(&Conn) -> bool, to_close: &mut ToClose) {
        if count == 0 {
            return;
        }
        let sorted = self.table.iter().filter(|conn| sort(conn) && !to_close.has(conn.id()));
        let mut ids: Vec<(bool, ConnId)> = sorted.map(|conn| (conn.peer().is_none(), conn.id())).collect();
        ids.sort_unstable();
        to_close.add(ids.into_iter().rev().take(count).map(|(_, id)| id), CloseReason::LimitLowered);
    }

    fn oldest_first(&self, sort: impl Fn(&Conn) -> bool) -> Vec<ConnId> {
        let mut ids: Vec<ConnId> = self.table.iter().filter(|conn| sort(conn)).map(Conn::id).collect();
        ids.sort_unstable();
        ids
    }
}
