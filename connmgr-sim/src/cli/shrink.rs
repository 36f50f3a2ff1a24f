//! `shrink`: a failure, made small.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use connmgr_sim::run::case::Case;
use connmgr_sim::run::shrink::{Budget, regression_test, shrink};
use connmgr_sim::watch::canary;
use connmgr_sim::{RunVerdict, Terms, run};

use super::again::CommandAgain;
use super::source::MAX_SEED;
use super::{progress, replay, source, usage, write};

/// Make a failure small.
#[derive(Debug, Args)]
pub(super) struct ShrinkArgs {
    /// A saved failure, or a scenario that fails
    what: String,
    /// For a scenario, the seed with which it fails
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MAX_SEED))]
    seed: u64,
    /// Write what it shrank to into FILE.toml (the failure) and FILE.rs (a regression test)
    /// [default: shrunk-SCENARIO-SEED]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The failure is that ours is worse than a plain policy, or beyond its budget
    #[arg(long)]
    rivals: bool,
    /// With a checker that is broken on purpose; `canary` is the scenario in which it falls
    #[arg(long, hide = true)]
    canary: bool,
}

impl ShrinkArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        let case = self.case()?;
        say!("seed {}: {}", case.seed, self.again(&case));
        say!("{}", case.failure);
        let began = Instant::now();
        let spinner = progress::spinner();
        let shrunk = shrink(&case, Budget::default(), &|what| {
            spinner.set_message(what.to_owned());
            spinner.tick();
        });
        spinner.finish_and_clear();
        let shrunk = shrunk.map_err(|gone| usage(format!("{}: {gone}", self.what)))?;
        let smallest = &shrunk.case.failure;
        say!("the scenario fails after {} of {} steps; {} were tried", smallest.step, case.failure.step, shrunk.tried);
        match &shrunk.story {
            Some(story) => {
                say!(
                    "the manager fails after {} inputs, of {} in that scenario:",
                    story.story.told.len(),
                    story.before
                );
                story.story.told.iter().for_each(|(now, input)| say!("    {now} {input}"));
            }
            None => say!("no manager fails by itself, so that the scenario is all there is"),
        }
        let out = self.out.clone().unwrap_or_else(|| format!("shrunk-{}-{}", case.scenario.name, case.seed).into());
        let file = |extension: &str| PathBuf::from(format!("{}.{extension}", out.display()));
        write_new(&file("toml"), &shrunk.case.to_toml())?;
        write_new(&file("rs"), &regression_test(&case, &shrunk))?;
        say!("{:.1} s", began.elapsed().as_secs_f64());
        Ok(smallest.verdict)
    }

    fn case(&self) -> Result<Case> {
        if let Some(case) = replay::case(&self.what)? {
            return Ok(case);
        }
        let scenario = match self.what.as_str() {
            "canary" if self.canary => canary::world(),
            what => source::scenario(what)?,
        };
        let terms = Terms { canary: self.canary, rivals: self.rivals, ..Terms::default() };
        let outcome = run(&scenario, self.seed, terms);
        let kept = || usage(format!("{} with seed {} keeps every promise", scenario.name, self.seed));
        Case::of(&scenario, terms, &outcome).ok_or_else(kept)
    }

    fn again(&self, case: &Case) -> CommandAgain {
        CommandAgain::of("shrink")
            .words([&self.what])
            .option("--seed", [case.seed])
            .flag("--rivals", self.rivals)
            .flag("--canary", self.canary)
    }
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    write(path, text)?;
    say!("wrote {}", path.display());
    Ok(())
}
