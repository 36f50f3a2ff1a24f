//! What dials lead to, told to the pace of their network; and what makes everything start over at full speed.

use core::time::Duration;

use crate::conn::Conn;
use crate::mechanisms::pace::Pace;
use crate::mechanisms::trial::Trial;
use crate::types::{ConnId, Kind, NetworkKind, PeerAddress};

use super::ending::Ending;
use super::slots::AUTOMATIC;
use super::{ConnManager, ConnState, START_OVER_EVERY, Timer};

impl ConnManager {
    /// What an automatic dial or connection that has ended says of its network's pace.
    pub(super) fn judge_pace(&mut self, conn: &Conn, ending: Ending) {
        let (true, Some(network)) = (conn.kind().is_automatic(), conn.network()) else { return };
        let life = self.now().since(conn.since());
        let was_stable = self.was_stable(conn);
        let pace = &mut self.paces[network.index()];
        match conn.state() {
            // A deadline may come late; the connection was stable all the same.
            ConnState::Ready if was_stable && conn.notes.timer.is_some() => self.restore_stable(conn),
            ConnState::Ready if was_stable => {}
            ConnState::Ready => pace.record_short_life(life),
            ConnState::Dialing | ConnState::Silent | ConnState::Handshaking | ConnState::Stalled => {
                if ending.is_fruitless() {
                    pace.record_failure();
                }
            }
        }
    }

    pub(super) fn automatic_is_ready(&mut self, id: ConnId) {
        let Some(network) = self.table.get(id).and_then(Conn::network) else { return };
        if self.paces[network.index()].record_ready() {
            self.forgive_rests(network);
        }
    }

    /// A connection has been ready for `stable_after`.
    pub(super) fn is_stable(&mut self, id: ConnId) {
        if let Some(conn) = self.table.get(id).cloned() {
            self.restore_stable(&conn);
        }
    }

    /// A stable connection proves its address good, and dialing worth while.
    fn restore_stable(&mut self, conn: &Conn) {
        if let Some(address) = conn.dialed() {
            self.book.record_stable(address);
        }
        if let Some(network) = conn.network() {
            self.trials[network.index()].record_stable();
            if self.paces[network.index()].record_stable() {
                self.forgive_rests(network);
            }
        }
    }

    /// A dial failed because this machine has no room for another: that is nobody else's fault, and all dials wait.
    pub(super) fn out_of_resources(&mut self, address: &PeerAddress) {
        self.book.forgive(address);
        let now = self.now();
        self.shortage.record_want(self.next_conn, &self.config.health, now);
    }

    /// A dial ended for another reason: if it was made during a shortage, that is over.
    pub(super) fn no_shortage(&mut self, conn: ConnId) {
        if self.shortage.record_other(conn) {
            self.release_held_up(|_| true);
            self.feed();
        }
    }

    /// Whether the network's change may have its effect now; else it has it later.
    pub(super) fn may_start_over(&mut self) -> bool {
        let Some(last) = self.started_over else { return true };
        let at = last.after(START_OVER_EVERY);
        if at > self.now() {
            self.arm_earlier(Timer::StartOver, at);
        }
        at <= self.now()
    }

    /// The machine is in another network: nothing that failed before says anything now.
    pub(super) fn start_over(&mut self) {
        self.started_over = Some(self.now());
        // Told again when the minute is over, but before that was noticed, it has its effect once.
        self.disarm(Timer::StartOver);
        for network in NetworkKind::ALL {
            let now = self.now();
            self.trials[network.index()] = Trial::new();
            if self.paces[network.index()].start_over(now) {
                self.book.forgive_rests(network, now);
            }
            self.health[network.index()].forget_routes();
            if self.health[network.index()].restore() {
                self.network_is_up(network);
            }
        }
        self.release_held_up(|_| true);
        self.forgive_seeds();
        self.feed();
    }

    /// Full speed again in networks where a connection lives much longer than those before it. Noticed before anybody
    /// is dialed, so that it does not matter which kind looks first, and whose turn it is.
    pub(super) fn notice_long_lives(&mut self) {
        for network in NetworkKind::ALL {
            if self.pace(network).recovering_life().is_some() {
                let life = self.longest_unstable_life(network);
                if self.paces[network.index()].record_long_life(life) {
                    self.forgive_rests(network);
                }
            }
        }
    }

    /// Of the automatic connections in a network that are ready and not yet stable, the longest life.
    fn longest_unstable_life(&self, network: NetworkKind) -> Duration {
        let unstable = self.ready_in(network).filter(|conn| !self.was_stable(conn));
        unstable.map(|conn| self.now().since(conn.since())).max().unwrap_or_default()
    }

    /// Rests that addresses in a network earned are forgiven.
    pub(super) fn forgive_rests(&mut self, network: NetworkKind) {
        let now = self.now();
        self.book.forgive_rests(network, now);
        self.feed();
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
