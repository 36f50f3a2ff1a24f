//! `rivals`: ours beside plain and paced policies in one world, and the verdict.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use connmgr_sim::run::case::Case;
use connmgr_sim::run::rivals::{self, BIRTHS, Column};
use connmgr_sim::{RunVerdict, Scenario, Terms, run};

use super::again::CommandAgain;
use super::source::MAX_SEED;
use super::table::row;
use super::{say, source, table, usage, write};

/// Find out whether ours is worse than plain policies in a world, and show the figures of all.
#[derive(Debug, Args)]
pub(super) struct RivalsArgs {
    /// The name of a scenario that comes with the program, `random:SEED`, or a file that ends in .toml
    scenario: String,
    /// Where all chances of the world come from
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=MAX_SEED))]
    seed: u64,
    /// If it fails, write all that replays the failure into this file
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Only judge: as a campaign does, which runs no more than it must
    #[arg(long)]
    no_table: bool,
}

impl RivalsArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        let scenario = source::scenario(&self.scenario)?;
        let again = CommandAgain::of("rivals").words([&self.scenario]).option("--seed", [self.seed]);
        say!("seed {}: {}", self.seed, again.flag("--no-table", self.no_table));
        let terms = Terms { rivals: true, ..Terms::default() };
        let outcome = run(&scenario, self.seed, terms);
        match outcome.failures.as_slice() {
            [] => say!("{}", RunVerdict::Kept),
            failures => failures.iter().for_each(|failure| say!("FAILED  {failure}")),
        }
        if let (Some(path), Some(case)) = (&self.save, Case::of(&scenario, terms, &outcome)) {
            write(path, &case.to_toml())?;
            say!("saved: {}", CommandAgain::of("replay").words([path.display()]));
        }
        if !self.no_table {
            say!("\nmedian (most) of {BIRTHS} births");
            say::text(&self.table(&scenario)?);
        }
        Ok(outcome.verdict())
    }

    /// A row for each policy, a column for each figure.
    fn table(&self, scenario: &Scenario) -> Result<String> {
        let columns = rivals::table(scenario, self.seed).map_err(|error| usage(error.to_string()))?;
        let mut rows = vec![row![""]];
        let properties = columns.first().into_iter().flat_map(|column| &column.cells);
        rows[0].extend(properties.map(|(property, _)| property.to_string()));
        rows.extend(columns.into_iter().map(|Column { name, cells }| {
            let mut row = row![name];
            row.extend(cells.into_iter().map(|(_, text)| text));
            row
        }));
        Ok(table::plain(&rows))
    }
}
