//! The command line: what is asked for, read and checked; each command in a file of its own.
//!
//! The first line of every answer holds the seed and the command that gives the same answer again.

#[macro_use]
mod say;

mod again;
mod campaign;
mod catalogue;
mod compare;
mod diff;
mod progress;
mod replay;
mod rivals;
mod run;
mod self_test;
mod shrink;
mod source;
mod sweep;
mod table;
mod view;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use connmgr_sim::RunVerdict;

/// Runs nodes in a hostile network that is all made up, in virtual time.
///
/// Exit codes: 0 every promise was kept; 10 safety (a panic among it); 11 liveness; 12 the same run went two ways;
/// 13 a state that was promised was never reached; 14 a figure is out of bounds; 2 a wrong command line; 1 anything
/// else, such as a file that can't be written.
#[derive(Debug, Parser)]
#[command(name = "connmgr-sim", version)]
struct SimArguments {
    #[command(subcommand)]
    command: SimCommand,
}

#[derive(Debug, Subcommand)]
enum SimCommand {
    Run(run::RunArgs),
    Campaign(campaign::CampaignArgs),
    Merge(campaign::MergeArgs),
    Replay(replay::ReplayArgs),
    Shrink(shrink::ShrinkArgs),
    Diff(diff::DiffArgs),
    Compare(compare::CompareArgs),
    Rivals(rivals::RivalsArgs),
    Sweep(sweep::SweepArgs),
    SelfTest(self_test::SelfTestArgs),
    Scenarios(catalogue::CatalogueArgs),
}

/// A mistake on the command line, or in a file it names.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn usage(what: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Usage(what.into()))
}

/// Writes a file.
fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// Reads the command line and does what it says.
pub(crate) fn main() -> ExitCode {
    match perform(SimArguments::parse().command) {
        Ok(verdict) => ExitCode::from(verdict.exit_code()),
        Err(error) => {
            eprintln!("connmgr-sim: {error:#}");
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

fn perform(command: SimCommand) -> Result<RunVerdict> {
    match command {
        SimCommand::Run(run) => run.perform(),
        SimCommand::Campaign(campaign) => campaign.perform(),
        SimCommand::Merge(merge) => merge.perform(),
        SimCommand::Replay(replay) => replay.perform(),
        SimCommand::Shrink(shrink) => shrink.perform(),
        SimCommand::Diff(diff) => diff.perform(),
        SimCommand::SelfTest(test) => test.perform(),
        SimCommand::Compare(compare) => compare.perform(),
        SimCommand::Rivals(rivals) => rivals.perform(),
        SimCommand::Sweep(sweep) => sweep.perform(),
        SimCommand::Scenarios(catalogue) => catalogue.perform(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        SimArguments::command().debug_assert();
    }

    #[test]
    fn the_help_tells_every_exit_code() {
        let help = SimArguments::command().render_long_help().to_string();
        for verdict in [
            RunVerdict::Safety,
            RunVerdict::Liveness,
            RunVerdict::NonDeterminism,
            RunVerdict::MissedProbe,
            RunVerdict::Threshold,
        ] {
            assert!(help.contains(&format!("{} ", verdict.exit_code())), "{verdict}");
        }
    }
}
