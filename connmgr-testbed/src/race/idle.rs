//! Checks that a full pool does not wake when nothing happens.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{RaceTrial, Racer};
use crate::process;

/// How long a pool is watched.
const WATCHED: Duration = Duration::from_secs(5);

/// How long to wait after the pool is full.
const SETTLES_WITHIN: Duration = Duration::from_secs(1);

/// Fills a pool, and counts and prints how often its threads wake. Returns whether they never do.
pub(super) fn print(racer: impl Racer, trial: RaceTrial) -> bool {
    let racer = Arc::new(racer);
    let (full, filled) = channel();
    thread::spawn(move || racer.hold(trial, full));
    filled.recv().expect("the pool fills");
    thread::sleep(SETTLES_WITHIN);
    let (sleeps, cpu) = (process::sleeps_of_others(), process::cpu());
    thread::sleep(WATCHED);
    let (sleeps, cpu) = (process::sleeps_of_others() - sleeps, process::cpu() - cpu);
    println!("\n{} connections held for {WATCHED:?}, no deadline: {sleeps} wake-ups, {cpu:?} of CPU.", super::HELD);
    sleeps == 0
}
