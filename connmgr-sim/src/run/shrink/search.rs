//! The search for the smallest scenario that still fails, by cuts that are kept if it does.

use super::Gone;
use super::cuts::{self, List, Scope};
use super::ddmin::minimize;
use crate::run::case::Case;
use crate::run::run;
use crate::scenario::{Scenario, Span};
use crate::types::Instant;

/// A search under way.
pub(super) struct Search {
    /// The smallest found so far.
    best: Case,
    scope: Scope,
    /// Steps that may still be made.
    left: u64,
    tried: u32,
}

/// Factor on the steps where our manager is judged beside rivals: of many runs only one is counted.
const MORE_BESIDE_RIVALS: u64 = 4;

impl Search {
    /// A search from a failure on.
    ///
    /// # Errors
    /// When it does not fail any more.
    pub(super) fn new(mut case: Case, steps: u64) -> Result<Self, Gone> {
        let scope = Scope::of(&case.failure);
        if scope == Scope::Hindrances {
            // The world has as long to recover when there is less to recover from.
            case.scenario.expect.healed_at = case.scenario.healed_at().map(Instant::span);
        }
        let found = case.run().failures.into_iter().next();
        match found {
            Some(failure) if failure.is_like(&case.failure) => {
                let left = if case.rivals { steps.saturating_mul(MORE_BESIDE_RIVALS) } else { steps };
                Ok(Self { scope, best: case.with(failure), left, tried: 1 })
            }
            instead => Err(Gone { instead }),
        }
    }

    /// Cuts until no cut works.
    pub(super) fn run(&mut self, progress: &dyn Fn(&str)) {
        loop {
            let tried = self.best.clone();
            progress("the duration");
            self.cut_duration();
            progress("what is there");
            self.scope.lists().iter().for_each(|list| self.thin(*list));
            progress("what is special");
            for cut in cuts::simpler(&self.best.scenario, self.scope) {
                self.attempt_with(&cut);
            }
            progress("how many there are");
            (0..cuts::numbers(&mut self.best.scenario.clone(), self.scope).len()).for_each(|number| self.lower(number));
            if self.best == tried || self.left == 0 {
                return;
            }
        }
    }

    /// The smallest found, and how many were tried.
    pub(super) fn finish(mut self) -> (Case, u32) {
        let Case { seed, .. } = self.best;
        let about = format!("Shrunk from {}, seed {seed}.", self.best.scenario.name);
        if self.best.scenario.about != about {
            self.best.scenario.about = about;
        }
        (self.best, self.tried)
    }

    /// Runs a candidate, and keeps it if it breaks the same promise.
    fn attempt(&mut self, scenario: Scenario) -> bool {
        if self.left == 0 || scenario == self.best.scenario || scenario.check().is_err() {
            return false;
        }
        self.tried += 1;
        let outcome = run(&scenario, self.best.seed, self.best.terms());
        let hosts: u64 = scenario.hosts.iter().map(|spec| u64::from(spec.count)).sum();
        self.left = self.left.saturating_sub(1 + outcome.steps + hosts / 10);
        match outcome.failures.into_iter().next() {
            Some(failure) if failure.is_like(&self.best.failure) => {
                self.best.scenario = scenario;
                self.best.failure = failure;
                true
            }
            Some(_) | None => false,
        }
    }

    fn attempt_with(&mut self, cut: &dyn Fn(&mut Scenario)) -> bool {
        let mut scenario = self.best.scenario.clone();
        cut(&mut scenario);
        self.attempt(scenario)
    }

    /// The world ends just after the failure.
    fn cut_duration(&mut self) {
        let end = Span(self.best.failure.at.0 + std::time::Duration::from_millis(1));
        if end < self.best.scenario.duration {
            self.attempt_with(&|scenario| scenario.duration = end);
        }
    }

    /// Shrinks a list.
    fn thin(&mut self, list: List) {
        let whole = self.best.scenario.clone();
        minimize(list.places(&whole), &mut |kept| self.attempt(list.only(&whole, kept)).then_some(kept.len()));
    }

    /// Shrinks a number: to zero, to one, or by halving.
    fn lower(&mut self, number: usize) {
        for least in [0, 1] {
            if self.number(number) > least && self.set(number, least) {
                return;
            }
        }
        while self.number(number) > 1 && self.set(number, self.number(number) / 2) {}
    }

    fn number(&self, number: usize) -> u32 {
        cuts::numbers(&mut self.best.scenario.clone(), self.scope).get(number).map_or(0, |number| **number)
    }

    fn set(&mut self, number: usize, value: u32) -> bool {
        let scope = self.scope;
        self.attempt_with(&|scenario| {
            if let Some(place) = cuts::numbers(scenario, scope).into_iter().nth(number) {
                *place = value;
            }
        })
    }
}
