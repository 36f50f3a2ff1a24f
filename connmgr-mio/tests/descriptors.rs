//! The descriptors of a process, and a process without any: each story in a process of its own, for they are counted
//! and limited for all of it.
#![cfg(target_os = "linux")]

use std::env;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use connmgr_core::{Action, Config, DialError, DialFailure, Event, Keep, Mode, Proxy};
use connmgr_mio::{Pool, PoolEvent, Unsent};
use connmgr_std::{Line, TraceReader};
use mio::{Events, Interest, Poll, Token};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
const PATIENCE: Duration = Duration::from_secs(20);
const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333";

/// Runs the test of this name again, alone, in a child; whether this is the child.
fn alone(name: &str) -> bool {
    if env::var_os("CONNMGR_ALONE").is_some() {
        return true;
    }
    let mut child = Command::new(env::current_exe().expect("our own name"));
    let done = child.args(["--exact", name, "--nocapture"]).env("CONNMGR_ALONE", "1").status().expect("a child");
    assert!(done.success(), "{done}");
    false
}

/// Counts without counting its own.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("/proc").count() - 1
}

/// Lets the process open nothing more, or as much as before.
fn limit_descriptors(to: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: to.or(maximum), maximum }).expect("lowering is allowed");
}

fn config() -> Config {
    Config { mode: Mode::ConnectOnly, loopback_is_public: true, ..Config::default() }
}

/// Turns the pool for so long; whether it was `done` before.
fn turn(
    pool: &mut Pool,
    poll: &mut Poll,
    within: Duration,
    mut done: impl FnMut(&Pool, Option<PoolEvent>) -> bool,
) -> bool {
    let (start, mut events) = (Instant::now(), Events::with_capacity(8));
    while let Some(left) = within.checked_sub(start.elapsed()) {
        while let Some(event) = pool.next_event() {
            if done(pool, Some(event)) {
                return true;
            }
        }
        if done(pool, None) {
            return true;
        }
        poll.poll(&mut events, Some(pool.poll_timeout().map_or(left, |timeout| timeout.min(left)))).expect("poll");
        for event in &events {
            pool.handle_event(event);
        }
    }
    false
}

#[test]
fn a_listener_without_descriptors_pauses_and_comes_back() {
    if !alone("a_listener_without_descriptors_pauses_and_comes_back") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let mut poll = Poll::new().unwrap();
    let mut pool =
        Pool::builder(config()).listen(ANY_PORT.into()).trace(&trace).start(poll.registry(), 0..100).unwrap();
    let _client = TcpStream::connect(pool.local_addrs()[0]).unwrap();
    limit_descriptors(Some(0));
    let mut rounds = 0;
    let connected = turn(&mut pool, &mut poll, Duration::from_millis(120), |_, event| {
        rounds += u32::from(event.is_none());
        matches!(event, Some(PoolEvent::Connected(_)))
    });
    limit_descriptors(None);
    assert!(!connected && rounds <= 12, "woke {rounds} times");
    let connected = turn(&mut pool, &mut poll, PATIENCE, |_, event| matches!(event, Some(PoolEvent::Connected(_))));
    assert!(connected, "not accepted in the end");
    pool.shutdown();
    assert!(turn(&mut pool, &mut poll, PATIENCE, |pool, _| pool.is_stopped()), "no end");
    let pauses =
        TraceReader::open(&trace).unwrap().filter(|line| matches!(line, Ok(Line::Action(Action::PauseAccept { .. }))));
    assert!((1..=8).contains(&pauses.count()));
}

#[test]
fn a_dial_without_descriptors_fails_on_the_next_turn_and_is_not_the_peers_fault() {
    if !alone("a_dial_without_descriptors_fails_on_the_next_turn_and_is_not_the_peers_fault") {
        return;
    }
    let peer = TcpListener::bind(ANY_PORT).unwrap();
    let poll = Poll::new().unwrap();
    let mut pool = Pool::builder(config()).start(poll.registry(), 0..100).unwrap();
    limit_descriptors(Some(0));
    pool.add_peer(peer.local_addr().unwrap().to_string().parse().unwrap(), Keep::Always).unwrap();
    limit_descriptors(None);
    assert_eq!((pool.connections().len(), pool.poll_timeout()), (1, Some(Duration::ZERO)));
    let failed = std::iter::from_fn(|| pool.next_event()).find_map(|event| match event {
        PoolEvent::Event(Event::DialFailed { error, .. }) => Some(error),
        _ => None,
    });
    assert_eq!(failed, Some(DialFailure::Failed(DialError::OutOfResources)));
}

#[test]
fn after_a_shutdown_in_the_middle_of_everything_no_descriptor_is_left() {
    if !alone("after_a_shutdown_in_the_middle_of_everything_no_descriptor_is_left") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut poll = Poll::new().unwrap();
    let [peer, proxy] = [(); 2].map(|()| TcpListener::bind(ANY_PORT).unwrap());
    let before = descriptors();
    let mut config = config();
    let silent = Proxy { address: proxy.local_addr().unwrap(), isolate: true, resolves: false };
    config.proxies.onion = Some(silent);
    let builder = Pool::builder(config).listen(ANY_PORT.into()).state_dir(dir.path());
    let mut pool = builder.start(poll.registry(), 0..100).unwrap();
    for address in [ONION, &peer.local_addr().unwrap().to_string()] {
        pool.add_peer(address.parse().unwrap(), Keep::Always).unwrap();
    }
    let mut theirs = TcpStream::connect(pool.local_addrs()[0]).unwrap();
    let mut open = Vec::new();
    let both = turn(&mut pool, &mut poll, PATIENCE, |_, event| {
        if let Some(PoolEvent::Connected(info)) = event {
            open.push(info.conn);
        }
        open.len() == 2
    });
    assert!(both, "no two connections");
    for conn in open {
        let token = Token(1000 + usize::try_from(conn.as_u64()).unwrap());
        poll.registry().register(pool.stream(conn).unwrap(), token, Interest::READABLE).unwrap();
    }
    // One waits for the proxy.
    assert_eq!(pool.connections().len(), 3);
    let handle = pool.handle();
    pool.shutdown();
    assert!(turn(&mut pool, &mut poll, PATIENCE, |pool, _| pool.is_stopped()), "no end");
    drop(pool);
    assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
    drop(theirs);
    assert_eq!(descriptors(), before);
    assert_eq!(handle.shutdown(), Err(Unsent::Gone));
}
