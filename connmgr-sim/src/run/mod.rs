//! Runs of scenarios: one, many, one beside others, one again, and one made small.

pub mod campaign;
pub mod case;
#[cfg(feature = "cli")]
pub mod compare;
pub mod diff;
pub mod eclipse;
pub mod failure;
pub mod figures;
mod outcome;
#[cfg(feature = "cli")]
pub mod replay;
pub mod results;
pub mod rivals;
mod shard;
pub mod shrink;
pub mod story;
pub mod sweep;

use crate::scenario::Scenario;

pub use outcome::{RunOutcome, Terms, finish, run_with};
pub use shard::Shard;

/// Runs a scenario with a seed. A panic is a failure like any other.
pub fn run(scenario: &Scenario, seed: u64, terms: Terms) -> RunOutcome {
    if terms.rivals {
        return rivals::judge(scenario, seed);
    }
    run_with(scenario, seed, terms, &|_| {})
}

#[cfg(test)]
mod tests {
    use super::failure::{PANIC, RunVerdict};
    use super::*;
    use crate::scenario::{Bound, HostSpec, SeedSpec, Span};
    use crate::world::Scrutiny;

    /// A small world whose pool fills in seconds.
    fn small() -> Scenario {
        let mut scenario = Scenario::new("small", Span::minutes(10));
        scenario.hosts.push(HostSpec::new("honest", 60));
        scenario.seeds.push(SeedSpec { latency: Span::millis(50).into(), ..SeedSpec::new("seed.example") });
        scenario
    }

    #[test]
    fn the_same_seed_comes_to_the_same_and_another_does_not() {
        let scenario = small();
        let outcome = run(&scenario, 1, Terms::default());
        assert_eq!(outcome.failures, []);
        assert_eq!(run(&scenario, 1, Terms::default()), outcome);
        assert_ne!(run(&scenario, 2, Terms::default()).digest, outcome.digest);
    }

    #[test]
    fn who_watches_changes_nothing() {
        let scenario = small();
        let unwatched = run(&scenario, 1, Terms { scrutiny: Scrutiny::None, ..Terms::default() });
        assert_eq!(
            run(&scenario, 1, Terms { scrutiny: Scrutiny::CLOSEST, ..Terms::default() }).digest,
            unwatched.digest
        );
    }

    #[test]
    fn a_figure_out_of_bounds_fails_the_run() {
        let mut scenario = small();
        scenario.expect.bounds.push(Bound { of: "dials".into(), min: None, max: Some(1) });
        let outcome = run(&scenario, 1, Terms::default());
        assert_eq!((outcome.verdict(), outcome.failures.len()), (RunVerdict::Threshold, 1));
        assert_eq!(outcome.failures[0].rule, "dials");
    }

    #[test]
    fn a_pool_that_is_not_full_in_time_is_a_failure_of_liveness() {
        let mut scenario = small();
        scenario.hosts.clear();
        scenario.expect.full_within = Some(Span::minutes(1));
        let outcome = run(&scenario, 1, Terms::default());
        assert_eq!((outcome.verdict(), outcome.failures[0].rule.as_str()), (RunVerdict::Liveness, "recovery"));
    }

    #[test]
    fn a_panic_is_a_failure_with_its_words() {
        let mut scenario = small();
        // More populations than are numbered: nobody checked this scenario.
        scenario.hosts = vec![HostSpec::new("nobody", 0); 65_537];
        let outcome = run(&scenario, 1, Terms::default());
        assert_eq!((outcome.verdict(), outcome.failures[0].rule.as_str()), (RunVerdict::Safety, PANIC));
        assert!(outcome.failures[0].what.contains("fewer populations"), "{}", outcome.failures[0]);
    }
}
