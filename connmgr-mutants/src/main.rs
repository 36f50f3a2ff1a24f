//! Breaks the core on purpose, and shows which layer of tests notices, and how fast.
//!
//! A mutant is a named patch with one realistic mistake. The command copies the workspace, applies the patch to the copy,
//! builds, and runs one layer of tests after another until one fails. It does not change the workspace.

mod copy;
mod layer;
mod matrix;
mod mutant;
mod trial;
mod watched;

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};

use layer::Layer;
use mutant::Mutant;
use trial::Bench;

/// Proves that the tests can fail: breaks the core on purpose, and shows which layer of tests notices.
///
/// Exit codes: 0 every mutant was killed; 1 one survives; 2 anything else.
#[derive(Debug, Parser)]
#[command(name = "connmgr-mutants")]
struct MutantsArguments {
    #[command(subcommand)]
    command: MutantsCommand,
}

#[derive(Debug, Subcommand)]
enum MutantsCommand {
    /// List the mutants and their mistakes
    List,
    /// Try mutants, and show what kills them
    Run(RunArguments),
}

#[derive(Debug, Args)]
struct RunArguments {
    /// The mutants to try
    #[arg(required_unless_present_any = ["all", "rotate"], conflicts_with_all = ["all", "rotate"])]
    names: Vec<String>,
    /// Try every mutant
    #[arg(long, conflicts_with = "rotate")]
    all: bool,
    /// Try this many of them, others each day
    #[arg(long, value_name = "N", requires = "of_day")]
    rotate: Option<usize>,
    /// The number of the day: any number that counts up
    #[arg(long, value_name = "D")]
    of_day: Option<usize>,
    /// The layers to run, in this order [default: all, the quickest first]
    #[arg(long, value_name = "LAYER", value_delimiter = ',')]
    layers: Vec<Layer>,
    /// Run every layer, even after one has killed the mutant
    #[arg(long)]
    all_layers: bool,
    /// First run the layers on a copy that is not broken: a layer that fails there proves nothing
    #[arg(long)]
    unharmed: bool,
    /// Print the matrix as Markdown, without the names of what failed
    #[arg(long)]
    markdown: bool,
}

fn main() -> ExitCode {
    match perform(MutantsArguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("connmgr-mutants: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn perform(command: MutantsCommand) -> Result<ExitCode> {
    match command {
        MutantsCommand::List => {
            for mutant in mutant::all(&mutants())? {
                writeln!(stdout(), "{}\n    {}", mutant.name, mutant.about.replace('\n', "\n    "))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        MutantsCommand::Run(run) => run.perform(),
    }
}

impl RunArguments {
    fn perform(self) -> Result<ExitCode> {
        let chosen = self.choose(mutant::all(&mutants())?)?;
        let layers = if self.layers.is_empty() { Layer::ALL.to_vec() } else { self.layers };
        let bench = Bench::new(workspace()?, layers, self.all_layers);
        if self.unharmed {
            bench.check_unharmed()?;
        }
        let trials = chosen.iter().map(|mutant| bench.attempt(mutant)).collect::<Result<Vec<_>>>()?;
        write!(stdout(), "\n{}", matrix::text(&trials, self.markdown))?;
        let survivors = trials.iter().filter(|trial| !trial.is_killed()).count();
        writeln!(stdout(), "\n{} of {} mutants killed", trials.len() - survivors, trials.len())?;
        Ok(ExitCode::from(u8::from(survivors > 0)))
    }

    fn choose(&self, all: Vec<Mutant>) -> Result<Vec<Mutant>> {
        match (self.rotate, self.of_day) {
            (Some(count), Some(day)) => Ok(mutant::rotation(all, count, day)),
            (Some(_) | None, _) if self.all => Ok(all),
            (Some(_) | None, _) => self.names.iter().map(|name| find(&all, name)).collect(),
        }
    }
}

fn find(all: &[Mutant], name: &str) -> Result<Mutant> {
    let Some(mutant) = all.iter().find(|mutant| mutant.name == name) else {
        bail!("there is no mutant `{name}`; `list` shows them");
    };
    Ok(mutant.clone())
}

/// The directory of the patches.
fn mutants() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants")
}

fn workspace() -> Result<PathBuf> {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the crate is in a workspace")?;
    Ok(parent.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        MutantsArguments::command().debug_assert();
    }
}
