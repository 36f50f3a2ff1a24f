//! `self-test`: whether what finds failures finds them, and whether the same run is the same.

use std::num::NonZeroUsize;

use anyhow::Result;
use clap::Args;
use connmgr_check::Property;
use connmgr_sim::run::campaign::Campaign;
use connmgr_sim::run::case::Case;
use connmgr_sim::run::shrink::{Budget, shrink};
use connmgr_sim::watch::canary;
use connmgr_sim::{RunVerdict, Terms};

use super::again::CommandAgain;
use super::campaign::{jobs, parse_jobs};
use super::{progress, source};

/// Try the program itself: the same campaign twice, on one thread and on many; and a failure that is known to be there,
/// which must be found, shrunk, and found again.
#[derive(Debug, Args)]
pub(super) struct SelfTestArgs {
    /// Names of the scenarios that are run twice; none: all that a campaign runs
    scenarios: Vec<String>,
    /// Seeds of each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
    /// Threads of the second time [default: one a core, at least two]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    jobs: Option<NonZeroUsize>,
}

/// The canary must shrink to this many inputs.
const FEW: usize = 20;

impl SelfTestArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        say!("seeds from 1: {}", CommandAgain::of("self-test").words(&self.scenarios).option("--seeds", [self.seeds]));
        let verdict = self.twice()?;
        Ok(verdict.max(falls()))
    }

    fn twice(&self) -> Result<RunVerdict> {
        let scenarios = source::scenarios(&self.scenarios)?;
        let campaign = Campaign { seeds: Some(self.seeds), ..Campaign::new(scenarios) };
        let bar = progress::bar(2 * campaign.len(), "runs");
        let jobs = jobs(self.jobs).max(2);
        let twice = campaign.run_twice(jobs, &|_, _| bar.inc(1));
        bar.finish_and_clear();
        Ok(match twice {
            Ok(results) => {
                say!("the same on 1 and on {jobs} threads: {} runs, digest {:016x}", results.runs(), results.digest());
                RunVerdict::Kept
            }
            Err(parting) => {
                let (scenario, failure) = *parting;
                say!("FAILED {scenario}: {failure}");
                failure.verdict
            }
        })
    }
}

/// Whether the canary is found with every seed, shrinks, and fails again.
fn falls() -> RunVerdict {
    let terms = Terms { canary: true, ..Terms::default() };
    let campaign = Campaign { seeds: Some(3), terms, ..Campaign::new(vec![canary::world()]) };
    let results = campaign.run(jobs(None), &|_, _| {});
    let outcomes = results.scenarios.iter().flat_map(|scenario| &scenario.outcomes);
    let is_found = |failure: &connmgr_sim::Failure| failure.property() == Some(Property::Canary);
    let fallen: Vec<_> = outcomes.filter(|outcome| outcome.failures.first().is_some_and(is_found)).collect();
    let case = fallen.first().and_then(|outcome| Case::of(&canary::world(), terms, outcome));
    let (Some(case), 3) = (case, fallen.len()) else {
        say!("FAILED the canary was found by {} of 3 runs", fallen.len());
        return RunVerdict::MissedProbe;
    };
    let story = shrink(&case, Budget::default(), &|_| {}).ok().and_then(|shrunk| shrunk.story);
    match story.filter(|story| story.story.told.len() <= FEW && story.story.tell(story.manner).is_err()) {
        Some(story) => {
            say!("the canary was found by 3 of 3 runs, at step {} the first time", case.failure.step);
            say!("shrunk to {} inputs, told again it falls again", story.story.told.len());
            RunVerdict::Kept
        }
        None => {
            say!("FAILED the canary did not shrink to {FEW} inputs that let it fall again");
            RunVerdict::MissedProbe
        }
    }
}
