//! The command `connmgr-node`: see `--help`.

use std::io::stdout;
use std::process::ExitCode;
use std::thread;

use anyhow::{Context, Result};
use connmgr_node::cli::Options;
use connmgr_node::node::{self, Ended, Outcome};
use connmgr_node::rerun::rerun;
use connmgr_node::stop::Stop;

fn main() -> ExitCode {
    match run(&Options::parse()) {
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

fn run(options: &Options) -> Result<Outcome> {
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
    let stop = Stop::default();
    stop_when_interrupted(stop.clone()).context("signals can't be caught")?;
    let Ended { outcome, is_told } = node::run(options, stdout(), stop)?;
    if !is_told {
        eprintln!("warning: nobody reads the report; its end is lost");
    }
    Ok(outcome)
}

/// Has the node told to stop at Ctrl-C, and where there are others, at the signal that asks a process to end.
///
/// tokio catches them on a thread of its own, whatever the node runs on: mio has no signals, and smol not everywhere.
fn stop_when_interrupted(stop: Stop) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let interrupted = {
        let _inside = runtime.enter();
        interrupted()?
    };
    let wait = move || {
        runtime.block_on(interrupted);
        stop.stop();
    };
    thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(())
}

/// Ready at Ctrl-C or at a request to end.
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
        // It fails only where there are no signals; then nobody waits for one.
        let _ = tokio::signal::ctrl_c().await;
    })
}
