//! The command `connmgr-node`: see `--help`.

use std::io::stdout;
use std::process::ExitCode;

use anyhow::{Context, Result};
use connmgr_node::cli::Options;
use connmgr_node::node::{Node, Outcome};
use connmgr_node::rerun::rerun;
use connmgr_node::setup;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Options::parse()).await {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Short) => {
            eprintln!("error: the target was never reached");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<Outcome> {
    if let Some(trace) = &options.replay {
        let rerun = rerun(trace)?;
        if options.json {
            println!("{}", rerun.to_json());
        } else {
            println!("{rerun}");
        }
        return Ok(Outcome::Good);
    }
    // Caught from the very start: a signal during the start ends the run in order, too.
    let stop = interrupted()?;
    Node::start(options, stdout()).await?.run(setup::run_for(options), stop).await
}

/// Ready at Ctrl-C, and where there are others, at the signal that asks a process to end.
#[cfg(unix)]
fn interrupted() -> Result<impl Future<Output = Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let catch = |kind| signal(kind).context("signals can't be caught");
    let (mut interrupt, mut terminate) = (catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        Ok(())
    })
}

/// Ready at Ctrl-C.
#[cfg(not(unix))]
fn interrupted() -> Result<impl Future<Output = Result<()>>> {
    Ok(async { tokio::signal::ctrl_c().await.context("Ctrl-C can't be caught") })
}
