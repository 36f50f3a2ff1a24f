//! How much worse than a rival ours may be.

use std::time::Duration;

use super::arena::Arena;
use super::changes::changes;
use super::course::{Cap, RunGoal};
use super::criterion::{Criterion, millis};
use crate::scenario::random::needs_nearly_all;
use crate::types::Instant;

/// Ours may take so much longer than the best, …
const SLACK: u64 = 5_000;
/// … and so much longer where something changed before: an address that was dialed before rests for so long, and a
/// network that was found down is probed hardly more often.
const PAUSE: u64 = 60_000;
/// Dials that ours may make beyond three times those of the thriftiest.
const FEW: u64 = 50;
/// Who dials more for each slot reached less than 4 % of them. There ours slows down, and is not compared.
const SCARCE: u64 = 25;
/// Nor does it go at full speed for longer than this.
const FULL_SPEED: u64 = 640;
/// And for a small pool this is little: a matter of luck.
const FEWEST: u64 = 32;

/// The bounds of one world.
#[derive(Clone, Debug)]
pub(super) struct Margins {
    changes: Vec<u64>,
    /// When the last fault has ended, if any ends.
    healed: Option<Instant>,
    duration: u64,
    slots: u64,
    /// Nearly all who are there are needed.
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

    /// What there is to be measured.
    pub(super) fn criteria(&self) -> impl Iterator<Item = Criterion> {
        let heals = self.healed.is_some();
        Criterion::ALL.into_iter().filter(move |criterion| *criterion != Criterion::Again || heals)
    }

    /// The most that ours may have, given what a rival has.
    pub(super) fn limit(&self, criterion: Criterion, rival: u64) -> u64 {
        let more = rival.saturating_mul(3) / 2;
        // A hedge, or a life too short, may have cost one address a rest.
        let rest = if self.is_scarce { PAUSE } else { 0 };
        match criterion {
            Criterion::Dials => rival.saturating_mul(3).saturating_add(FEW + self.hedged_beyond),
            Criterion::Fill => more + SLACK + rest + if self.last_change(rival) > 0 { PAUSE } else { 0 },
            Criterion::Again => more + SLACK + rest + PAUSE,
        }
    }

    /// Whether no rival can be so good that this is too much.
    pub(super) fn is_harmless(&self, criterion: Criterion, ours: u64) -> bool {
        let best = if criterion == Criterion::Dials { self.slots } else { 0 };
        ours <= self.limit(criterion, best)
    }

    /// What ours has at least where it never came.
    pub(super) fn at_least(&self, criterion: Criterion) -> Option<u64> {
        match criterion {
            Criterion::Fill => Some(self.duration),
            Criterion::Again => Some(self.duration.saturating_sub(self.healed_after())),
            // How many dials it would have taken nobody knows.
            Criterion::Dials => None,
        }
    }

    /// Whether a number of ours can be compared. Dials count only where nothing changed before the pool was full: where
    /// something did, the budget bounds them.
    pub(super) fn is_comparable(&self, criterion: Criterion, fill: Option<u64>) -> bool {
        let had_peace = || fill.is_some_and(|fill| self.last_change(fill) == 0);
        self.comparable.contains(&criterion) && (criterion != Criterion::Dials || had_peace())
    }

    /// How far a rival is run that could show this of ours to be too much.
    pub(super) fn cap(&self, criterion: Criterion, ours: u64) -> Cap {
        let frugal = (SCARCE * self.slots).clamp(FEWEST, FULL_SPEED);
        match criterion {
            // Where the world becomes better, dials of before have shown it impatient, and it was full the sooner.
            Criterion::Dials => Cap { within: self.first_change(), dials: ours.saturating_sub(FEW) / 3 },
            Criterion::Fill | Criterion::Again => {
                Cap { within: Duration::from_millis(ours.saturating_sub(SLACK) * 2 / 3), dials: frugal }
            }
        }
    }

    /// What a run for this must do.
    pub(super) fn goal(&self, criterion: Criterion, cap: Cap) -> RunGoal {
        match criterion {
            Criterion::Fill | Criterion::Dials => RunGoal { fill: Some(cap), again: None },
            Criterion::Again => RunGoal { fill: None, again: self.healed.map(|at| (at, cap)) },
        }
    }

    /// What a run of ours must do, within so long.
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
