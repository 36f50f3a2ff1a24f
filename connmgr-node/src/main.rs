//! The command `connmgr-node`: see `--help`.

use std::fmt;
use std::io::{Write, stderr, stdout};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use connmgr_node::cli::Options;
use connmgr_node::node::{self, NodeOutcome, RunEnd};
use connmgr_node::report::ReportEnd;
use connmgr_node::rerun::rerun;
use connmgr_node::stop::Stop;

/// How long a start may go on after a signal.
const START_PATIENCE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let options = match Options::try_parse(std::env::args_os()) {
        Ok(options) => options,
        Err(said) => return say(&said),
    };
    match run(&options) {
        Ok(NodeOutcome::Good) => ExitCode::SUCCESS,
        Ok(NodeOutcome::Short) => {
            complain("error: the target was never reached");
            ExitCode::FAILURE
        }
        Ok(NodeOutcome::StateLost) => {
            complain("error: the state is not saved");
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes the help that was asked for, or what is wrong with the command line.
fn say(said: &clap::Error) -> ExitCode {
    match said.print() {
        Err(error) if !said.use_stderr() => {
            complain(format_args!("error: the output can't be written: {error}"));
            ExitCode::FAILURE
        }
        Ok(()) | Err(_) => u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from),
    }
}

/// Writes a line to standard error, if it can be written: `eprintln!` would panic.
fn complain(text: impl fmt::Display) {
    let _unheard = writeln!(stderr(), "{text}");
}

fn run(options: &Options) -> Result<NodeOutcome> {
    if let Some(trace) = &options.replay {
        let rerun = rerun(trace, options.asmap.as_deref())?;
        let written =
            if options.json { writeln!(stdout(), "{}", rerun.to_json()) } else { writeln!(stdout(), "{rerun}") };
        written.and_then(|()| stdout().flush()).context("the result of the replay can't be written")?;
        return Ok(NodeOutcome::Good);
    }
    // Set before the start, so that a signal during the start also ends the run.
    let stop = Stop::default();
    stop_when_interrupted(stop.clone()).context("signals can't be caught")?;
    let RunEnd { outcome, report } = node::run(options, stdout(), stop)?;
    match report {
        ReportEnd::Written => {}
        ReportEnd::Unread => complain("warning: nobody reads the report; its end is lost"),
        ReportEnd::Failed(error) => complain(format_args!("warning: the report could not be written: {error}")),
    }
    Ok(outcome)
}

/// Stops the node at Ctrl-C and, on Unix, at SIGTERM and SIGHUP (unless `nohup` has it ignored).
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
            complain("error: stopped while it was starting");
            process::exit(1);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(())
}

/// Ready at Ctrl-C, SIGTERM or SIGHUP.
#[cfg(unix)]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    // The terminal is closed: state is saved as at any other end.
    let mut hangup = if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
    let hung_up = async move {
        match &mut hangup {
            Some(hangup) => hangup.recv().await,
            None => std::future::pending().await,
        }
    };
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {}, _ = hung_up => {} }
    })
}

/// Whether who started us wants us to outlive the terminal. Known on Linux alone.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A bit for each signal, the lowest for number 1, which is SIGHUP.
    ignored.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).is_some_and(|bits| bits & 1 == 1)
}

/// Ready at Ctrl-C.
#[cfg(not(unix))]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // It fails only where there are no signals.
        let _ = tokio::signal::ctrl_c().await;
    })
}
