//! One run of a scenario with a seed, to the end or to the first broken promise, and its outcome.
//!
//! The same scenario, seed and release give the same outcome, whatever runs beside it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use connmgr_check::{Probe, Probes};
use connmgr_core::ConfigError;
use serde::{Deserialize, Serialize};

use crate::run::failure::{Failure, RunVerdict, panic_text};
use crate::run::figures::Figures;
use crate::scenario::Scenario;
use crate::types::Instant;
use crate::watch::canary::Canary;
use crate::watch::record::Recorder;
use crate::watch::{Real, Watchers};
use crate::world::subject::Subject;
use crate::world::{Broken, Scrutiny, World};

/// How to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How closely checkers watch the managers.
    pub scrutiny: Scrutiny,
    /// The first manager has a canary: a checker that fails though nothing is wrong, to test the tools.
    pub canary: bool,
    /// Which of several rng seeds the managers get: the same world, but other choices of theirs.
    pub birth: u32,
    /// Our manager is also judged beside rivals: see [`rivals`](crate::run::rivals).
    pub rivals: bool,
}

impl Terms {
    /// The onlookers of the first manager.
    pub(crate) fn watch(self) -> Watchers {
        let mut watch = Watchers::default();
        watch.canary = self.canary.then(Canary::default);
        watch
    }

    /// The world of a run.
    ///
    /// # Errors
    /// When the configuration of the managers is refused.
    pub fn world(self, scenario: Scenario, seed: u64) -> Result<World<Real>, ConfigError> {
        Ok(World::watched(scenario, seed, self.scrutiny, self.watch())?.born(self.birth))
    }

    /// The world of a run, with a recorder at one manager.
    ///
    /// # Errors
    /// As [`Terms::world`].
    pub fn recorded(self, scenario: Scenario, seed: u64, node: u32) -> Result<World<Real>, ConfigError> {
        let mut watch = self.watch();
        watch.recorder = Some(Recorder::default());
        Ok(World::watched(scenario, seed, self.scrutiny, watch)?.watching(node).born(self.birth))
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self { scrutiny: Scrutiny::USUAL, canary: false, birth: 0, rivals: false }
    }
}

/// The outcome of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunOutcome {
    /// The seed.
    pub seed: u64,
    /// A digest of all inputs and actions of all managers.
    #[serde(with = "crate::types::hex")]
    pub digest: u64,
    /// Events of the world.
    pub steps: u64,
    /// The figures.
    pub figures: Figures,
    /// The first broken promise, or the figures out of bounds.
    pub failures: Vec<Failure>,
    /// The probes that were reached.
    #[serde(skip)]
    pub probes: Probes,
}

impl RunOutcome {
    /// The worst of its failures.
    pub fn verdict(&self) -> RunVerdict {
        self.failures.iter().map(|failure| failure.verdict).max().unwrap_or_default()
    }
}

/// Runs a scenario without rivals. `progress` is called with each percent of the scenario's time that has passed.
pub fn run_with(scenario: &Scenario, seed: u64, terms: Terms, progress: &dyn Fn(u32)) -> RunOutcome {
    let begun = catch_unwind(|| terms.world(scenario.clone(), seed));
    let why = match begun {
        Ok(Ok(mut world)) => return finish_with(&mut world, progress),
        Ok(Err(error)) => format!("the configuration is refused: {error}"),
        Err(payload) => panic_text(payload.as_ref()),
    };
    let failure = Failure::panicked(why, Instant::ZERO, 0);
    RunOutcome {
        seed,
        digest: 0,
        steps: 0,
        figures: Figures::default(),
        failures: vec![failure],
        probes: Probes::default(),
    }
}

/// Runs a world to its end, or to the first broken promise.
pub fn finish<S: Subject>(world: &mut World<S>) -> RunOutcome {
    finish_with(world, &|_| {})
}

fn finish_with<S: Subject>(world: &mut World<S>, progress: &dyn Fn(u32)) -> RunOutcome {
    finish_by(world, |world| {
        let hundredth = world.plan().scenario.duration.0 / 100;
        for part in 1..=100 {
            world.run_until(Instant::ZERO.after(hundredth * part))?;
            progress(part);
        }
        Ok(())
    })
}

/// As [`finish`], after `way` has run a part of it.
pub(super) fn finish_by<S: Subject>(
    world: &mut World<S>,
    way: impl FnOnce(&mut World<S>) -> Result<(), Box<Broken>>,
) -> RunOutcome {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        way(world)?;
        world.run()
    }));
    let mut failures = match ended {
        Ok(Ok(())) => Vec::new(),
        Ok(Err(broken)) => vec![Failure::of(&broken)],
        Err(payload) => vec![Failure::panicked(panic_text(payload.as_ref()), world.now(), world.steps())],
    };
    let figures = Figures::of(world);
    if failures.is_empty() {
        failures = out_of_bounds(world, &figures);
    }
    let (seed, digest, steps) = (world.plan().seed, world.digest(), world.steps());
    RunOutcome { seed, digest, steps, figures, failures, probes: probes(world) }
}

/// Bounds are judged only in a run that reached its end.
fn out_of_bounds<S: Subject>(world: &World<S>, figures: &Figures) -> Vec<Failure> {
    let bounds = &world.plan().scenario.expect.bounds;
    let beyond = bounds.iter().filter_map(|bound| Some((bound, figures.beyond(bound)?)));
    let failure = |(bound, what): (&crate::scenario::Bound, String)| Failure {
        verdict: RunVerdict::Threshold,
        rule: bound.of.clone(),
        at: world.now().span(),
        node: 0,
        step: world.steps(),
        what,
    };
    beyond.map(failure).collect()
}

fn probes<S: Subject>(world: &World<S>) -> Probes {
    let mut probes = Probes::default();
    let had_faults = !world.plan().scenario.faults.is_empty();
    for node in world.nodes() {
        probes.merge(&node.probes());
        if had_faults && node.tally.full_after_healing.is_some() {
            probes.reach(Probe::Recovered);
        }
    }
    probes
}
