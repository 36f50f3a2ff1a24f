//! Reports the results of dials to the pace of their network, and restores full speed after a change.

use core::time::Duration;

use crate::book::Numbered;
use crate::conn::Conn;
use crate::mechanisms::pace::Pace;
use crate::mechanisms::trial::Trial;
use crate::types::{ConnId, Kind, NetworkKind};

use super::ending::Ending;
use super::slots::AUTOMATIC;
use super::{ConnManager, ConnState, START_OVER_EVERY, Timer};

impl ConnManager {
    /// Records in the network's pace that an automatic dial or connection has ended.
    pub(super) fn record_pace(&mut self, conn: &Conn, ending: Ending) {
        let (true, Some(network)) = (conn.kind().is_automatic(), conn.network()) else { return };
        let life = self.now().since(conn.since());
        let was_stable = self.was_stable(conn);
        let pace = &mut self.paces[network.index()];
        match conn.state() {
            // The timer may fire late; the connection was stable all the same.
            ConnState::Ready if was_stable && conn.notes.timer.is_some() => self.record_stable_life(conn),
            ConnState::Ready if was_stable => {}
            ConnState::Ready => pace.record_short_life(life),
            ConnState::Dialing | ConnState::Silent | ConnState::Handshaking | ConnState::Stalled => {
                if ending.is_fruitless() {
                    pace.record_failure();
                }
            }
        }
    }

    pub(super) fn record_automatic_ready(&mut self, id: ConnId) {
        let Some(network) = self.table.get(id).and_then(Conn::network) else { return };
        if self.paces[network.index()].record_ready() {
            self.forgive_rests(network);
        }
    }

    /// A connection has been ready for `stable_after`.
    pub(super) fn record_stable_conn(&mut self, id: ConnId) {
        if let Some(conn) = self.table.get(id).cloned() {
            self.record_stable_life(&conn);
        }
    }

    /// A stable connection proves that its address is good and that its network yields connections.
    fn record_stable_life(&mut self, conn: &Conn) {
        if let Some(address) = conn.numbered() {
            self.book.record_stable(address);
        }
        if let Some(network) = conn.network() {
            self.trials[network.index()].record_stable();
            if self.paces[network.index()].record_stable() {
                self.forgive_rests(network);
            }
        }
    }

    /// A dial failed because this machine lacks resources. No peer is at fault; all dials wait.
    pub(super) fn record_shortage(&mut self, address: Numbered<'_>) {
        self.book.forgive(address);
        let now = self.now();
        self.shortage.record_lack(self.next_conn, &self.config.health, now);
    }

    /// A dial ended for another reason. If it was made during a shortage, the shortage is over.
    pub(super) fn end_shortage(&mut self, conn: ConnId) {
        if self.shortage.record_other(conn) {
            self.release_held_up();
            self.wake_starved();
        }
    }

    /// Starts over now, or as soon as a minute has passed since the last time.
    pub(super) fn start_over_soon(&mut self) {
        match self.started_over.map(|last| last.after(START_OVER_EVERY)) {
            Some(at) if at > self.now() => self.arm_earlier(Timer::StartOver, at),
            Some(_) | None => self.start_over(),
        }
    }

    /// The machine is in another network, or names can be resolved again: earlier failures no longer count.
    pub(super) fn start_over(&mut self) {
        self.started_over = Some(self.now());
        // A change that is waiting for the end of the minute has its effect now.
        self.disarm(Timer::StartOver);
        for network in NetworkKind::ALL {
            let now = self.now();
            self.trials[network.index()] = Trial::new();
            if self.paces[network.index()].start_over(now) {
                self.book.forgive_rests(network, now);
            }
            self.health[network.index()].forget_routes();
            if self.health[network.index()].restore() {
                self.network_came_up(network);
            }
        }
        // Names that can be resolved again move no machine.
        if core::mem::take(&mut self.has_moved) {
            self.forget_met_addresses();
        }
        self.release_held_up();
        self.forgive_seeds();
        self.wake_starved();
    }

    /// Restores full speed in networks where a connection lives much longer than those before it. Called before any
    /// automatic dial, so that the order of kinds does not matter.
    pub(super) fn notice_long_lives(&mut self) {
        let now = self.now();
        if !self.paces.iter().any(|pace| pace.is_recovery_near(now)) {
            return;
        }
        for network in NetworkKind::ALL {
            if self.pace(network).is_recovery_near(now) {
                let life = self.longest_unstable_life(network);
                if self.paces[network.index()].record_long_life(life, now) {
                    self.forgive_rests(network);
                }
            }
        }
    }

    /// The longest life among the automatic connections in a network that are ready but not yet stable.
    fn longest_unstable_life(&self, network: NetworkKind) -> Duration {
        let unstable = self.ready_in(network).filter(|conn| !self.was_stable(conn));
        unstable.map(|conn| self.now().since(conn.since())).max().unwrap_or_default()
    }

    /// Ends the rests of the addresses in a network.
    pub(super) fn forgive_rests(&mut self, network: NetworkKind) {
        let now = self.now();
        self.book.forgive_rests(network, now);
        self.wake_starved();
    }

    /// Whether dials into a network have lately led to a ready connection.
    pub(super) fn is_proven(&self, network: NetworkKind) -> bool {
        self.pace(network).is_proven()
    }

    pub(super) const fn pace(&self, network: NetworkKind) -> &Pace {
        &self.paces[network.index()]
    }

    /// The automatic connections in a network that are ready.
    pub(super) fn ready_in(&self, network: NetworkKind) -> impl Iterator<Item = &Conn> {
        let ready = AUTOMATIC.into_iter().flat_map(|kind| self.ready_ones(kind));
        ready.filter(move |conn| conn.network() == Some(network))
    }

    /// The connections of an automatic kind that are ready.
    pub(super) fn ready_ones(&self, kind: Kind) -> impl Iterator<Item = &Conn> {
        self.table.ready_ids(kind).filter_map(|id| self.table.get(id))
    }
}
