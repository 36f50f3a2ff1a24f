//! `replay`: a real node's trace, run again.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use connmgr_core::ConnManager;
use connmgr_sim::{Verdict, report};
use connmgr_std::{ReplayError, TraceReader};

use super::{usage, write};

/// Run a real node's trace again, and compare every answer and action.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// What `connmgr-node --trace FILE` or an adapter wrote
    trace: PathBuf,
    /// Write a page on it into this file: HTML that needs nothing else
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Replay {
    pub(super) fn perform(self) -> Result<Verdict> {
        let again = format!("connmgr-sim replay {}", self.trace.display());
        println!("{again}");
        let difference = match connmgr_std::replay::<ConnManager>(open(&self.trace)?) {
            Ok(summary) => {
                println!("{} inputs and {} actions, byte for byte", summary.inputs, summary.actions);
                None
            }
            Err(error @ (ReplayError::Reply { .. } | ReplayError::Action { .. })) => {
                println!("FAILED  {error}");
                Some(error.to_string())
            }
            Err(error @ (ReplayError::Trace(_) | ReplayError::Config(_))) => return Err(usage(error.to_string())),
        };
        if let Some(path) = &self.report {
            let name = self.trace.display().to_string();
            write(path, &report::trace(&name, open(&self.trace)?, difference.as_deref(), &again)?)?;
        }
        Ok(if difference.is_some() { Verdict::NonDeterminism } else { Verdict::Kept })
    }
}

fn open(path: &Path) -> Result<TraceReader<impl std::io::BufRead>> {
    TraceReader::open(path).map_err(|error| usage(format!("{}: {error}", path.display())))
}
