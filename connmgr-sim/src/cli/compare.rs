//! `compare`: the same worlds under our policy and under models of two others.

use anyhow::Result;
use clap::Args;
use connmgr_sim::run::compare::Contender;
use connmgr_sim::run::figures::Figures;
use connmgr_sim::types::Figure;
use connmgr_sim::{RunVerdict, Scenario};

use super::again::CommandAgain;
use super::source::MAX_SEED;
use super::table::row;
use super::{progress, say, source, table, usage};

/// What is compared where nothing is named: a day without any answer, and a book of which 11 % answers.
const USUAL: [&str; 2] = ["outage", "scarce"];

/// Of the figures, those that differ by policy and not by chance.
const TOLD: [Figure; 6] =
    [Figure::ToTarget, Figure::ToRecover, Figure::Short, Figure::Dials, Figure::DialsInFaults, Figure::MostDials];

/// Run scenarios under our policy and under models of two others, seed by seed.
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// Names of scenarios that come with the program, or files that end in .toml; none: `outage` and `scarce`
    scenarios: Vec<String>,
    /// How many seeds of each
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "S", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MAX_SEED - 1000))]
    first_seed: u64,
}

impl CompareArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        let names = if self.scenarios.is_empty() { USUAL.map(str::to_owned).to_vec() } else { self.scenarios.clone() };
        let scenarios = source::scenarios(&names)?;
        let again = CommandAgain::of("compare").words(&names).option("--seeds", [self.seeds]);
        say!("seeds from {}: {}", self.first_seed, again.option("--first-seed", [self.first_seed]));
        for scenario in &scenarios {
            say!("\n{}: {}", scenario.name, scenario.about);
            say::text(&self.table(scenario)?);
        }
        Ok(RunVerdict::Kept)
    }

    /// A row for each figure, a column for each policy: the median of the seeds, and the greatest.
    fn table(&self, scenario: &Scenario) -> Result<String> {
        let mut columns = Vec::new();
        let seeds = usize::try_from(self.seeds).unwrap_or(usize::MAX);
        let bar = progress::bar(Contender::ALL.len() * seeds, "runs");
        for policy in Contender::ALL {
            let seeds = self.first_seed..self.first_seed + self.seeds;
            let runs: Result<Vec<Figures>, _> =
                seeds.map(|seed| policy.figures(scenario, seed)).inspect(|_| bar.inc(1)).collect();
            columns.push(runs.map_err(|error| usage(error.to_string()))?);
        }
        bar.finish_and_clear();
        let mut rows = vec![row!["median (most)"]];
        rows[0].extend(Contender::ALL.iter().map(|policy| policy.name().to_owned()));
        for figure in TOLD {
            let mut line = row![figure];
            line.extend(columns.iter().map(|runs| told(figure, runs)));
            rows.push(line);
        }
        Ok(table::plain(&rows))
    }
}

fn told(figure: Figure, runs: &[Figures]) -> String {
    // What never came is greater than all that did.
    let mut values: Vec<u64> = runs.iter().map(|run| run.get(figure).most.unwrap_or(u64::MAX)).collect();
    values.sort_unstable();
    let text = |value: u64| figure.text(Some(value).filter(|value| *value < u64::MAX));
    let (median, most) = (values[values.len() / 2], values[values.len() - 1]);
    if median == most { text(median) } else { format!("{} ({})", text(median), text(most)) }
}
