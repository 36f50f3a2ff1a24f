//! Counters and gauges for the recorder of the [`metrics`] crate that the process has installed.
//!
//! The recorder must be installed before the pool starts. Values of labels are words of this library, never an address
//! or a name, so the number of series is bounded: [`METRICS`] lists them all. Two pools in one process share the
//! counters, and overwrite each other's gauges.

mod labels;
mod list;
#[cfg(test)]
mod tests;

use connmgr_core::driver::Observer;
use connmgr_core::{
    Action, BookCounts, BookTable, ConnId, ConnManager, ConnState, Event, Input, Kind, LookupError, LookupId,
    NetworkKind, Reply, Route, Time,
};
use metrics::{counter, gauge};

use self::labels::Label;
pub use self::list::{METRICS, Metric, MetricKind};
use crate::id_map::IdMap;

/// Every state of a connection.
const STATES: [ConnState; 5] = ConnState::ALL;

/// The observer that counts.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// The kind of each dial and connection, which the event of its end does not have.
    kinds: IdMap<ConnId, Kind>,
    /// Dials begun by the present input, whose kind is not known yet.
    begun: Vec<ConnId>,
    /// Lookups under way: the label `of`, and the manager's deadline. There are few at a time.
    lookups: IdMap<LookupId, (&'static str, Time)>,
    /// The values of the gauges, by kind and state.
    shown: [[u32; STATES.len()]; Kind::ALL.len()],
    /// The same of the known addresses.
    known: BookCounts,
}

impl Default for Metrics {
    /// Describes every metric, and sets the gauges to zero.
    fn default() -> Self {
        list::describe();
        for network in NetworkKind::ALL {
            gauge!("connmgr_network_down", "network" => network.label()).set(0u32);
        }
        let (kinds, begun, lookups, shown, known) = Default::default();
        let metrics = Self { kinds, begun, lookups, shown, known };
        for kind in Kind::ALL {
            for state in STATES {
                show(kind, state, 0);
            }
        }
        for table in BookTable::ALL {
            for network in NetworkKind::ALL {
                show_known(table, network, 0);
            }
        }
        metrics
    }
}

impl Observer for Metrics {
    fn input(&mut self, now: Time, input: &Input, reply: &Reply) {
        if let Reply::Accepted(Err(refusal)) = reply {
            counter!("connmgr_refusals_total", "reason" => refusal.label()).increment(1);
        }
        if let Input::LookupResult { lookup, result } = input {
            self.lookup_ended(*lookup, result.as_ref().err().copied());
        } else if let Input::AcceptError { .. } = input {
            counter!("connmgr_accept_errors_total").increment(1);
        } else if *input == Input::Timeout {
            self.expire_lookups(now);
        }
    }

    fn action(&mut self, _: Time, action: &Action) {
        match action {
            Action::Dial { conn, .. } => self.begun.push(*conn),
            Action::ResolveSeed { lookup, route, deadline, .. } => {
                self.lookup_begun(*lookup, "seed", route, *deadline);
            }
            Action::ResolveHost { lookup, route, deadline, .. } => {
                self.lookup_begun(*lookup, "peer", route, *deadline);
            }
            Action::ScheduleRetry { .. } => counter!("connmgr_retries_total").increment(1),
            Action::Emit(event) => self.event(event),
            Action::Close { .. } | Action::PauseAccept { .. } | Action::Save => {}
        }
    }

    fn settled(&mut self, _: Time, manager: &ConnManager) {
        for conn in self.begun.drain(..) {
            // A dial can't end with the input that began it. If one did, its kind would be unknown.
            if let Some(view) = manager.connection(conn) {
                counter!("connmgr_dials_total", "kind" => view.kind.label()).increment(1);
                self.kinds.insert(conn, view.kind);
            }
        }
        for kind in Kind::ALL {
            for (state, shown) in STATES.into_iter().zip(&mut self.shown[kind.index()]) {
                let count = manager.count(kind, state);
                if std::mem::replace(shown, count) != count {
                    show(kind, state, count);
                }
            }
        }
        self.count_known(manager.book().counts());
    }
}

impl Metrics {
    fn count_known(&mut self, known: BookCounts) {
        let shown = std::mem::replace(&mut self.known, known);
        if shown == known {
            return;
        }
        for table in BookTable::ALL {
            for network in NetworkKind::ALL {
                let count = known.of(table, network);
                if shown.of(table, network) != count {
                    show_known(table, network, count);
                }
            }
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Connected(info) => {
                if self.kinds.insert(info.conn, info.kind).is_some() {
                    dial_ended(info.kind, "connected");
                }
                counter!("connmgr_connections_opened_total", "kind" => info.kind.label()).increment(1);
            }
            Event::Disconnected { conn, reason, .. } => {
                if let Some(kind) = self.kinds.remove(conn) {
                    let (by, reason) = labels::end(*reason);
                    let labels = [("kind", kind.label()), ("by", by), ("reason", reason)];
                    counter!("connmgr_connections_ended_total", &labels).increment(1);
                }
            }
            Event::DialFailed { conn, error, .. } => {
                if let Some(kind) = self.kinds.remove(conn) {
                    dial_ended(kind, error.label());
                }
            }
            Event::Adopted { conn, .. } => {
                // An inbound connection stays inbound, also when it is an added peer's.
                if let Some(kind) = self.kinds.get_mut(conn).filter(|kind| !kind.is_inbound()) {
                    *kind = Kind::Added;
                }
            }
            Event::Banned { .. } => counter!("connmgr_bans_total").increment(1),
            Event::Unbanned { .. } => counter!("connmgr_unbans_total").increment(1),
            Event::NetworkDown { network } => network_changed(*network, "down", 1),
            Event::NetworkUp { network } => network_changed(*network, "up", 0),
            Event::Stopped => self.lookups.clear(),
            // No other event is counted.
            _ => {}
        }
    }

    fn lookup_begun(&mut self, lookup: LookupId, of: &'static str, route: &Route, deadline: Time) {
        let labels = [("of", of), ("route", route.label())];
        counter!("connmgr_lookups_total", &labels).increment(1);
        self.lookups.insert(lookup, (of, deadline));
    }

    /// Counts the end of a lookup once. It was counted before if the manager no longer waits for it.
    fn lookup_ended(&mut self, lookup: LookupId, error: Option<LookupError>) {
        if let Some((of, _)) = self.lookups.remove(&lookup) {
            let labels = [("of", of), ("outcome", error.map_or("found", Label::label))];
            counter!("connmgr_lookups_ended_total", &labels).increment(1);
        }
    }

    /// Counts lookups that are past their deadline. The manager emits no event for each.
    fn expire_lookups(&mut self, now: Time) {
        while let Some(late) = self.lookups.iter().find(|(_, (_, deadline))| *deadline <= now).map(|(id, _)| *id) {
            self.lookup_ended(late, Some(LookupError::TimedOut));
        }
    }
}

fn show_known(table: BookTable, network: NetworkKind, count: u32) {
    gauge!("connmgr_known_addresses", "network" => network.label(), "table" => table.label()).set(count);
}

fn show(kind: Kind, state: ConnState, count: u32) {
    let labels = [("kind", kind.label()), ("state", state.label())];
    gauge!("connmgr_connections", &labels).set(count);
}

fn dial_ended(kind: Kind, outcome: &'static str) {
    let labels = [("kind", kind.label()), ("outcome", outcome)];
    counter!("connmgr_dials_ended_total", &labels).increment(1);
}

fn network_changed(network: NetworkKind, to: &'static str, down: u32) {
    let labels = [("network", network.label()), ("to", to)];
    counter!("connmgr_network_changes_total", &labels).increment(1);
    gauge!("connmgr_network_down", "network" => network.label()).set(down);
}
