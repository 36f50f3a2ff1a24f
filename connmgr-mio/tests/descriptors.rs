//! The descriptors of a process, and a process without any. Each story has a process of its own, because descriptors
//! are counted and limited for a whole process.
#![cfg(target_os = "linux")]

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use connmgr_core::{AddedPeer, Config, DialError, DialFailure, Event, Mode, Ranges};
use connmgr_mio::{Pool, PoolEvent, Unsent};
use mio::Poll;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Runs the test of this name again, alone, in a child process. Returns whether this is the child.
fn alone(name: &str) -> bool {
    if env::var_os("CONNMGR_ALONE").is_some() {
        return true;
    }
    let mut child = Command::new(env::current_exe().expect("our own name"));
    let done = child.args(["--exact", name, "--nocapture"]).env("CONNMGR_ALONE", "1").status().expect("a child");
    assert!(done.success(), "{done}");
    false
}

/// Counts descriptors, without the one that reads them.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("/proc").count() - 1
}

/// Limits the descriptors of this process, or restores the limit.
fn limit_descriptors(to: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: to.or(maximum), maximum }).expect("lowering is allowed");
}

fn config() -> Config {
    Config { mode: Mode::ConnectOnly, ranges: Ranges { loopback: true, ..Ranges::default() }, ..Config::default() }
}

#[test]
fn a_dial_without_descriptors_fails_on_the_next_turn_and_is_not_the_peers_fault() {
    if !alone("a_dial_without_descriptors_fails_on_the_next_turn_and_is_not_the_peers_fault") {
        return;
    }
    let peer = TcpListener::bind(ANY_PORT).unwrap();
    let poll = Poll::new().unwrap();
    let mut pool = Pool::builder(config()).start(poll.registry(), 0..1000).unwrap();
    limit_descriptors(Some(0));
    pool.add_peer(AddedPeer::new(peer.local_addr().unwrap().to_string().parse().unwrap())).unwrap();
    limit_descriptors(None);
    assert_eq!((pool.connections().len(), pool.poll_timeout()), (1, Some(Duration::ZERO)));
    let failed = std::iter::from_fn(|| pool.next_event()).find_map(|event| match event {
        PoolEvent::Event(Event::DialFailed { error, .. }) => Some(error),
        _ => None,
    });
    assert_eq!(failed, Some(DialFailure::Failed(DialError::OutOfResources)));
}

#[test]
fn a_handle_that_outlives_its_pool_holds_no_descriptor() {
    if !alone("a_handle_that_outlives_its_pool_holds_no_descriptor") {
        return;
    }
    let before = descriptors();
    let poll = Poll::new().unwrap();
    let pool = Pool::builder(config()).listen(ANY_PORT.into()).start(poll.registry(), 0..1000).unwrap();
    let handle = pool.handle();
    drop((pool, poll));
    // The thread that watches the network (feature `watch-network`) ends a moment later.
    let until = Instant::now() + Duration::from_secs(10);
    while descriptors() != before && Instant::now() < until {
        thread::yield_now();
    }
    assert_eq!(descriptors(), before);
    assert_eq!(handle.shutdown(), Err(Unsent::Gone));
}
