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
use connmgr_sim::Verdict;

/// Runs nodes in a hostile network that is all made up, in virtual time.
///
/// Exit codes: 0 every promise was kept; 10 safety (a panic among it); 11 liveness; 12 the same run went two ways;
/// 13 a state that was promised was never reached; 14 a figure is out of bounds; 2 a wrong command line; 1 anything
/// else, such as a file that can't be written.
#[derive(Debug, Parser)]
#[command(name = "connmgr-sim", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario once
    Run(run::Run),
    /// Run many seeds of many scenarios, on every core
    Campaign(campaign::Campaign),
    /// Put the results of a campaign's shards together, and judge the whole
    Merge(campaign::Merge),
    /// Run a seed, a saved failure or a recorded trace again
    Replay(replay::Replay),
    /// Make a failure small, and write a regression test
    Shrink(shrink::Shrink),
    /// Show two runs side by side, and where they part
    Diff(diff::Diff),
    /// Run scenarios under our policy and under models of two others
    Compare(compare::Compare),
    /// Judge whether ours is worse than plain policies in a world, and show the figures of all
    Rivals(rivals::Rivals),
    /// Run a scenario at several values of a parameter: a table, and a picture
    Sweep(sweep::Sweep),
    /// Try the program itself: determinism, and a failure that must be found
    SelfTest(self_test::SelfTest),
    /// List the scenarios that come with the program, or print one as TOML
    Scenarios(catalogue::Catalogue),
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
    match perform(Arguments::parse().command) {
        Ok(verdict) => ExitCode::from(verdict.exit_code()),
        Err(error) => {
            eprintln!("connmgr-sim: {error:#}");
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

fn perform(command: Command) -> Result<Verdict> {
    match command {
        Command::Run(run) => run.perform(),
        Command::Campaign(campaign) => campaign.perform(),
        Command::Merge(merge) => merge.perform(),
        Command::Replay(replay) => replay.perform(),
        Command::Shrink(shrink) => shrink.perform(),
        Command::Diff(diff) => diff.perform(),
        Command::SelfTest(test) => test.perform(),
        Command::Compare(compare) => compare.perform(),
        Command::Rivals(rivals) => rivals.perform(),
        Command::Sweep(sweep) => sweep.perform(),
        Command::Scenarios(catalogue) => catalogue.perform(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_tells_every_exit_code() {
        let help = Arguments::command().render_long_help().to_string();
        for verdict in
            [Verdict::Safety, Verdict::Liveness, Verdict::NonDeterminism, Verdict::MissedProbe, Verdict::Threshold]
        {
            assert!(help.contains(&format!("{} ", verdict.exit_code())), "{verdict}");
        }
    }
}
