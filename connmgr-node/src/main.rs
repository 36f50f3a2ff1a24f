//! The command `connmgr-node`: see `--help`.

use std::io::stdout;
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use connmgr_node::cli::Options;
use connmgr_node::node::{self, NodeOutcome, RunEnd};
use connmgr_node::rerun::rerun;
use connmgr_node::stop::Stop;

/// How long a start may go on after a signal.
const START_PATIENCE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(NodeOutcome::Good) => ExitCode::SUCCESS,
        Ok(NodeOutcome::Short) => {
            eprintln!("error: the target was never reached");
            ExitCode::FAILURE
        }
        Ok(NodeOutcome::StateLost) => {
            eprintln!("error: the state is not saved");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<NodeOutcome> {
    if let Some(trace) = &options.replay {
        let rerun = rerun(trace)?;
        if options.json {
            println!("{}", rerun.to_json());
        } else {
            println!("{rerun}");
        }
        return Ok(NodeOutcome::Good);
    }
    // Set before the start, so that a signal during the start also ends the run.
    let stop = Stop::default();
    stop_when_interrupted(stop.clone()).context("signals can't be caught")?;
    let RunEnd { outcome, is_told } = node::run(options, stdout(), stop)?;
    if !is_told {
        eprintln!("warning: nobody reads the report; its end is lost");
    }
    Ok(outcome)
}

/// Stops the node at Ctrl-C and, on Unix, at SIGTERM.
///
/// A thread with tokio catches the signals whatever the node runs on: mio has none, and smol not on every system.
fn stop_when_interrupted(stop: Stop) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let interrupted = {
        let _inside = runtime.enter();
        interrupted()?
    };
    let wait = move || {
        runtime.block_on(interrupted);
        stop.stop();
        // The disk may be slow. A node that has not started has nothing to save.
        thread::sleep(START_PATIENCE);
        if !stop.is_attended() {
            eprintln!("error: stopped while it was starting");
            process::exit(1);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(())
}

/// Ready at Ctrl-C or SIGTERM.
#[cfg(unix)]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}

/// Ready at Ctrl-C.
#[cfg(not(unix))]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // It fails only where there are no signals.
        let _ = tokio::signal::ctrl_c().await;
    })
}
