//! Every timer of the manager is set, moved and cancelled here; only the end of a connection cancels its own.
//!
//! Each connection, added peer, lookup and probed network has at most one timer; the other sorts have one in all. The
//! owner keeps the timer's id, and drops it when the timer fires.

use crate::mechanisms::timers::{TimerId, Timers};
use crate::peer::Peer;
use crate::peers::Peers;
use crate::table::Table;
use crate::types::{ConnId, LookupId, PeerId, Time};

use super::{ConnManager, SingleTimers, Timer};

impl ConnManager {
    /// Sets or moves a timer, at least one tick ahead. Does nothing if the connection, peer or lookup no longer exists.
    pub(super) fn arm(&mut self, timer: Timer, at: Time) {
        let at = self.at_least_a_tick(at);
        self.arm_at(timer, at);
    }

    /// Like [`arm`](Self::arm), but for any time: at birth the first deadline may be now.
    pub(super) fn arm_at(&mut self, timer: Timer, at: Time) {
        let Some(holder) = holder(&mut self.single, &mut self.table, &mut self.peers, timer) else { return };
        set(&mut self.timers, holder, timer, at);
    }

    /// The timer of a connection that is about to be added, at least one tick ahead.
    #[inline]
    pub(super) fn new_conn_timer(&mut self, id: ConnId, at: Time) -> TimerId {
        let at = self.at_least_a_tick(at);
        self.timers.insert(at, Timer::Conn(id))
    }

    /// Like [`arm`](Self::arm), for the timer of a connection.
    #[inline]
    pub(super) fn arm_conn(&mut self, id: ConnId, at: Time) {
        let at = self.at_least_a_tick(at);
        if let Some(notes) = self.table.notes(id) {
            set(&mut self.timers, &mut notes.timer, Timer::Conn(id), at);
        }
    }

    /// Like [`arm`](Self::arm), for the timer of an added peer.
    pub(super) fn arm_peer(&mut self, id: PeerId, at: Time) {
        let at = self.at_least_a_tick(at);
        if let Some(peer) = self.peers.get_mut(id) {
            set(&mut self.timers, peer.timer_mut(), Timer::Peer(id), at);
        }
    }

    /// Like [`arm`](Self::arm), unless the timer is set for `at` or earlier.
    pub(super) fn arm_earlier(&mut self, timer: Timer, at: Time) {
        let at = self.at_least_a_tick(at);
        if self.armed(timer).is_none_or(|set| set > at) {
            self.arm_at(timer, at);
        }
    }

    /// Whether the planner's timer is set for `at` or earlier.
    pub(super) fn is_planned_by(&self, at: Time) -> bool {
        self.single.plan.is_some_and(|timer| self.timers.at(timer) <= at)
    }

    /// Cancels a timer, if it is set.
    pub(super) fn disarm(&mut self, timer: Timer) {
        let id = holder(&mut self.single, &mut self.table, &mut self.peers, timer).and_then(Option::take);
        if let Some(id) = id {
            self.timers.cancel(id);
        }
    }

    /// When a timer is set for.
    pub(super) fn armed(&mut self, timer: Timer) -> Option<Time> {
        let id = *holder(&mut self.single, &mut self.table, &mut self.peers, timer)?;
        id.map(|id| self.timers.at(id))
    }

    /// A timer has fired: its owner drops the id.
    pub(super) fn fired(&mut self, timer: Timer) {
        if let Some(id) = holder(&mut self.single, &mut self.table, &mut self.peers, timer) {
            *id = None;
        }
    }

    /// Adds a lookup with its deadline. Ids count up, so the list stays sorted.
    pub(super) fn await_lookup(&mut self, lookup: LookupId, at: Time) {
        self.single.lookups.push_back((lookup, None));
        self.arm(Timer::Lookup(lookup), at);
    }

    /// Removes a lookup and its timer. Returns whether it was under way.
    pub(super) fn end_lookup(&mut self, lookup: LookupId) -> bool {
        self.disarm(Timer::Lookup(lookup));
        let at = self.single.lookups.binary_search_by_key(&lookup, |(id, _)| *id);
        at.is_ok_and(|at| self.single.lookups.remove(at).is_some())
    }
}

/// Sets or moves the timer whose id is kept in `holder`.
#[inline]
fn set(timers: &mut Timers<Timer>, holder: &mut Option<TimerId>, timer: Timer, at: Time) {
    match holder {
        Some(id) => timers.reset(*id, at),
        None => *holder = Some(timers.insert(at, timer)),
    }
}

/// Where a timer's id is kept; `None` if there is no such connection, peer or lookup.
fn holder<'a>(
    single: &'a mut SingleTimers,
    table: &'a mut Table,
    peers: &'a mut Peers,
    timer: Timer,
) -> Option<&'a mut Option<TimerId>> {
    match timer {
        Timer::Conn(id) => table.notes(id).map(|notes| &mut notes.timer),
        Timer::Peer(id) => peers.get_mut(id).map(Peer::timer_mut),
        Timer::Lookup(id) => {
            let at = single.lookups.binary_search_by_key(&id, |(lookup, _)| *lookup).ok()?;
            single.lookups.get_mut(at).map(|(_, timer)| timer)
        }
        Timer::Probe(network) => Some(&mut single.probes[network.index()]),
        Timer::Plan => Some(&mut single.plan),
        Timer::Seeds => Some(&mut single.seeds),
        Timer::FixedSeeds => Some(&mut single.fixed_seeds),
        Timer::OwnAddresses => Some(&mut single.own_addresses),
        Timer::Bans => Some(&mut single.bans),
        Timer::SaveBans => Some(&mut single.save_bans),
        Timer::SaveBook => Some(&mut single.save_book),
        Timer::StartOver => Some(&mut single.start_over),
        Timer::Refusals => Some(&mut single.refusals),
    }
}
