//! The start of a manager.

use std::fs;

use connmgr_core::driver::Observer;
use connmgr_core::{
    AddPeerError, AddedPeer, BookConfig, Config, Input, Listener, ListenerId, Permissions, SavedBan, Snapshot, Time,
    UnixTime,
};

use super::{StartError, Started, Startup};
use crate::clock::Clock;
use crate::state::{DamageCause, StateDir};
use crate::tests::common::{address, ban, snapshot};
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
fn a_listener_that_no_builder_opens_is_refused() {
    let listener = Listener::new(ListenerId(0));
    let mut startup = Startup::new(Config { listeners: vec![listener], ..Config::default() });
    startup.add_listener(None, Permissions::default());
    let told = startup.check().expect_err("nobody opens number 0").to_string();
    assert_eq!(told, "config: `listeners` must be empty: the builder's `listen` opens listeners, and adds them here");
}

#[test]
fn the_seed_is_not_shown() {
    let startup = Startup { rng_seed: Some([42; 32]), ..Startup::new(Config::default()) };
    assert!(!format!("{startup:?}").contains("42, 42"));
}

/// Bans that stand, and addresses that may be dialed.
fn plenty() -> Snapshot {
    let until = Clock::start().unix().after(std::time::Duration::from_secs(3600));
    let hosts = ["1.1.1.1", "2.2.2.2", "3.3.3.3"];
    let target = |host: &str| connmgr_core::BanTarget::Host(host.parse().unwrap());
    let bans = hosts.map(|host| SavedBan { until, ..ban(target(host)) }).into();
    let addresses = hosts.map(|host| address(&format!("{host}:8333"))).into();
    Snapshot { addresses, anchors: Vec::new(), bans, ..Snapshot::default() }
}

#[test]
fn what_is_more_than_the_configuration_allows_is_told_and_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    StateDir::open(&path).unwrap().0.save(&plenty()).unwrap();
    let old = ["bans.json", "peers.dat"].map(|name| fs::read(path.join(name)).unwrap());
    let book = BookConfig { max_addresses: 2, ..BookConfig::default() };
    let config = Config { max_bans: 2, book, ..Config::default() };
    let startup = Startup { state_dir: Some(path.clone()), ..Startup::new(config) };
    let started = startup.clone().start().unwrap();
    for (damage, (old, told)) in started.damages.iter().zip(old.iter().zip(["max_bans", "book.max_addresses"])) {
        assert_eq!(damage.why, DamageCause::TooMany { count: 3, max: 2, limit: told });
        assert_eq!(&fs::read(&damage.set_aside).unwrap(), old);
    }
    assert_eq!((started.damages.len(), started.manager.bans().len()), (2, 2));
    // What is used is on disk at once, and no news at the next start.
    drop(started);
    let found = StateDir::open(&path).unwrap().1.unwrap();
    assert_eq!((found.bans.len(), found.addresses.len()), (2, 2));
    assert_eq!(startup.start().unwrap().damages, []);
}

#[test]
fn what_fits_is_not_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let ended = SavedBan {
        until: UnixTime::from_secs(1),
        ..ban("9.9.9.9".parse().map(connmgr_core::BanTarget::Host).unwrap())
    };
    // One has ended, and one is there twice.
    let mut saved = plenty();
    saved.bans.extend([ended, saved.bans[0].clone()]);
    StateDir::open(&path).unwrap().0.save(&saved).unwrap();
    let config =
        Config { max_bans: 4, book: BookConfig { max_addresses: 3, ..BookConfig::default() }, ..Config::default() };
    let started = Startup { state_dir: Some(path), ..Startup::new(config) }.start().unwrap();
    assert_eq!((started.damages, started.manager.bans().len()), (vec![], 3));
}

/// A node that is told to connect to itself says so at once, also if it listens on all addresses.
#[test]
fn what_a_listener_on_all_addresses_has_is_our_own() {
    let refused = |listener: &str| {
        let mut startup = Startup::new(Config::default());
        startup.add_own(&[listener.parse().unwrap()]);
        let Started { mut manager, .. } = startup.start().unwrap();
        let peer = AddedPeer::new("127.0.0.1:8333".parse().unwrap());
        manager.add_peer(peer, Time::ZERO).err()
    };
    assert_eq!(refused("0.0.0.0:8333"), Some(AddPeerError::OwnAddress));
    assert_eq!(refused("127.0.0.1:8333"), Some(AddPeerError::OwnAddress));
    assert_eq!(refused("0.0.0.0:8334"), None);
}
