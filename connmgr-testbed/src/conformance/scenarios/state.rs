//! The state on disk.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::{Action, AddressInfo, BanTarget, Config, Host, Input, Limits, Mode, PeerAddress, Reply, Services};
use connmgr_std::adapter::Clock;
use connmgr_std::{Line as TraceLine, PoolEvent, Problem, StartError, StateError, TraceReader};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::TestPeer;

fn target() -> BanTarget {
    BanTarget::Host(Host::from(Ipv4Addr::new(192, 0, 2, 7)))
}

fn a_ban() -> Input {
    Input::Ban { target: target(), duration: Duration::from_secs(3600) }
}

fn bans<R: Rig>(world: &mut TestWorld<R>) -> Vec<BanTarget> {
    world.pool.bans().into_iter().map(|ban| ban.target).collect()
}

/// The ban is there again at the next start.
pub fn a_ban_outlives_the_pool<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(config()).with_state_in(dir.path());
    let mut world = TestWorld::start(rig, setup.clone());
    world.bid(a_ban());
    world.end();
    let mut world = TestWorld::start(rig, setup);
    assert_eq!(bans(&mut world), [target()]);
    world.end();
}

/// A pool that is dropped without a shutdown saves all the same.
pub fn a_ban_outlives_a_pool_that_is_dropped<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(config()).with_state_in(dir.path());
    let mut world = TestWorld::start(rig, setup.clone());
    world.bid(a_ban());
    drop(world.pool.abandon());
    let mut again = TestWorld::start_when_free(rig, &setup);
    assert_eq!(bans(&mut again), [target()]);
    again.end();
}

/// The addresses are in the book again at the next start.
pub fn addresses_outlive_the_pool<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    // A book from which nothing is dialed.
    let mut config = Config { mode: Mode::Automatic, ..config() };
    config.limits = Limits { full: 0, addr_fetch: 0, ..config.limits };
    let setup = Setup::new(config).with_state_in(dir.path());
    let last_seen = Clock::start().unix();
    let known = (1..=200).map(|group| {
        AddressInfo::new(PeerAddress::from(SocketAddr::from(([group, 2, 3, 4], 8333))))
            .services(Services::NETWORK)
            .last_seen(last_seen)
    });
    let mut world = TestWorld::start(rig, setup.clone());
    world.pool.learn(known.collect());
    world.end();
    let mut world = TestWorld::start(rig, setup);
    let Reply::Addresses(found) = world.ask(Input::SampleAddresses { network: None, count: 10 }) else {
        panic!("no addresses")
    };
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|info| info.address.to_string().ends_with(".2.3.4:8333")), "{found:?}");
    world.end();
}

/// The shutdown returns that state is lost.
pub fn a_disk_that_takes_nothing_is_told_of_at_the_end<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("state");
    let mut world = TestWorld::start(rig, Setup::new(config()).with_state_in(&path));
    fs::remove_dir_all(&path).expect("it is ours");
    fs::write(&path, "in the way").expect("it is ours");
    world.bid(a_ban());
    let problems = world.end_with_problems();
    assert!(problems.iter().any(|problem| matches!(problem, Problem::StateLost(_))), "{problems:?}");
}

/// The state is in a new directory of the same name.
pub fn a_directory_that_is_removed_is_made_again<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("state");
    let setup = Setup::new(config()).with_state_in(&path);
    let mut world = TestWorld::start(rig, setup.clone());
    fs::remove_dir_all(&path).expect("it is ours");
    world.bid(a_ban());
    world.end();
    let mut world = TestWorld::start(rig, setup);
    assert_eq!(bans(&mut world), [target()]);
    world.end();
}

/// The problem is reported, the pool goes on, and saves again when it can.
#[cfg(target_os = "linux")]
pub fn a_directory_that_turns_read_only_is_told_of_and_the_pool_goes_on<R: Rig>(rig: &R) {
    use std::os::unix::fs::PermissionsExt;

    super::super::limits::obey_permissions();
    let dir = tempfile::tempdir().expect("a directory");
    let mode = |mode| fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).expect("it is ours");
    let peer = TestPeer::listen();
    let setup = Setup::new(config()).with_state_in(dir.path());
    let mut world = TestWorld::start(rig, setup.clone());
    mode(0o500);
    world.bid(a_ban());
    let failed = world.event("a problem", |event| match event {
        PoolEvent::Problem(problem) => Some(problem),
        _ => None,
    });
    assert!(matches!(failed, Problem::NotSaved(StateError::Io { .. })), "{failed:?}");
    world.add(peer.address());
    world.tells(&["connected added"]);
    mode(0o700);
    let problems = world.end_with_problems();
    assert!(matches!(problems[..], [Problem::SavedAgain { .. }]), "{problems:?}");
    let mut world = TestWorld::start(rig, setup);
    assert_eq!(bans(&mut world), [target()]);
    world.end();
}

/// The file is set aside with its content.
pub fn a_damaged_file_is_told_of_and_the_pool_goes_on<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("bans.json"), "{ no bans").expect("it is ours");
    let mut world = TestWorld::start(rig, Setup::new(config()).with_state_in(dir.path()));
    let damage = world.event("Problem", |event| match event {
        PoolEvent::Problem(Problem::Damaged(damage)) => Some(damage),
        _ => None,
    });
    assert_eq!(fs::read_to_string(damage.set_aside).expect("it is there"), "{ no bans");
    assert!(bans(&mut world).is_empty());
    world.end();
}

/// The second fails at once.
pub fn two_pools_do_not_share_a_directory<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    let setup = Setup::new(config()).with_state_in(dir.path());
    let first = TestWorld::start(rig, setup.clone());
    let second = TestWorld::try_start(rig, setup);
    assert!(matches!(second, Err(StartError::State(StateError::Locked { .. }))), "{second:?}");
    first.end();
}

/// The trace has each command and each dial once, is not overwritten, and replays (as after every scenario).
pub fn a_trace_tells_the_whole_run_and_runs_again<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("trace");
    let peer = TestPeer::listen();
    let setup = Setup { trace: Some(path.clone()), ..Setup::new(config()) };
    let mut world = TestWorld::start(rig, setup.clone());
    world.add(peer.address());
    let conn = world.connected().conn;
    world.pool.release(conn);
    world.connected();
    world.end();
    let again = TestWorld::try_start(rig, setup);
    assert!(matches!(again, Err(StartError::Trace { .. })), "{again:?}");
    let lines: Vec<TraceLine> = TraceReader::open(&path).expect("a trace").map(|line| line.expect("whole")).collect();
    let count = |wanted: fn(&TraceLine) -> bool| lines.iter().filter(|line| wanted(line)).count();
    assert_eq!(count(|line| matches!(line, TraceLine::Step { input: Input::AddPeer { .. }, .. })), 1);
    assert_eq!(count(|line| matches!(line, TraceLine::Action(Action::Dial { .. }))), 2);
    assert_eq!(count(|line| matches!(line, TraceLine::Step { input: Input::Shutdown, .. })), 1);
}
