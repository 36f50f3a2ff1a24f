//! How much worse than a rival ours may be.

use std::time::Duration;

use super::arena::Arena;
use super::changes::changes;
use super::course::{Cap, RunGoal};
use super::criterion::{Criterion, millis};
use crate::scenario::random::needs_nearly_all;
use crate::types::Instant;

/// Ours may take this many milliseconds longer than 1.5 times the best, …
const SLACK: u64 = 5_000;
/// … and this many more if something changed before: an address that was dialed before rests for that long, and a
/// network that was found down is probed about as often.
const PAUSE: u64 = 60_000;
/// Dials that ours may make beyond three times the fewest.
const FEW: u64 = 50;
/// A rival that needs more dials for each slot reached less than 4 % of its addresses. There ours slows down, and is
/// not compared.
const SCARCE: u64 = 25;
/// Ours makes this many dials at full speed.
const FULL_SPEED: u64 = 640;
/// For a small pool at least this many dials are allowed: fewer would be chance.
const FEWEST: u64 = 32;

/// The bounds of one world.
#[derive(Clone, Debug)]
pub(super) struct Margins {
    changes: Vec<u64>,
    /// When the last fault has ended, if any ends.
    healed: Option<Instant>,
    duration: u64,
    slots: u64,
    /// Nearly all useful peers are needed.
    is_scarce: bool,
    hedged_beyond: u64,
    comparable: Vec<Criterion>,
}

impl Margins {
    pub(super) fn new(arena: &Arena) -> Self {
        let scenario = &arena.plan.scenario;
        let since_birth = |at: &Instant| millis(at.since(Instant::ZERO));
        Self {
            changes: changes(scenario).iter().map(since_birth).collect(),
            healed: scenario.healed_at().filter(|at| *at > Instant::ZERO),
            duration: millis(scenario.duration.0),
            slots: arena.slots().into(),
            is_scarce: needs_nearly_all(&arena.plan, arena.slots()),
            hedged_beyond: arena.hedged_beyond().into(),
            comparable: Criterion::ALL.into_iter().filter(|criterion| arena.is_comparable(*criterion)).collect(),
        }
    }

    /// The criteria of this world.
    pub(super) fn criteria(&self) -> impl Iterator<Item = Criterion> {
        let heals = self.healed.is_some();
        Criterion::ALL.into_iter().filter(move |criterion| *criterion != Criterion::Again || heals)
    }

    /// The limit for ours, given the number of a rival.
    pub(super) fn limit(&self, criterion: Criterion, rival: u64) -> u64 {
        let more = rival.saturating_mul(3) / 2;
        // A hedge, or a connection that ended early, may have cost one address a rest.
        let rest = if self.is_scarce { PAUSE } else { 0 };
        match criterion {
            Criterion::Dials => rival.saturating_mul(3).saturating_add(FEW + self.hedged_beyond),
            Criterion::Fill => more + SLACK + rest + if self.last_change(rival) > 0 { PAUSE } else { 0 },
            Criterion::Again => more + SLACK + rest + PAUSE,
        }
    }

    /// Whether no rival could make this number too much.
    pub(super) fn is_harmless(&self, criterion: Criterion, ours: u64) -> bool {
        let best = if criterion == Criterion::Dials { self.slots } else { 0 };
        ours <= self.limit(criterion, best)
    }

    /// A lower bound for ours where it was never reached.
    pub(super) fn at_least(&self, criterion: Criterion) -> Option<u64> {
        match criterion {
            Criterion::Fill => Some(self.duration),
            Criterion::Again => Some(self.duration.saturating_sub(self.healed_after())),
            // The number of dials it would have taken is unknown.
            Criterion::Dials => None,
        }
    }

    /// Whether a number of ours can be compared. Dials only if nothing changed before the pool was full; otherwise the
    /// budget limits them.
    pub(super) fn is_comparable(&self, criterion: Criterion, fill: Option<u64>) -> bool {
        let had_peace = || fill.is_some_and(|fill| self.last_change(fill) == 0);
        self.comparable.contains(&criterion) && (criterion != Criterion::Dials || had_peace())
    }

    /// How far a rival must run to show that this number of ours is too much.
    pub(super) fn cap(&self, criterion: Criterion, ours: u64) -> Cap {
        let frugal = (SCARCE * self.slots).clamp(FEWEST, FULL_SPEED);
        match criterion {
            // After the world improves, a rival that wasted dials before would fill its pool sooner.
            Criterion::Dials => Cap { within: self.first_change(), dials: ours.saturating_sub(FEW) / 3 },
            Criterion::Fill | Criterion::Again => {
                Cap { within: Duration::from_millis(ours.saturating_sub(SLACK) * 2 / 3), dials: frugal }
            }
        }
    }

    /// The goal of a run for a criterion.
    pub(super) fn goal(&self, criterion: Criterion, cap: Cap) -> RunGoal {
        match criterion {
            Criterion::Fill | Criterion::Dials => RunGoal { fill: Some(cap), again: None },
            Criterion::Again => RunGoal { fill: None, again: self.healed.map(|at| (at, cap)) },
        }
    }

    /// The goal of a run of ours.
    pub(super) fn whole_goal(&self, fill: Cap, again: Cap) -> RunGoal {
        RunGoal { fill: Some(fill), again: self.healed.map(|at| (at, again)) }
    }

    fn healed_after(&self) -> u64 {
        self.healed.map_or(0, |at| millis(at.since(Instant::ZERO)))
    }

    /// Whether something changes after the one moment, and not after the other.
    pub(super) fn changes_between(&self, from: u64, to: u64) -> bool {
        self.changes.iter().any(|at| *at > from && *at <= to)
    }

    fn first_change(&self) -> Duration {
        self.changes.iter().find(|at| **at > 0).map_or(Duration::MAX, |at| Duration::from_millis(*at))
    }

    /// When something last changed, by then.
    fn last_change(&self, by: u64) -> u64 {
        self.changes.iter().copied().rev().find(|at| *at <= by).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{FaultKind, FaultSpec, HostSpec, Scenario, Span};
    use crate::types::Share;

    fn margins(faults: Vec<FaultSpec>) -> Margins {
        let mut scenario = Scenario::new("one", Span::minutes(10));
        scenario.hosts.push(HostSpec::new("hosts", 50));
        scenario.faults = faults;
        Margins::new(&Arena::new(&scenario, 1).expect("a sound configuration"))
    }

    #[test]
    fn dials_of_a_rival_count_up_to_the_first_change() {
        let at = |minutes| {
            let (at, share) = (Span::minutes(minutes), Share::ALL);
            FaultSpec { fault: FaultKind::NatReset, at, lasts: None, every: None, times: None, share, chance: share }
        };
        let cap = |faults| margins(faults).cap(Criterion::Dials, 3 * 100 + FEW);
        assert_eq!(cap(vec![at(7), at(3)]), Cap { within: Duration::from_secs(180), dials: 100 });
        assert_eq!(cap(Vec::new()), Cap { within: Duration::MAX, dials: 100 }, "nothing changes");
        assert_eq!(cap(vec![at(0)]).within, Duration::MAX, "the beginning is no change");
    }
}
