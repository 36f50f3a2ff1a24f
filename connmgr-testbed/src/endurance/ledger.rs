//! The application's own counts, compared with the pool's counters.

use std::collections::HashSet;

use connmgr_core::{ConnId, Event, Stats};

#[derive(Debug, Default)]
pub(super) struct EnduranceLedger {
    open: HashSet<ConnId>,
    seen: u64,
    ended: u64,
    failed_dials: u64,
    faults: Vec<String>,
}

impl EnduranceLedger {
    pub(super) fn opened(&mut self, conn: ConnId) {
        self.seen += 1;
        if !self.open.insert(conn) {
            self.faults.push(format!("{conn} was connected twice"));
        }
    }

    pub(super) fn told(&mut self, event: &Event) {
        match event {
            Event::Disconnected { conn, .. } => {
                self.ended += 1;
                if !self.open.remove(conn) {
                    self.faults.push(format!("{conn} was disconnected without being connected"));
                }
            }
            Event::DialFailed { .. } => self.failed_dials += 1,
            _ => {}
        }
    }

    /// Connections the application was ever given.
    pub(super) const fn seen(&self) -> u64 {
        self.seen
    }

    pub(super) fn is_behind(&self, stats: &Stats) -> bool {
        !self.open.is_empty() || self.failed_dials < stats.dials_failed + stats.dials_given_up
    }

    /// What does not agree, while nothing is open. `accepted`: the connections that the far end has counted.
    pub(super) fn audit(&mut self, stats: &Stats, accepted: u64) -> Vec<String> {
        // A connection that ended before it was taken is not shown at all.
        let unseen = stats.dials_succeeded.wrapping_sub(self.seen);
        let compared = [
            ("dials and their ends", stats.dials, stats.dials_succeeded + stats.dials_failed + stats.dials_given_up),
            ("connections and their ends", stats.dials_succeeded, stats.disconnected),
            ("connections seen and their ends", self.seen, self.ended),
            ("ends, and those seen or withheld", stats.disconnected, self.ended + unseen),
            ("failed dials, and those told", stats.dials_failed + stats.dials_given_up, self.failed_dials),
            // A dial may be accepted and yet be given up, or be reset before it is seen to be open.
            ("accepted, within bounds", accepted, accepted.clamp(stats.dials_succeeded, stats.dials)),
        ];
        let differ = compared.into_iter().filter(|(_, one, other)| one != other);
        let mut faults = std::mem::take(&mut self.faults);
        faults.extend(differ.map(|(what, one, other)| format!("{what}: {one} and {other}, {stats:?}")));
        faults
    }
}

#[cfg(test)]
mod tests {
    use connmgr_core::{CloseCause, EndReason};

    use super::*;

    const CONN: ConnId = ConnId::from_u64(7);

    fn disconnected() -> Event {
        Event::Disconnected { conn: CONN, peer: None, reason: EndReason::Theirs(CloseCause::Eof), tag: None }
    }

    #[test]
    fn a_connection_that_came_and_went_leaves_nothing() {
        let mut ledger = EnduranceLedger::default();
        ledger.opened(CONN);
        ledger.told(&disconnected());
        let stats = Stats { dials: 1, dials_succeeded: 1, disconnected: 1, ..Stats::default() };
        assert_eq!((ledger.is_behind(&stats), ledger.audit(&stats, 1)), (false, Vec::new()));
    }

    #[test]
    fn an_end_that_nobody_was_told_of_is_a_fault() {
        let mut ledger = EnduranceLedger::default();
        ledger.opened(CONN);
        let stats = Stats { dials: 1, dials_succeeded: 1, disconnected: 1, ..Stats::default() };
        assert_eq!(ledger.audit(&stats, 1).len(), 2);
    }

    #[test]
    fn a_second_end_is_a_fault() {
        let mut ledger = EnduranceLedger::default();
        ledger.opened(CONN);
        ledger.told(&disconnected());
        ledger.told(&disconnected());
        let stats = Stats { dials: 1, dials_succeeded: 1, disconnected: 1, ..Stats::default() };
        assert_eq!(
            ledger.audit(&stats, 1).first().map(String::as_str),
            Some("c7 was disconnected without being connected")
        );
    }

    #[test]
    fn a_connection_that_the_far_end_never_saw_is_a_fault() {
        let stats = Stats { dials: 1, dials_succeeded: 1, disconnected: 1, ..Stats::default() };
        assert_eq!(EnduranceLedger::default().audit(&stats, 0).len(), 1);
    }
}
