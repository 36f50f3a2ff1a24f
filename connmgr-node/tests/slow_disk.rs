//! On a slow disk only the start of the node is slow.

#![cfg(unix)]

#[macro_use]
mod support;

use std::fs::File;
use std::process::Command;
use std::thread;
use std::time::Duration;

use support::Runtime;
use support::program::Program;

on_each_runtime! {
    the_wait_for_a_retry_does_not_count_the_start,
}

/// The first wait is at most 5 s, and at least half of that.
const SLOW: Duration = Duration::from_secs(4);

async fn the_wait_for_a_retry_does_not_count_the_start(runtime: Runtime) {
    let dir = tempfile::tempdir().expect("a directory");
    // Whoever opens a pipe to write waits for who reads it.
    let lock = dir.path().join("lock");
    assert!(Command::new("mkfifo").arg(&lock).status().expect("mkfifo").success());
    let mut program =
        Program::start(runtime, &format!("--chain regtest --connect 127.0.0.1:1 --state-dir {}", dir.path().display()));
    let disk = thread::spawn(move || {
        thread::sleep(SLOW);
        File::open(lock).expect("the node has it open")
    });
    let said = program.hear_text("retry p1 in ").await;
    let seconds = said.split_whitespace().nth(3).and_then(|word| word.parse::<f64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 1.5), "{said}");
    disk.join().expect("it was opened");
}
