//! `run`: one scenario, one seed.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use connmgr_sim::run::case::Case;
use connmgr_sim::run::run_with;
use connmgr_sim::types::Figure;
use connmgr_sim::watch::canary;
use connmgr_sim::{RunOutcome, RunVerdict, Scenario, Scrutiny, Terms, report};

use super::again::CommandAgain;
use super::source::MAX_SEED;
use super::table::row;
use super::{progress, say, source, table, write};

/// Run a scenario once.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// The name of a scenario that comes with the program, `random:SEED`, or a file that ends in .toml
    scenario: String,
    /// Where all chances come from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MAX_SEED))]
    seed: u64,
    /// The chances that the managers are born with: the same world, but other choices
    #[arg(long, value_name = "N", default_value_t = 0)]
    birth: u32,
    /// Without checkers: for speed
    #[arg(long)]
    no_checks: bool,
    /// If it fails, write all that replays the failure into this file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Write a page on it into this file: HTML that needs nothing else
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// With a checker that is broken on purpose; `canary` is the scenario in which it falls
    #[arg(long, hide = true)]
    canary: bool,
}

impl RunArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        let scenario = match self.scenario.as_str() {
            "canary" if self.canary => canary::world(),
            name => source::scenario(name)?,
        };
        say!("seed {}: {}", self.seed, self.again());
        let scrutiny = if self.no_checks { Scrutiny::None } else { Scrutiny::USUAL };
        let began = Instant::now();
        let terms = Terms { scrutiny, canary: self.canary, birth: self.birth, rivals: false };
        let (outcome, page) = self.outcome(&scenario, terms);
        let took = began.elapsed().as_secs_f64();
        say::text(&summary(&scenario, &outcome));
        self.save(&scenario, terms, &outcome)?;
        say!("{:.0} steps a second, {took:.2} s", outcome.steps as f64 / took.max(1e-9));
        if let (Some(path), Some(page)) = (&self.report, page) {
            write(path, &page)?;
        }
        Ok(outcome.verdict())
    }

    /// The outcome, and a page if wanted.
    fn outcome(&self, scenario: &Scenario, terms: Terms) -> (RunOutcome, Option<String>) {
        if self.report.is_some() {
            let (outcome, page) = report::run(scenario, self.seed, terms, &self.again().to_string());
            return (outcome, Some(page));
        }
        let bar = progress::bar(100, "%");
        let outcome = run_with(scenario, self.seed, terms, &|part| bar.set_position(part.into()));
        bar.finish_and_clear();
        (outcome, None)
    }

    fn save(&self, scenario: &Scenario, terms: Terms, outcome: &RunOutcome) -> Result<()> {
        let (Some(path), Some(case)) = (&self.save, Case::of(scenario, terms, outcome)) else { return Ok(()) };
        write(path, &case.to_toml())?;
        say!("saved: {}", CommandAgain::of("replay").words([path.display()]));
        Ok(())
    }

    /// The command that gives the same answer.
    fn again(&self) -> CommandAgain {
        let again = CommandAgain::of("run").words([&self.scenario]).option("--seed", [self.seed]);
        let again = again.option("--birth", (self.birth > 0).then_some(self.birth));
        again.flag("--no-checks", self.no_checks).flag("--canary", self.canary)
    }
}

/// The summary of a run.
pub(super) fn summary(scenario: &Scenario, outcome: &RunOutcome) -> String {
    let mut rows = vec![row!["scenario", scenario.name], row!["", scenario.about]];
    match outcome.failures.as_slice() {
        [] => rows.push(row!["verdict", RunVerdict::Kept]),
        failures => rows.extend(failures.iter().map(|failure| row!["FAILED", failure])),
    }
    rows.push(row!["digest", format!("{:016x}", outcome.digest)]);
    rows.push(row!["steps", outcome.steps]);
    rows.extend(Figure::ALL.iter().map(|figure| row![figure, figure.range_text(outcome.figures.get(*figure))]));
    let probes: Vec<String> = outcome.probes.reached().map(|(probe, times)| format!("{probe} {times}")).collect();
    rows.push(row!["reached", probes.join(", ")]);
    table::plain(&rows)
}
