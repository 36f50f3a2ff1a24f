//! Judges one world.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::arena::{Arena, Rival, Runs, Start};
use super::bounds::Margins;
use super::budget::Meter;
use super::course::{Cap, RunCourse, RunGoal, run};
use super::criterion::Criterion;
use super::{BIRTHS, CONFIRMING, median, quantile};
use crate::run::failure::{Failure, panic_text};
use crate::run::outcome::{RunOutcome, Terms, finish_by, run_with};
use crate::scenario::Scenario;
use crate::watch::Real;
use crate::world::World;
use crate::world::subject::Subject;

/// A median is known once more than half of the births agree on a side.
const HALF: usize = BIRTHS as usize / 2;
/// A run of ours is stopped when it takes longer than the median so far by this factor, …
const PATIENCE: u32 = 3;
/// … plus this.
const LONGER: std::time::Duration = std::time::Duration::from_secs(60);

/// Judges a world: runs our manager to the end with every checker and its budget, then compares it with its rivals.
pub fn judge(scenario: &Scenario, seed: u64) -> RunOutcome {
    judge_as::<Real>(scenario, seed)
}

/// As [`judge`], with another subject in place of our manager.
pub fn judge_as<S: Subject>(scenario: &Scenario, seed: u64) -> RunOutcome {
    let begun = catch_unwind(|| {
        let arena = Arena::new(scenario, seed).ok()?;
        let world: World<S> = World::new(scenario.clone(), seed, Terms::default().scrutiny).ok()?;
        Some((arena, world))
    });
    // A world that can't begin fails in its run, which reports it.
    let Ok(Some((arena, mut world))) = begun else { return run_with(scenario, seed, Terms::default(), &|_| {}) };
    let bounds = Margins::new(&arena);
    let goal = bounds.whole_goal(Cap::NONE, Cap::NONE);
    let (mut outcome, course) = watched(&mut world, goal);
    let compared = catch_unwind(AssertUnwindSafe(|| Comparison::new(&arena, bounds, course).failures::<S>()));
    match compared {
        Ok(failures) => failures.into_iter().for_each(|failure| note(&mut outcome.failures, failure)),
        Err(payload) => {
            let failure = Failure::panicked(panic_text(payload.as_ref()), world.now(), world.steps());
            outcome.failures.push(failure);
        }
    }
    outcome
}

/// Keeps the first failure of each kind.
fn note(failures: &mut Vec<Failure>, failure: Failure) {
    if !failures.iter().any(|other| other.is_like(&failure)) {
        failures.push(failure);
    }
}

/// Runs to the end with all checkers. The course is `None` if a promise was broken.
fn watched<S: Subject>(world: &mut World<S>, goal: RunGoal) -> (RunOutcome, Option<RunCourse>) {
    let mut meter = Meter::new(&world.plan().scenario, 0);
    let mut course = None;
    let mut outcome = finish_by(world, |world| {
        course = Some(run(world, goal, &mut meter, true)?);
        Ok(())
    });
    outcome.failures.extend(meter.close(world));
    (outcome, course)
}

/// Our manager and its rivals in one world.
struct Comparison<'a> {
    arena: &'a Arena,
    bounds: Margins,
    ours: Vec<RunCourse>,
    failures: Vec<Failure>,
}

impl<'a> Comparison<'a> {
    fn new(arena: &'a Arena, bounds: Margins, first: Option<RunCourse>) -> Self {
        Self { arena, bounds, ours: first.into_iter().collect(), failures: Vec::new() }
    }

    fn failures<S: Subject>(mut self) -> Vec<Failure> {
        let ours = self.arena.start::<S>();
        while self.ours.len() < BIRTHS as usize && !self.bounds.criteria().all(|criterion| self.is_known(criterion)) {
            self.run_ours(&ours);
        }
        for criterion in self.bounds.criteria() {
            let found = self.worse(criterion, &ours);
            self.failures.extend(found);
        }
        self.failures
    }

    fn run_ours<S: Subject>(&mut self, ours: &Start<S>) {
        let birth = u32::try_from(self.ours.len()).expect("a handful");
        let goal = self.bounds.whole_goal(self.patience(Criterion::Fill), self.patience(Criterion::Again));
        let (course, excess) = ours.course(birth, goal);
        self.ours.push(course);
        for failure in excess {
            let what = format!("birth {birth}: {}", failure.what);
            note(&mut self.failures, Failure { what, ..failure });
        }
    }

    /// How long to wait for another run of ours: once more than half were full, not much longer than they took.
    fn patience(&self, criterion: Criterion) -> Cap {
        let mut came: Vec<u64> = self.values(criterion).into_iter().flatten().collect();
        came.sort_unstable();
        let median = came.get(HALF).map(|millis| std::time::Duration::from_millis(*millis));
        median.map_or(Cap::NONE, |median| Cap { within: median * PATIENCE + LONGER, ..Cap::NONE })
    }

    fn values(&self, criterion: Criterion) -> Vec<Option<u64>> {
        self.ours.iter().map(|course| criterion.of(course, Cap::NONE)).collect()
    }

    /// Whether the median is decided: more than half are harmless, or more than half never reach it.
    fn is_known(&self, criterion: Criterion) -> bool {
        let values = self.values(criterion);
        let is_well = |value: &&Option<u64>| value.is_some_and(|value| self.bounds.is_harmless(criterion, value));
        values.iter().filter(is_well).count() > HALF || values.iter().filter(|it| it.is_none()).count() > HALF
    }

    /// The failure, if ours is too much worse than a rival.
    fn worse<S: Subject>(&self, criterion: Criterion, ours: &Start<S>) -> Option<Failure> {
        let values = self.values(criterion);
        let own = median(&values);
        let fill = median(&self.values(Criterion::Fill));
        let least = own.or(self.bounds.at_least(criterion))?;
        if self.bounds.is_harmless(criterion, least) || !self.bounds.is_comparable(criterion, fill) {
            return None;
        }
        let rivals = self.arena.rivals().into_iter().filter(|rival| self.arena.is_fair(*rival, criterion));
        rivals.into_iter().find_map(|rival| self.loses(criterion, own, least, rival, ours))
    }

    fn loses<S: Subject>(
        &self,
        criterion: Criterion,
        own: Option<u64>,
        least: u64,
        rival: Rival,
        ours: &Start<S>,
    ) -> Option<Failure> {
        let start = self.arena.start_rival(rival);
        let theirs = self.quantile_of(criterion, &*start, least, BIRTHS, 1, 2)?;
        let limit = self.limit(criterion, rival, theirs);
        if least <= limit || self.is_disturbed(criterion, rival, theirs, limit) {
            return None;
        }
        self.is_confirmed(criterion, ours, rival, &*start).then(|| self.failure(criterion, own, rival, theirs))
    }

    /// Whether ours is worse beyond chance: with many births, the best third of ours is
    /// beyond what the worst third of the rival's allows.
    fn is_confirmed<S: Subject>(&self, criterion: Criterion, ours: &Start<S>, rival: Rival, start: &dyn Runs) -> bool {
        let goal = self.bounds.goal(criterion, Cap::NONE);
        let own = (0..CONFIRMING).map(|birth| criterion.of(&ours.course(birth, goal).0, Cap::NONE));
        let own = quantile(&own.collect::<Vec<_>>(), 1, 3).or(self.bounds.at_least(criterion));
        let Some(own) = own else { return false };
        let theirs = self.quantile_of(criterion, start, own, CONFIRMING, 2, 3);
        theirs.is_some_and(|theirs| own > self.limit(criterion, rival, theirs))
    }

    /// The limit for ours, given the number of a rival.
    fn limit(&self, criterion: Criterion, rival: Rival, theirs: u64) -> u64 {
        let elsewhere = u64::try_from(self.arena.looks_elsewhere(rival).as_millis()).unwrap_or(u64::MAX);
        self.bounds.limit(criterion, theirs) + if criterion == Criterion::Dials { 0 } else { elsewhere }
    }

    /// Whether the world changes between the rival's time and our limit. A rival in one network can be done
    /// before ours has looked into the others, so that every change counts.
    fn is_disturbed(&self, criterion: Criterion, rival: Rival, theirs: u64, limit: u64) -> bool {
        let from = if matches!(rival, Rival::Within(_)) { 0 } else { theirs };
        criterion == Criterion::Fill && self.bounds.changes_between(from, limit)
    }

    /// A quantile of a rival, if it could show ours to be worse.
    fn quantile_of(
        &self,
        criterion: Criterion,
        rival: &dyn Runs,
        ours: u64,
        births: u32,
        part: u32,
        of: u32,
    ) -> Option<u64> {
        let cap = self.bounds.cap(criterion, ours);
        let goal = self.bounds.goal(criterion, cap);
        let mut values = Vec::new();
        let mut failed = 0;
        for birth in 0..births {
            let value = criterion.of(&rival.course(birth, goal).0, cap);
            failed += u32::from(value.is_none());
            if failed >= births - births * part / of {
                return None;
            }
            values.push(value);
        }
        quantile(&values, part, of)
    }

    fn failure(&self, criterion: Criterion, own: Option<u64>, rival: Rival, theirs: u64) -> Failure {
        let limit = criterion.text(Some(self.limit(criterion, rival, theirs)));
        let (own, theirs) = (criterion.text(own), criterion.text(Some(theirs)));
        let what = format!("{own} in the median of {BIRTHS} births, {theirs} of {rival}: at most {limit}");
        let at = crate::types::Instant::ZERO.after(self.arena.plan.scenario.duration.0);
        Failure::compared(criterion.property(), at, 0, what)
    }
}
