//! On a slow disk only the start of the node is slow, and the node can be stopped all the same. On a bad one, the end is no
//! success.

#![cfg(target_os = "linux")]

#[macro_use]
mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use connmgr_std::StateDir;
use support::Runtime;
use support::program::Program;

on_each_runtime! {
    the_wait_for_a_retry_does_not_count_the_start,
    a_signal_ends_a_start_that_hangs,
    a_state_that_is_not_saved_at_the_end_is_no_success,
}

/// The first wait is at most 5 s, and at least half of that.
const SLOW: u32 = 4;

/// Has everybody wait who opens this file, for so many seconds: takes a lease on it (`F_SETLEASE`, `F_WRLCK`), and does not
/// give it up when the system asks. Killed when dropped.
struct Lease(Child);

impl Lease {
    fn take(path: &Path, seconds: u32) -> Self {
        const TAKE: &str = r#"$| = 1; $SIG{IO} = "IGNORE"; open(F, "+<", $ARGV[0]) or die; fcntl(F, 1024, 1) or die;
                              print "taken\n"; select(undef, undef, undef, $ARGV[1])"#;
        let mut perl = Command::new("perl");
        perl.args(["-e", TAKE]).arg(path).arg(seconds.to_string()).stdout(Stdio::piped());
        let mut child = perl.spawn().expect("perl");
        let mut said = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("text");
        assert_eq!(said, "taken\n");
        Self(child)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(runtime: Runtime, state: &Path) -> Program {
    Program::start(runtime, &format!("--chain regtest --connect 127.0.0.1:1 --state-dir {}", state.display()))
}

async fn the_wait_for_a_retry_does_not_count_the_start(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    drop(StateDir::open(dir.path()).expect("it is ours"));
    let _lease = Lease::take(&dir.path().join("lock"), SLOW);
    let started = Instant::now();
    let said = start(runtime, dir.path()).hear_text("retry p1 in ").await;
    assert!(started.elapsed() > Duration::from_secs(2), "the disk is slow");
    let seconds = said.split_whitespace().nth(3).and_then(|word| word.parse::<f64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 1.5), "{said}");
}

async fn a_signal_ends_a_start_that_hangs(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    drop(StateDir::open(dir.path()).expect("it is ours"));
    let _lease = Lease::take(&dir.path().join("lock"), 40);
    let program = start(runtime, dir.path());
    // Signals are caught by a thread of this name; before it is there, a signal ends the process anyway.
    support::program::has_thread(program.pid(), "signals").await;
    program.interrupt();
    let ended = program.end().await;
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "error: stopped while it was starting\n"));
}

async fn a_state_that_is_not_saved_at_the_end_is_no_success(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    let state = dir.path().join("state");
    let mut program = start(runtime, &state);
    program.hear_text("retry p1 in ").await;
    fs::remove_dir_all(&state).expect("it is ours");
    fs::write(&state, "in the way").expect("it is ours");
    program.interrupt();
    let ended = program.end().await;
    assert_eq!((ended.code, ended.errors.as_str()), (Some(1), "error: the state is not saved\n"));
    let is_told = |line: &serde_json::Value| line["text"].as_str().is_some_and(|text| text.contains("is lost: "));
    assert!(ended.lines.iter().any(is_told), "{:?}", ended.lines);
}
