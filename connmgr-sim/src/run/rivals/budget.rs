//! The budget of dials and handshakes, for each network and each hour in which nothing about the world changes.
//!
//! It holds whatever fails, also in worlds whose pool can't be filled. Each stable connection allows the
//! dials of one search at full speed, in the same hour or, once, in a later one; each added peer those of its retries.

use connmgr_check::Property;
use connmgr_core::NetworkKind;

use super::changes::{Window, windows};
use crate::run::failure::Failure;
use crate::scenario::Scenario;
use crate::types::Instant;
use crate::world::World;
use crate::world::subject::Subject;
use crate::world::tally::Traffic;

/// Dials into one network in the first hour after a change.
pub const FIRST_HOUR: u64 = 1500;
/// Dials into one network in each later hour.
pub const LATER_HOUR: u64 = 400;
/// Dials into one network in a day.
pub const DAY: u64 = 10_000;
/// Dials allowed for a stable connection, which restores full speed: 640, and 384 more until the slowest pace, without
/// those of every hour.
const PER_STABLE: u64 = 1000;
/// Retries of one added peer in an hour: those of 5 s doubled up to 300 s with jitter, and the one connection each.
const PER_ADDED: u64 = 40;

/// Dials in an hour to one seed that must be visited because it can't be looked up.
const PER_VISITED_SEED: u64 = 120;

type ByNetwork = [Traffic; NetworkKind::ALL.len()];

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Dials,
    Handshakes,
}

impl Counted {
    const fn of(self, traffic: Traffic) -> u64 {
        match self {
            Self::Dials => traffic.dials,
            Self::Handshakes => traffic.ready,
        }
    }

    const fn property(self) -> Property {
        match self {
            Self::Dials => Property::DialBudget,
            Self::Handshakes => Property::HandshakeBudget,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Dials => "dials",
            Self::Handshakes => "handshakes",
        }
    }
}

/// Reads the counts of one manager at the end of each window, and judges them.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    windows: Vec<Window>,
    /// The window that is open.
    at: usize,
    node: u32,
    added: u64,
    visited_seeds: u64,
    before: ByNetwork,
    /// By network, whether a search that a stable connection allows is still to come.
    owed: [bool; NetworkKind::ALL.len()],
    before_day: ByNetwork,
    excess: Vec<Failure>,
}

impl Meter {
    /// For a manager of a scenario.
    pub(super) fn new(scenario: &Scenario, node: u32) -> Self {
        let answers = u64::from(scenario.names.answers.max(1));
        let peers = |spec: &crate::scenario::PeerSpec| {
            u64::from(spec.count) * (spec.or.len() as u64 + if spec.by_name { answers } else { 1 })
        };
        let visits = scenario.proxy.is_some_and(|proxy| proxy.for_all && !proxy.resolves);
        Self {
            windows: windows(scenario),
            at: 0,
            node,
            added: scenario.peers.iter().map(peers).sum(),
            visited_seeds: if visits { scenario.seeds.len() as u64 } else { 0 },
            before: ByNetwork::default(),
            owed: Default::default(),
            before_day: ByNetwork::default(),
            excess: Vec::new(),
        }
    }

    /// Judges all windows that end by `at`. No event may have been processed since their end.
    pub(super) fn read_until<S: Subject>(&mut self, world: &World<S>, at: Instant) {
        while let Some(window) = self.windows.get(self.at).copied().filter(|window| window.to <= at) {
            self.read(world, window, window.to);
            self.at += 1;
        }
    }

    /// The run is over: judges the open window as if it ended now.
    pub(super) fn close<S: Subject>(mut self, world: &World<S>) -> Vec<Failure> {
        self.read_until(world, world.now());
        if let Some(window) = self.windows.get(self.at).copied() {
            self.read(world, window, world.now());
        }
        self.excess
    }

    fn read<S: Subject>(&mut self, world: &World<S>, window: Window, to: Instant) {
        let Some(now) = world.traffic(to).get(self.node as usize).copied() else { return };
        if window.hour % 24 == 0 {
            self.before_day = self.before;
        }
        let most = if window.hour == 0 { FIRST_HOUR } else { LATER_HOUR };
        let owed = self.owed;
        for network in NetworkKind::ALL {
            let at = network.index();
            let (before, now) = (self.before[at], now[at]);
            self.owed[at] = owes(owed[at], before, now, most);
        }
        self.judge(self.before, now, owed, most, 1, Window { to, ..window });
        let (hours, from) = (window.hour % 24, self.windows[self.at - (window.hour % 24) as usize].from);
        let owed = self.before_day.map(|traffic| traffic.stable > 0);
        self.judge(self.before_day, now, owed, DAY, hours + 1, Window { from, to, ..window });
        self.before = now;
    }

    fn judge(
        &mut self,
        before: ByNetwork,
        now: ByNetwork,
        owed: [bool; NetworkKind::ALL.len()],
        most: u64,
        hours: u32,
        window: Window,
    ) {
        for network in NetworkKind::ALL {
            let at = network.index();
            let (before, now, owed) = (before[at], now[at], u64::from(owed[at]));
            // A connection may end stable before the next is found to be: never fewer than before.
            let stable = now.stable.saturating_sub(before.stable);
            let most = most + PER_STABLE * (stable + owed) + self.by_others() * u64::from(hours);
            for counted in [Counted::Dials, Counted::Handshakes] {
                let count = counted.of(now) - counted.of(before);
                if count > most {
                    self.exceed(counted, network, window, &format!("{count}"), most, stable);
                }
            }
        }
    }

    /// Dials that other rules than the pace allow, in an hour.
    const fn by_others(&self) -> u64 {
        PER_ADDED * self.added + PER_VISITED_SEED * self.visited_seeds
    }

    /// Keeps the first excess of each property.
    fn exceed(&mut self, counted: Counted, network: NetworkKind, window: Window, count: &str, most: u64, stable: u64) {
        let property = counted.property();
        if self.excess.iter().any(|failure| failure.property() == Some(property)) {
            return;
        }
        let (what, Window { from, to, hour }) = (counted.name(), window);
        let what = format!(
            "{count} {what} in {network} from {from} to {to}, hour {} without a change, with {stable} stable \
             connections: at most {most}",
            hour + 1
        );
        self.excess.push(Failure::compared(property, to, self.node, what));
    }
}

/// Whether a search that a stable connection allows is still to come after a window with these counts, in which `most`
/// dials are allowed anyway. A connection that became stable in it owes one; what was owed before is paid by a window
/// with more dials than that.
const fn owes(owed: bool, before: Traffic, now: Traffic, most: u64) -> bool {
    now.stable > before.stable || owed && now.dials - before.dials <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(dials: u64, stable: u64) -> Traffic {
        Traffic { dials, stable, ..Traffic::default() }
    }

    #[test]
    fn a_connection_that_became_stable_owes_a_search_until_one_is_seen() {
        let (before, most) = (traffic(100, 1), LATER_HOUR);
        assert!(owes(false, before, traffic(100, 2), most), "it became stable in this window");
        assert!(!owes(false, before, traffic(100, 1), most), "it was stable before, and what it owed was paid");
        assert!(owes(true, before, traffic(100 + most, 1), most), "no more dials than every hour may have");
        assert!(!owes(true, before, traffic(101 + most, 1), most), "this was the search");
        assert!(owes(true, before, traffic(101 + most, 2), most), "and the next is owed");
    }
}
