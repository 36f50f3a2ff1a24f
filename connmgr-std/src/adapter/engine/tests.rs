//! An engine without sockets, at times that the tests give.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::thread;
use std::time::Instant;

use connmgr_core::{
    AddPeerError, AddedPeer, AddressInfo, BanTarget, BookConfig, Config, Host, Limits, Mode, PeerAddress, Services,
    Snapshot, Source, UnixTime,
};

use super::*;
use crate::resolver::SystemResolver;
use crate::startup::Startup;
use crate::state::{SaveNews, StateError};
use crate::tests::NoSockets;
use crate::tests::common::{LONG, snapshot};

/// The state on disk after turns at these seconds, of a pool that learns an address and bans a host at 0.
fn saved_by_turns_at(seconds: &[u64]) -> Snapshot {
    let dir = tempfile::tempdir().unwrap();
    // It dials nobody, so that nothing else has a deadline.
    let limits = Limits { full: 0, block_relay: 0, feeler: 0, addr_fetch: 0, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let startup = Startup { state_dir: Some(dir.path().into()), ..Startup::new(config) };
    let mut engine = Engine::<()>::start(startup.start().unwrap(), Arc::new(SystemResolver), || ()).unwrap();
    let net = &mut NoSockets::default();
    let (services, last_seen) = (Services::NETWORK, UnixTime::from_secs(1_700_000_000));
    let address = AddressInfo::new("1.2.3.4:8333".parse().unwrap()).services(services).last_seen(last_seen);
    let (source, addresses) = (Source::Application, vec![address]);
    engine.apply(&Input::Addresses { source, addresses }, Time::from_secs(1), net);
    let target = BanTarget::Host("9.9.9.9".parse().unwrap());
    engine.apply(&Input::Ban { target, duration: Duration::from_secs(86_400) }, Time::from_secs(1), net);
    for second in seconds {
        let now = Time::from_secs(*second);
        assert!(engine.poll_timeout(net).is_some_and(|deadline| deadline <= now));
        engine.turn(now, net);
    }
    engine.let_go();
    read(dir.path())
}

/// Waits until the directory is free.
fn read(dir: &Path) -> Snapshot {
    let until = Instant::now() + LONG;
    loop {
        match StateDir::open(dir) {
            Ok((_, found, _)) => return found.unwrap_or_default(),
            Err(_) => assert!(Instant::now() < until, "the directory is still locked"),
        }
        thread::yield_now();
    }
}

#[test]
fn a_ban_is_saved_in_a_moment_and_the_first_address_within_a_minute() {
    let saved = saved_by_turns_at(&[3]);
    assert_eq!((saved.bans.len(), saved.addresses.len()), (1, 0));
    let saved = saved_by_turns_at(&[3, 61]);
    assert_eq!((saved.bans.len(), saved.addresses.len()), (1, 1));
}

/// More than two slices of addresses.
const MANY: u32 = 2500;

fn many() -> Vec<AddressInfo> {
    let address = |n: u32| PeerAddress::new(Host::from(Ipv4Addr::from(0x0100_0000 + (n << 8))), 8333);
    (0..MANY).map(|n| AddressInfo::new(address(n)).services(Services::NETWORK)).collect()
}

/// An engine that knows many addresses, saves its book at most once a second, and has begun to.
fn saving_many(dir: &Path) -> Engine<()> {
    let limits = Limits { full: 0, block_relay: 0, feeler: 0, addr_fetch: 0, ..Limits::default() };
    let book = BookConfig { save_every: Duration::from_secs(1), ..BookConfig::default() };
    let config = Config { limits, book, ..Config::default() };
    let startup = Startup { state_dir: Some(dir.into()), ..Startup::new(config) };
    let mut engine = Engine::<()>::start(startup.start().unwrap(), Arc::new(SystemResolver), || ()).unwrap();
    let net = &mut NoSockets::default();
    for addresses in many().chunks(1000) {
        let learn = Input::Addresses { source: Source::Application, addresses: addresses.to_vec() };
        engine.apply(&learn, Time::from_secs(1), net);
    }
    assert_eq!(engine.manager().book().len(), MANY as usize);
    engine.turn(Time::from_secs(2), net);
    assert!(engine.has_work(), "one slice is copied, and the next wants a turn");
    engine
}

/// How many more turns it wants, at this second.
fn turns_wanted(engine: &mut Engine<()>, second: u64) -> usize {
    let net = &mut NoSockets::default();
    let mut turns = 0;
    while engine.has_work() && turns < 100 {
        engine.turn(Time::from_secs(second), net);
        turns += 1;
    }
    turns
}

#[test]
fn a_large_book_is_copied_in_slices_one_a_turn() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = saving_many(dir.path());
    assert_eq!(turns_wanted(&mut engine, 2), 2);
    engine.let_go();
    assert_eq!(read(dir.path()).addresses.len(), MANY as usize);
}

#[test]
fn a_book_that_is_to_be_saved_while_it_is_copied_is_copied_once_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = saving_many(dir.path());
    let late = AddressInfo::new("9.9.9.9:8333".parse().unwrap()).services(Services::NETWORK);
    let learn = Input::Addresses { source: Source::Application, addresses: vec![late] };
    engine.apply(&learn, Time::from_secs(2), &mut NoSockets::default());
    assert_eq!(turns_wanted(&mut engine, 3), 2 + 3);
    engine.let_go();
    assert_eq!(read(dir.path()).addresses.len(), MANY as usize + 1);
}

#[test]
fn at_the_end_the_whole_book_is_saved_though_it_was_copied_in_part() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = saving_many(dir.path());
    engine.apply(&Input::Shutdown, Time::from_secs(2), &mut NoSockets::default());
    assert_eq!(turns_wanted(&mut engine, 2), 1, "the one that ends the pool");
    assert_eq!(read(dir.path()).addresses.len(), MANY as usize);
}

#[test]
fn a_pool_that_is_dropped_while_its_book_is_copied_saves_the_whole_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = saving_many(dir.path());
    engine.let_go();
    assert_eq!(read(dir.path()).addresses.len(), MANY as usize);
}

#[test]
fn a_ban_does_not_wait_for_a_book_that_is_copied() {
    let dir = tempfile::tempdir().unwrap();
    let mut engine = saving_many(dir.path());
    let target = BanTarget::Host("9.9.9.9".parse().unwrap());
    let (ban, net) = (Input::Ban { target, duration: Duration::from_secs(86_400) }, &mut NoSockets::default());
    engine.apply(&ban, Time::from_secs(2), net);
    engine.turn(Time::from_secs(3), net);
    let until = Instant::now() + LONG;
    while fs::read_to_string(dir.path().join("bans.json")).map_or(true, |bans| !bans.contains("9.9.9.9")) {
        assert!(Instant::now() < until, "the ban is not saved");
        thread::yield_now();
    }
    assert!(!dir.path().join("peers.dat").exists() && engine.has_work());
}

#[test]
fn a_node_that_only_connects_leaves_the_book_on_disk_alone() {
    let dir = tempfile::tempdir().unwrap();
    StateDir::open(dir.path()).unwrap().0.save(&snapshot()).unwrap();
    let config = Config { mode: Mode::ConnectOnly, ..Config::default() };
    let startup = Startup { state_dir: Some(dir.path().into()), ..Startup::new(config) };
    let mut engine = Engine::<()>::start(startup.start().unwrap(), Arc::new(SystemResolver), || ()).unwrap();
    let net = &mut NoSockets::default();
    engine.apply(&Input::Shutdown, Time::from_secs(1), net);
    engine.turn(Time::from_secs(1), net);
    drop(engine);
    assert_eq!(read(dir.path()).addresses, snapshot().addresses);
}

/// An engine without state that dials nobody.
fn quiet() -> Engine<()> {
    let limits = Limits { full: 0, block_relay: 0, feeler: 0, addr_fetch: 0, ..Limits::default() };
    let startup = Startup::new(Config { limits, ..Config::default() });
    Engine::start(startup.start().unwrap(), Arc::new(SystemResolver), || ()).unwrap()
}

#[test]
fn news_of_a_file_replaces_what_was_told_of_it_and_not_taken() {
    let mut engine = quiet();
    let notes = engine.notes();
    let failed = |file: &str| EngineNote::Saving(SaveNews::NotSaved(StateError::NotAFile { path: file.into() }));
    for _ in 0..=MAX_PROBLEMS {
        notes.post(failed("bans.json"));
    }
    notes.post(failed("peers.dat"));
    notes.post(EngineNote::Saving(SaveNews::SavedAgain("bans.json".into())));
    engine.turn(Time::from_secs(1), &mut NoSockets::default());
    let told: Vec<Problem> = std::iter::from_fn(|| engine.poll_problem()).collect();
    assert!(matches!(told[..], [Problem::NotSaved(_), Problem::SavedAgain { .. }]), "{told:?}");
}

#[test]
fn after_a_change_of_the_network_the_machine_has_the_addresses_that_it_has_now() {
    let mut startup = Startup::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    // Its addresses are not known at the start.
    startup.wildcards.add("0.0.0.0:8333".parse().unwrap());
    let mut engine = Engine::<()>::start(startup.start().unwrap(), Arc::new(SystemResolver), || ()).unwrap();
    let net = &mut NoSockets::default();
    engine.apply(&Input::NetworkChanged, Time::from_secs(1), net);
    let peer = AddedPeer::new("127.0.0.1:8333".parse().unwrap());
    let reply = engine.apply(&Input::AddPeer { peer }, Time::from_secs(1), net);
    assert_eq!(reply, Reply::Added(Err(AddPeerError::OwnAddress)));
}

/// It may be another machine's by now.
#[test]
fn after_a_change_of_the_network_an_address_that_the_machine_has_lost_is_not_our_own() {
    let lost: PeerAddress = "203.0.113.7:8333".parse().unwrap();
    let own_addresses = vec![lost.clone()];
    let mut startup = Startup::new(Config { mode: Mode::ConnectOnly, own_addresses, ..Config::default() });
    startup.wildcards.add("0.0.0.0:8333".parse().unwrap());
    startup.wildcards.had(lost.clone());
    let mut engine = Engine::<()>::start(startup.start().unwrap(), Arc::new(SystemResolver), || ()).unwrap();
    let (net, now) = (&mut NoSockets::default(), Time::from_secs(1));
    let add = Input::AddPeer { peer: AddedPeer::new(lost) };
    assert_eq!(engine.apply(&add, now, net), Reply::Added(Err(AddPeerError::OwnAddress)));
    engine.apply(&Input::NetworkChanged, now, net);
    assert!(matches!(engine.apply(&add, now, net), Reply::Added(Ok(_))));
}
