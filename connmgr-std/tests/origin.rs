//! What a manager is born of.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod common;

use std::fs;

use common::snapshot;
use connmgr_core::driver::Observer;
use connmgr_core::{Config, ConnManager, Input, ListenerId, Permissions};
use connmgr_std::{Newborn, Origin, StartError, StateDir, TraceReader, replay};

#[test]
fn it_is_born_with_its_state_and_as_its_trace_says() {
    let dir = tempfile::tempdir().unwrap();
    let (state, trace) = (dir.path().join("state"), dir.path().join("trace"));
    StateDir::open(&state).unwrap().0.save(&snapshot()).unwrap();
    let origin = Origin { state_dir: Some(state), trace: Some(trace.clone()), ..Origin::new(Config::default()) };
    let Newborn { manager, mut watch, clock, state_dir, damages } = origin.bear().unwrap();
    watch.flush();
    assert!(state_dir.is_some() && damages.is_empty());
    assert_eq!(manager.bans().len(), snapshot().bans.iter().filter(|ban| ban.until > clock.unix()).count());
    let trace = TraceReader::open(&trace).unwrap();
    assert_eq!(trace.birth().snapshot, Some(snapshot()));
    replay::<ConnManager>(trace).expect("the same birth");
}

#[test]
fn a_configuration_that_makes_no_sense_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let mut origin = Origin { state_dir: Some(state.clone()), ..Origin::new(Config::default()) };
    origin.config.score.max_hosts = 0;
    assert!(matches!(origin.bear(), Err(StartError::Config(_))));
    assert!(!state.exists());
}

#[test]
fn an_earlier_trace_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    fs::write(&trace, "precious").unwrap();
    let born = Origin { trace: Some(trace.clone()), ..Origin::new(Config::default()) }.bear();
    assert!(matches!(born, Err(StartError::Trace { .. })), "{born:?}");
    assert_eq!(fs::read_to_string(trace).unwrap(), "precious");
}

#[test]
fn a_trace_of_nothing_is_removed_so_that_the_next_start_may_write_one() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let origin = Origin { trace: Some(trace.clone()), ..Origin::new(Config::default()) };
    // As if a start had failed after it.
    drop(origin.clone().bear().unwrap());
    assert!(!trace.exists());
    let Newborn { mut manager, mut watch, clock, .. } = origin.bear().unwrap();
    let now = clock.now();
    let reply = manager.apply(&Input::Timeout, now);
    watch.input(now, &Input::Timeout, &reply);
    drop(watch);
    replay::<ConnManager>(TraceReader::open(&trace).unwrap()).expect("a trace of something stays");
}

#[test]
fn listeners_are_numbered_in_order() {
    let mut origin = Origin::new(Config::default());
    let ids = [(); 3].map(|()| origin.add_listener(None, Permissions::default()));
    assert_eq!(ids, [0, 1, 2].map(ListenerId));
    origin.check().expect("three listeners");
}

#[test]
fn the_seed_is_not_shown() {
    let origin = Origin { rng_seed: Some([42; 32]), ..Origin::new(Config::default()) };
    assert!(!format!("{origin:?}").contains("42, 42"));
}
