//! `sweep`: a figure against a parameter, as a table and as a picture; and `sweep eclipse`, of which there is a page too.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use connmgr_sim::run::eclipse::{EclipseFigures, EclipsePoint, EclipseSweep};
use connmgr_sim::run::sweep::{self, Point};
use connmgr_sim::types::Figure;
use connmgr_sim::{RunVerdict, report};

use super::again::CommandAgain;
use super::campaign::{jobs, parse_jobs};
use super::source::MAX_SEED;
use super::table::row;
use super::{progress, say, source, table, usage, write};

/// Run a scenario at several values of a parameter.
#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    /// `reachable` (time to target by the share of addresses that answer), `outage` (time to recover by its length),
    /// `eclipse` (what an attacker gets who fills the address book), or a scenario together with --param and --values
    what: String,
    /// The field to vary, as a path into the scenario's TOML: `hosts.0.reachable`
    #[arg(long, value_name = "PATH", requires = "values")]
    param: Option<String>,
    /// Its values, with commas between
    #[arg(long, value_name = "VALUES", value_delimiter = ',', requires = "param")]
    values: Vec<String>,
    /// What is measured
    #[arg(long, value_name = "FIGURE", requires = "param")]
    figure: Option<Figure>,
    /// Seeds at each value
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    seeds: u64,
    /// The first seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MAX_SEED - 100_000))]
    first_seed: u64,
    /// Threads; they change nothing but the time it takes [default: one a core]
    #[arg(long, value_name = "N", value_parser = parse_jobs)]
    jobs: Option<NonZeroUsize>,
    /// Write the points into this file, as comma-separated values
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write a picture of them into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page on them into this file; of `eclipse` only
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl SweepArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        if self.what == ECLIPSE && self.param.is_none() {
            return self.eclipse();
        }
        if self.report.is_some() {
            return Err(usage("only `sweep eclipse` has a page; others have a picture: --svg"));
        }
        let mut sweep = self.sweep()?;
        (sweep.seeds, sweep.first_seed) = (self.seeds, self.first_seed);
        say!("seeds from {}: {}", self.first_seed, self.again());
        let bar = progress::bar(sweep.len(), "runs");
        let points = sweep.run(jobs(self.jobs), &|_, _| bar.inc(1));
        bar.finish_and_clear();
        say::text(&text(&sweep, &points));
        if let Some(path) = &self.csv {
            write(path, &sweep.csv(&points))?;
        }
        if let Some(path) = &self.svg {
            write(path, &report::svg(&sweep, &points, &self.again().to_string()))?;
        }
        Ok(RunVerdict::Kept)
    }

    fn eclipse(&self) -> Result<RunVerdict> {
        let sweep = EclipseSweep::new(self.seeds, self.first_seed);
        say!("seeds from {}: {}", self.first_seed, self.again());
        let bar = progress::bar(sweep.len(), "attacks");
        let points = sweep.run(jobs(self.jobs), &|| bar.inc(1));
        bar.finish_and_clear();
        say::text(&eclipse_text(&points));
        let again = self.again().to_string();
        if let Some(path) = &self.csv {
            write(path, &EclipseSweep::csv(&points))?;
        }
        if let Some(path) = &self.svg {
            write(path, &report::eclipse_svg(&sweep, &points, &again))?;
        }
        if let Some(path) = &self.report {
            write(path, &report::eclipse(&sweep, &points, &again))?;
        }
        Ok(RunVerdict::Kept)
    }

    fn sweep(&self) -> Result<sweep::Sweep> {
        let Some(param) = &self.param else {
            return match self.what.as_str() {
                "reachable" => Ok(sweep::Sweep::reachable()),
                "outage" => Ok(sweep::Sweep::outage()),
                other => Err(usage(format!(
                    "there is no sweep `{other}`; there are reachable, outage, eclipse, and any scenario with --param and --values"
                ))),
            };
        };
        let scenario = source::scenario(&self.what)?;
        let figure = self.figure.unwrap_or(Figure::ToTarget);
        sweep::Sweep::of_field(&scenario, param, &self.values, figure).map_err(|error| usage(error.to_string()))
    }

    /// The command that gives the same answer.
    fn again(&self) -> CommandAgain {
        let values = self.param.as_ref().map(|_| self.values.join(","));
        let again =
            CommandAgain::of("sweep").words([&self.what]).option("--param", &self.param).option("--values", values);
        let again = again.option("--figure", self.figure);
        again.option("--seeds", [self.seeds]).option("--first-seed", [self.first_seed])
    }
}

/// The sweep that has a page.
const ECLIPSE: &str = "eclipse";

/// A row for each attack and book, shares in percent.
fn eclipse_text(points: &[EclipsePoint]) -> String {
    let mut head = row!["attacker's", "", "book"];
    head.extend(EclipseFigures::NAMES.map(str::to_owned));
    let mut rows = vec![head];
    rows.extend(points.iter().map(|point| {
        let mut cells = row![point.axis.name(), point.value, point.defence.name()];
        cells.extend(point.mean.all().map(|share| share.to_string()));
        cells
    }));
    table::plain(&rows)
}

fn text(sweep: &sweep::Sweep, points: &[Point]) -> String {
    let mut rows = vec![row![sweep.parameter, format!("{} least", sweep.figure), "median", "most"]];
    let text = |value| sweep.figure.text(value);
    rows.extend(points.iter().map(|point| row![point.value, text(point.least), text(point.median), text(point.most)]));
    table::plain(&rows)
}
