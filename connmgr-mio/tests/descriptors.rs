//! The descriptors of a process, and a process without any: each story in a process of its own, for they are counted
//! and limited for all of it.
#![cfg(target_os = "linux")]

use std::env;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use connmgr_core::{Action, Config, Keep, Mode, Proxy};
use connmgr_mio::{Builder, Pool, PoolEvent};
use connmgr_std::{Line, TraceReader};
use mio::{Events, Interest, Poll, Token};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const ANY_PORT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs the test of this name again, alone, in a child; whether this is the child.
fn alone(name: &str) -> bool {
    if env::var_os("CONNMGR_ALONE").is_some() {
        return true;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    let done = child.args(["--exact", name, "--nocapture"]).env("CONNMGR_ALONE", "1").status().unwrap();
    assert!(done.success(), "{done}");
    false
}

/// Counts without counting its own.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count() - 1
}

/// Lets the process open nothing more, or as much as before.
fn limit_descriptors(to: Option<u64>) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: to.or(maximum), maximum }).expect("lowering is allowed");
}

fn builder() -> Builder {
    let config = Config { mode: Mode::ConnectOnly, loopback_is_public: true, ..Config::default() };
    Pool::builder(config).rng_seed([7; 32])
}

/// Turns the pool until `done`, or for so long; how often the poll woke.
fn turn(
    pool: &mut Pool,
    poll: &mut Poll,
    within: Duration,
    mut done: impl FnMut(&mut Pool, Option<PoolEvent>) -> bool,
) -> Option<u32> {
    let (start, mut events) = (Instant::now(), Events::with_capacity(8));
    for rounds in 0.. {
        loop {
            let event = pool.next_event();
            let last = event.is_none();
            if done(pool, event) {
                return Some(rounds);
            }
            if last {
                break;
            }
        }
        let left = within.checked_sub(start.elapsed())?;
        let timeout = pool.poll_timeout().map_or(left, |timeout| timeout.min(left));
        poll.poll(&mut events, Some(timeout.min(Duration::from_millis(50)))).unwrap();
        events.iter().for_each(|event| {
            pool.handle_event(event);
        });
    }
    None
}

#[test]
fn a_listener_without_descriptors_pauses_and_comes_back() {
    if !alone("a_listener_without_descriptors_pauses_and_comes_back") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let mut poll = Poll::new().unwrap();
    let mut pool = builder().listen(ANY_PORT.into()).trace(&trace).start(poll.registry(), 0..100).unwrap();
    let _client = TcpStream::connect(pool.local_addrs()[0]).unwrap();
    limit_descriptors(Some(0));
    let mut rounds = 0;
    let connected = turn(&mut pool, &mut poll, Duration::from_millis(120), |_, event| {
        rounds += u32::from(event.is_none());
        matches!(event, Some(PoolEvent::Connected(_)))
    });
    limit_descriptors(None);
    assert!(connected.is_none() && rounds <= 12, "woke {rounds} times");
    let connected = turn(&mut pool, &mut poll, PATIENCE, |_, event| matches!(event, Some(PoolEvent::Connected(_))));
    assert!(connected.is_some(), "not accepted in the end");
    pool.shutdown();
    turn(&mut pool, &mut poll, PATIENCE, |pool, _| pool.is_stopped()).expect("an end");
    let pauses =
        TraceReader::open(&trace).unwrap().filter(|line| matches!(line, Ok(Line::Action(Action::PauseAccept { .. }))));
    assert!((1..=8).contains(&pauses.count()));
}

#[test]
fn after_a_shutdown_in_the_middle_of_everything_no_descriptor_is_left() {
    if !alone("after_a_shutdown_in_the_middle_of_everything_no_descriptor_is_left") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut poll = Poll::new().unwrap();
    // A proxy that says nothing, a peer that is connected, and one that came in; a handle that outlives the pool.
    let [proxy, listener] = [(); 2].map(|()| TcpListener::bind(ANY_PORT).unwrap());
    let (proxy_address, address) = (proxy.local_addr().unwrap(), listener.local_addr().unwrap());
    let before = descriptors();
    let mut config = Config { mode: Mode::ConnectOnly, loopback_is_public: true, ..Config::default() };
    config.proxies.onion = Some(Proxy { address: proxy_address, isolate: true, resolves: false });
    let builder = Pool::builder(config).listen(ANY_PORT.into()).state_dir(dir.path());
    let mut pool = builder.start(poll.registry(), 0..100).unwrap();
    let onion = format!("{}d.onion:1", "a".repeat(55));
    for address in [address.to_string(), onion] {
        if let Ok(address) = address.parse() {
            pool.add_peer(address, Keep::Always).unwrap();
        }
    }
    let theirs = TcpStream::connect(pool.local_addrs()[0]).unwrap();
    let mut conns = Vec::new();
    turn(&mut pool, &mut poll, PATIENCE, |pool, event| {
        if let Some(PoolEvent::Connected(info)) = event {
            let stream = pool.stream(info.conn).unwrap();
            conns.push((info.conn, stream.peer_addr().is_ok()));
        }
        conns.len() == 2
    })
    .expect("two connections");
    for (conn, _) in &conns {
        let token = Token(1000 + usize::try_from(conn.as_u64()).unwrap());
        poll.registry().register(pool.stream(*conn).unwrap(), token, Interest::READABLE).unwrap();
    }
    let handle = pool.handle();
    assert!(descriptors() > before + 4);
    pool.shutdown();
    turn(&mut pool, &mut poll, PATIENCE, |pool, _| pool.is_stopped()).expect("an end");
    drop(pool);
    let mut theirs = theirs;
    assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
    drop(theirs);
    assert_eq!(descriptors(), before);
    assert!(handle.shutdown().is_err());
    let _: SocketAddr = address;
}
