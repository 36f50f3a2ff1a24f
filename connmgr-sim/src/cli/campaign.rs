//! `campaign` and `merge`: many runs, here or spread over machines.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use clap::Args;
use connmgr_sim::run::results::Results;
use connmgr_sim::run::{Shard, campaign};
use connmgr_sim::{RunOutcome, RunVerdict, Scenario, Terms, report};

use super::again::CommandAgain;
use super::source::MAX_SEED;
use super::table::row;
use super::{progress, say, source, table, usage, write};

/// Run many seeds of many scenarios, on every core.
#[derive(Debug, Args)]
pub(super) struct CampaignArgs {
    /// Names of scenarios that come with the program, or files that end in .toml; none: all of the former
    scenarios: Vec<String>,
    /// Instead of scenarios so many random worlds, each drawn from a seed and run with it
    #[arg(long, value_name = "N", conflicts_with_all = ["scenarios", "seeds"],
        value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    random: Option<u64>,
    /// Seeds of each scenario [default: 200 of those with one manager, 3 of those with more than 20, else 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    seeds: Option<u64>,
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MAX_SEED))]
    first_seed: u64,
    /// Threads; they change nothing but the time it takes [default: one a core]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    jobs: Option<NonZeroUsize>,
    /// Do only this part of the work, from 0/N to (N-1)/N
    #[arg(long, value_name = "I/N", value_parser = parse_shard, default_value = "0/1")]
    shard: Shard,
    /// Write what came of it into this file, for `merge`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a page on it into this file: HTML that needs nothing else
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Put the results of a campaign's shards together, and judge the whole.
#[derive(Debug, Args)]
pub(super) struct MergeArgs {
    /// What `campaign --shard I/N --out FILE` wrote, all of it
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write the whole into this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a page on it into this file: HTML that needs nothing else
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl CampaignArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        let scenarios = if self.random.is_some() { Vec::new() } else { source::scenarios(&self.scenarios)? };
        let (first_seed, seeds, shard) = (self.first_seed, self.seeds, self.shard);
        let (random, terms) = (self.random.unwrap_or(0), Terms::default());
        let campaign = campaign::Campaign { scenarios, first_seed, seeds, random, terms, shard };
        say!("seeds from {first_seed}: {}", self.again());
        let bar = progress::bar(campaign.len(), "runs");
        let done = |scenario: &Scenario, outcome: &RunOutcome| {
            if let Some(failure) = outcome.failures.first() {
                bar.suspend(|| eprintln!("{} seed {}: {failure}", scenario.name, outcome.seed));
            }
            bar.inc(1);
        };
        let mut results = campaign.run(jobs(self.jobs), &done);
        for (scenario, source) in results.scenarios.iter_mut().zip(&self.scenarios) {
            scenario.source.clone_from(source);
        }
        bar.finish_and_clear();
        conclude(&results, self.out.as_deref(), self.report.as_deref(), &self.again())
    }

    /// The command that gives the same answer.
    fn again(&self) -> CommandAgain {
        let shard = self.shard;
        let shard = (shard != Shard::WHOLE).then(|| format!("{}/{}", shard.index(), shard.count()));
        let again = CommandAgain::of("campaign").words(&self.scenarios).option("--seeds", self.seeds);
        let again = again.option("--random", self.random);
        again.option("--shard", shard).option("--first-seed", [self.first_seed])
    }
}

impl MergeArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        let parts = self.files.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
        let whole = Results::merge(parts).map_err(|error| usage(error.to_string()))?;
        let again = CommandAgain::of("merge").words(self.files.iter().map(|path| path.display()));
        say!("{again}");
        conclude(&whole, self.out.as_deref(), self.report.as_deref(), &again)
    }
}

/// The number of threads: as asked for, or one a core.
pub(super) fn jobs(asked: Option<NonZeroUsize>) -> usize {
    asked.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

pub(super) fn parse_jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected how many, at least 1".to_owned())
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    let (index, count) = text.split_once('/').ok_or("expected I/N, such as 0/4")?;
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("`{text}` is no number"));
    Shard::new(number(index)?, number(count)?)
        .ok_or_else(|| "expected I/N with I below N: they count from 0".to_owned())
}

fn read(path: &Path) -> Result<Results> {
    let text = fs::read_to_string(path).map_err(|error| usage(format!("{}: {error}", path.display())))?;
    serde_json::from_str(&text).map_err(|error| usage(format!("{}: {error}", path.display())))
}

/// Prints the result before writing files, so that a failed write does not cost the answer.
fn conclude(results: &Results, out: Option<&Path>, page: Option<&Path>, again: &CommandAgain) -> Result<RunVerdict> {
    say::text(&summary(results));
    if let Some(path) = out {
        let text = serde_json::to_string(results).context("results are plain data")?;
        write(path, &(text + "\n"))?;
    }
    if let Some(path) = page {
        write(path, &report::campaign(results, &again.to_string()))?;
    }
    Ok(results.verdict())
}

/// Failures shown in full; the others are counted.
const SHOWN: usize = 20;

fn summary(results: &Results) -> String {
    let mut rows =
        vec![row!["scenario", "runs", "failed", "steps", "seconds to target, worst", "dials, most", "missed"]];
    rows.extend(results.scenarios.iter().map(|scenario| summary_row(scenario, results.is_whole())));
    let mut text = table::plain(&rows);
    let failures: Vec<_> = results.failures().collect();
    for (scenario, seed, failure) in failures.iter().take(SHOWN) {
        text += &format!("{}\n    {failure}\n", scenario.again(*seed));
    }
    if failures.len() > SHOWN {
        text += &format!("and {} more failures\n", failures.len() - SHOWN);
    }
    text += &format!(
        "{}; {} runs, {} steps, digest {:016x}\n",
        results.verdict(),
        results.runs(),
        results.steps(),
        results.digest()
    );
    text
}

fn summary_row(scenario: &connmgr_sim::run::results::ScenarioResults, is_whole: bool) -> Vec<String> {
    use connmgr_sim::types::Figure;
    let outcomes = &scenario.outcomes;
    let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    let steps: u64 = outcomes.iter().map(|outcome| outcome.steps).sum();
    let worst = |figure: Figure| {
        let values: Option<Vec<u64>> = outcomes.iter().map(|outcome| outcome.figures.get(figure).most).collect();
        figure.text(values.map(|values| values.into_iter().max().unwrap_or(0)))
    };
    let missed: Vec<&str> = scenario.missed().filter(|_| is_whole).collect();
    row![scenario.name, outcomes.len(), failed, steps, worst(Figure::ToTarget), worst(Figure::Dials), missed.join(", ")]
}
