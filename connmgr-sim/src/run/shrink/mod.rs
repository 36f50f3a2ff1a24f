//! Shrinks failures: first the scenario; then, where one manager broke a
//! promise by itself, its list of inputs.
//!
//! A candidate counts only if it breaks the same promise. Work is counted in steps, not in time, so that the
//! same failure always shrinks to the same result.

mod cast;
mod cuts;
mod ddmin;
mod inputs;
mod regression;
mod search;

use crate::run::case::Case;
use crate::run::failure::{Failure, PANIC};
use crate::run::story::{BrokenStory, Manner, Story};
use crate::watch::record::RunRecord;

pub use regression::regression_test;

/// How much may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Steps of worlds.
    pub steps: u64,
    /// Inputs told to managers.
    pub inputs: u64,
}

impl Default for Budget {
    /// A few seconds of work.
    fn default() -> Self {
        Self { steps: 1_000_000, inputs: 3_000_000 }
    }
}

/// What a failure shrank to.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest scenario found, with its failure.
    pub case: Case,
    /// How many scenarios were tried.
    pub tried: u32,
    /// The inputs of one manager; `None` if no manager fails by itself.
    pub story: Option<ShrunkStory>,
}

/// A small story that breaks a promise.
#[derive(Clone, Debug)]
pub struct ShrunkStory {
    /// The story.
    pub story: Story,
    /// How to tell it.
    pub manner: Manner,
    /// What it breaks.
    pub broken: BrokenStory,
    /// How many inputs there were.
    pub before: usize,
}

/// The failure did not occur again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it {}", instead.as_ref().map_or("does not fail any more".to_owned(), |it| format!("fails otherwise now: {it}")))]
pub struct Gone {
    /// The failure that occurred instead, if any.
    pub instead: Option<Failure>,
}

/// Shrinks a failure. `progress` is called with what is being done.
///
/// # Errors
/// [`Gone`] if it does not fail any more.
pub fn shrink(case: &Case, budget: Budget, progress: &dyn Fn(&str)) -> Result<Shrunk, Gone> {
    let mut search = search::Search::new(case.clone(), budget.steps)?;
    search.run(progress);
    let (smallest, tried) = search.finish();
    let story = story(&smallest, budget, progress).or_else(|| story(case, budget, progress));
    Ok(Shrunk { case: smallest, tried, story })
}

/// The shrunk inputs of the failing manager.
fn story(case: &Case, budget: Budget, progress: &dyn Fn(&str)) -> Option<ShrunkStory> {
    if case.failure.property().is_none() && case.failure.rule != PANIC {
        return None;
    }
    let record = record(case)?;
    inputs::shrink(&record, &case.failure.rule, case.canary, budget.inputs, progress)
}

/// The record of the failing manager up to its failure.
fn record(case: &Case) -> Option<RunRecord> {
    let Case { scenario, seed, failure, .. } = case;
    let mut world = case.terms().recorded(scenario.clone(), *seed, failure.node).ok()?;
    let outcome = crate::run::outcome::finish(&mut world);
    outcome.failures.first().filter(|found| found.is_like(failure))?;
    world.watch_mut().take_record()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Terms, run};
    use crate::scenario::{Scenario, Span};
    use crate::watch::canary;

    fn fallen() -> Case {
        let terms = Terms { canary: true, ..Terms::default() };
        let outcome = run(&canary::world(), 1, terms);
        Case::of(&canary::world(), terms, &outcome).expect("the canary falls")
    }

    #[test]
    fn a_failure_after_thousands_of_steps_shrinks_to_a_handful_of_inputs() {
        let case = fallen();
        assert!(case.failure.step > 5_000, "{}", case.failure);
        let shrunk = shrink(&case, Budget { steps: 200_000, inputs: 500_000 }, &|_| {}).expect("it fails again");
        assert!(shrunk.case.failure.is_like(&case.failure));
        assert_eq!(shrunk.case.run().failures, std::slice::from_ref(&shrunk.case.failure));
        let story = shrunk.story.expect("a manager's own failure");
        assert!(story.story.told.len() <= 20, "{}", story.story);
        let again = Story::parse(&story.story.to_string()).expect("a story");
        assert_eq!(again.tell(story.manner), Err(story.broken));
        assert_eq!(again.tell(Manner::default()), Ok(()), "only the canary falls");
    }

    /// Hindrances shrink, not what the managers need to recover.
    #[test]
    fn a_world_that_recovers_too_late_keeps_what_it_recovers_by() {
        let scenario = Scenario::parse(
            r#"
            version = 1
            name = "hasty"
            about = "Nobody is that quick."
            duration = "1h"
            hosts = [{ name = "honest", count = 200 }, { name = "attackers", count = 5, adversary = true }]
            book = { knows = [{ of = "honest" }, { of = "attackers" }] }
            faults = [{ fault = "interface", at = "1m", for = "9m" }, { fault = "nat-reset", at = "20m" }]
            expect = { full-within = "10ms", probes = ["target-reached"] }
            "#,
        )
        .expect("a scenario");
        let outcome = run(&scenario, 1, Terms::default());
        let case = Case::of(&scenario, Terms::default(), &outcome).expect("it fails");
        let mut shrunk = shrink(&case, Budget::default(), &|_| {}).expect("it fails again").case.scenario;
        let names: Vec<(&str, u32)> = shrunk.hosts.iter().map(|spec| (&*spec.name, spec.count)).collect();
        assert_eq!((names, shrunk.book.knows.len()), (vec![("honest", 200)], 1), "attackers go, the honest stay");
        assert_eq!((shrunk.faults.len(), shrunk.expect.probes.len()), (1, 0));
        (shrunk.expect.full_within, shrunk.duration) = (Some(Span::minutes(1)), scenario.duration);
        assert_eq!(run(&shrunk, 1, Terms::default()).failures, [], "a manager can keep the promise in the small world");
    }

    #[test]
    fn what_does_not_fail_does_not_shrink() {
        let mut case = fallen();
        case.canary = false;
        let gone = shrink(&case, Budget { steps: 100, inputs: 100 }, &|_| {}).expect_err("there is no canary");
        assert_eq!(gone, Gone { instead: None });
    }
}
