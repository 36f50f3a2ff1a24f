//! `scenarios`: what comes with the program.

use anyhow::Result;
use clap::Args;
use connmgr_sim::RunVerdict;
use connmgr_sim::scenario::catalogue;

use super::{say, source, table};

/// List the scenarios that come with the program, or print one as TOML.
#[derive(Debug, Args)]
pub(super) struct CatalogueArgs {
    /// Print this one; `random:7` is the random world of seed 7
    name: Option<String>,
}

impl CatalogueArgs {
    pub(super) fn perform(self) -> Result<RunVerdict> {
        if let Some(name) = self.name {
            say::text(&source::scenario(&name)?.to_toml());
            return Ok(RunVerdict::Kept);
        }
        let scenarios = catalogue::names().chain(catalogue::large()).filter_map(catalogue::find);
        let rows = scenarios.map(|scenario| vec![scenario.name, scenario.about]);
        say::text(&table::plain(&rows.collect::<Vec<_>>()));
        Ok(RunVerdict::Kept)
    }
}
