//! The start of a manager.

use std::fs;

use connmgr_core::driver::Observer;
use connmgr_core::{Config, Input, ListenerId, Permissions};

use super::{StartError, Started, Startup};
use crate::state::StateDir;
use crate::tests::common::snapshot;
use crate::trace::{TraceReader, replay};

#[test]
fn it_starts_with_its_state_and_as_its_trace_says() {
    let dir = tempfile::tempdir().unwrap();
    let (state, trace) = (dir.path().join("state"), dir.path().join("trace"));
    StateDir::open(&state).unwrap().0.save(&snapshot()).unwrap();
    let startup = Startup { state_dir: Some(state), trace: Some(trace.clone()), ..Startup::new(Config::default()) };
    let Started { manager, mut watch, clock, state_dir, damages, .. } = startup.start().unwrap();
    watch.flush();
    assert!(state_dir.is_some() && damages.is_empty());
    assert_eq!(manager.bans().len(), snapshot().bans.iter().filter(|ban| ban.until > clock.unix()).count());
    let trace = TraceReader::open(&trace).unwrap();
    assert_eq!(trace.birth().snapshot, Some(snapshot()));
    replay(trace, None, &mut ()).expect("the same birth");
}

#[test]
fn a_configuration_that_makes_no_sense_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let mut startup = Startup { state_dir: Some(state.clone()), ..Startup::new(Config::default()) };
    startup.config.score.max_hosts = 0;
    assert!(matches!(startup.start(), Err(StartError::Config(_))));
    assert!(!state.exists());
}

#[test]
fn an_earlier_trace_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    fs::write(&trace, "precious").unwrap();
    let started = Startup { trace: Some(trace.clone()), ..Startup::new(Config::default()) }.start();
    assert!(matches!(started, Err(StartError::Trace { .. })), "{started:?}");
    assert_eq!(fs::read_to_string(trace).unwrap(), "precious");
}

#[test]
fn a_trace_of_nothing_is_removed_so_that_the_next_start_may_write_one() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let startup = Startup { trace: Some(trace.clone()), ..Startup::new(Config::default()) };
    // As if a start had failed after it.
    drop(startup.clone().start().unwrap());
    assert!(!trace.exists());
    let Started { mut manager, mut watch, clock, .. } = startup.start().unwrap();
    let now = clock.now();
    let reply = manager.apply(&Input::Timeout, now);
    watch.input(now, &Input::Timeout, &reply);
    drop(watch);
    replay(TraceReader::open(&trace).unwrap(), None, &mut ()).expect("a trace of something stays");
}

#[test]
fn listeners_are_numbered_in_order() {
    let mut startup = Startup::new(Config::default());
    let ids = [(); 3].map(|()| startup.add_listener(None, Permissions::default()));
    assert_eq!(ids, [0, 1, 2].map(ListenerId));
    startup.check().expect("three listeners");
}

#[test]
fn the_seed_is_not_shown() {
    let startup = Startup { rng_seed: Some([42; 32]), ..Startup::new(Config::default()) };
    assert!(!format!("{startup:?}").contains("42, 42"));
}
