//! What outlives a pool, and what stands in its way.

use std::fs;
use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{Action, BanTarget, ConnManager, Host, Input};
use connmgr_mio::{PoolEvent, Problem, StartError, StateError};
use connmgr_std::{Line, TraceReader, replay};
use mio::Poll;

use crate::support::{ANY_PORT, PATIENCE, POOL, World, builder, config, peer};

const BANNED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

fn target() -> BanTarget {
    BanTarget::Host(Host::from(BANNED))
}

fn start_error(builder: connmgr_mio::Builder) -> StartError {
    builder.start(Poll::new().expect("a poll").registry(), POOL).expect_err("something is wrong")
}

#[test]
fn a_ban_outlives_the_pool() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start(builder(config()).state_dir(dir.path()));
    world.pool.ban(target(), Duration::from_secs(3600)).unwrap();
    let problems = world.shutdown();
    assert!(problems.is_empty(), "{problems:?}");
    // The directory is free by now, though the pool is not dropped.
    let again = World::start(builder(config()).state_dir(dir.path()));
    assert_eq!(again.pool.bans()[0].target, target());
}

#[test]
fn a_ban_outlives_a_pool_that_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start(builder(config()).state_dir(dir.path()));
    world.pool.ban(target(), Duration::from_secs(3600)).unwrap();
    drop(world);
    // A thread goes on writing.
    let start = Instant::now();
    let again = std::iter::repeat_with(|| {
        thread::yield_now();
        builder(config()).state_dir(dir.path()).start(Poll::new().unwrap().registry(), POOL)
    });
    let again = again.take_while(|_| start.elapsed() < PATIENCE).find_map(Result::ok);
    assert_eq!(again.expect("the directory is free").bans()[0].target, target());
}

#[test]
fn a_disk_that_fails_is_a_problem_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut world = World::start(builder(config()).state_dir(&path));
    fs::remove_dir_all(&path).unwrap();
    world.pool.ban(target(), Duration::from_secs(3600)).unwrap();
    let problems = world.shutdown();
    assert!(problems.iter().any(|problem| matches!(problem, Problem::NotSaved(_))), "{problems:?}");
}

#[test]
fn a_damaged_file_is_told_of_and_the_pool_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bans.json"), "{ no bans").unwrap();
    let mut world = World::start(builder(config()).state_dir(dir.path()));
    let damage = world.event("Problem", |event| match event {
        PoolEvent::Problem(Problem::Damaged(damage)) => Some(damage),
        _ => None,
    });
    assert_eq!(fs::read_to_string(damage.set_aside).unwrap(), "{ no bans");
    assert!(world.pool.bans().is_empty());
}

#[test]
fn two_pools_do_not_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let _first = World::start(builder(config()).state_dir(dir.path()));
    let second = start_error(builder(config()).state_dir(dir.path()));
    assert!(matches!(second, StartError::State(StateError::Locked { .. })), "{second:?}");
}

#[test]
fn a_start_that_failed_may_be_tried_again_on_the_same_poll() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = World::start(builder(config()).state_dir(dir.path()));
    let poll = Poll::new().unwrap();
    builder(config()).state_dir(dir.path()).start(poll.registry(), POOL).unwrap_err();
    first.shutdown();
    builder(config()).state_dir(dir.path()).start(poll.registry(), POOL).unwrap();
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (_listener, address) = peer();
    // Both set SO_REUSEADDR, which does not let two listen.
    let error = start_error(builder(config()).listen(address));
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused_by_field() {
    let mut config = config();
    config.score.max_hosts = 0;
    let error = start_error(builder(config));
    assert!(error.to_string().contains("score.max_hosts"), "{error}");
}

#[test]
fn a_range_of_tokens_that_is_too_short_is_refused() {
    let builder = builder(config()).listen(ANY_PORT.into());
    let error = builder.start(Poll::new().unwrap().registry(), 7..8).unwrap_err();
    assert!(error.to_string().contains("tokens"), "{error}");
}

#[test]
fn a_trace_tells_the_whole_run_and_runs_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trace");
    let (_listener, address) = peer();
    let mut world = World::start(builder(config()).trace(&path));
    world.add(address);
    let ours = world.connected().conn;
    world.pool.release(ours);
    world.connected();
    let problems = world.shutdown();
    assert!(problems.is_empty(), "{problems:?}");
    let _again = start_error(builder(config()).trace(&path));
    let replayed = replay::<ConnManager>(TraceReader::open(&path).unwrap()).expect("the same run again");
    let lines: Vec<Line> = TraceReader::open(&path).unwrap().map(Result::unwrap).collect();
    let count = |wanted: fn(&Line) -> bool| lines.iter().filter(|line| wanted(line)).count();
    assert!(replayed.inputs > 0 && replayed.actions > 0);
    assert_eq!(count(|line| matches!(line, Line::Step { input: Input::AddPeer { .. }, .. })), 1);
    assert_eq!(count(|line| matches!(line, Line::Action(Action::Dial { .. }))), 2);
    assert_eq!(count(|line| matches!(line, Line::Step { input: Input::Shutdown, .. })), 1);
}
