//! SOCKS5 proxies that are not Tor: without authentication (`ssh -D`), and without lookups.

use std::time::Duration;

use connmgr_core::{Event, IsolationMode, Kind, LookupError, Proxy};
use connmgr_std::PoolEvent;

use super::seeds::seeded;
use crate::conformance::{Rig, Setup, TestWorld, config};
use crate::peers::{PATIENCE, PeerStream, TestPeer, socks};

/// This proxy, with a circuit for each connection if it can.
fn preferably_isolated(proxy: &TestPeer) -> Setup {
    let isolation = IsolationMode::Preferred;
    Setup::new(config()).by_proxy(Proxy::new(proxy.address().into()).isolation(isolation).resolves(false))
}

/// All goes on without isolation. The application is told so once, before the first connection.
pub fn a_proxy_without_authentication_is_used_and_told_of_once<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let mut world = TestWorld::start(rig, preferably_isolated(&listener));
    let mut lines = Vec::new();
    for name in ["one.example", "two.example"] {
        world.add(format!("{name}:8333"));
        let mut line = world.accept(&listener);
        let asked = world.meanwhile("the proxy is asked", || socks::serve_plainly(&mut line));
        assert_eq!((asked.host.as_str(), asked.port), (name, 8333));
        line.say(&socks::DONE);
        if lines.is_empty() {
            let proxy = listener.address();
            let told = "takes no user name and password: connections through it are not isolated from each other";
            assert_eq!(world.next_tale(), format!("problem: the proxy {proxy} {told}"));
        }
        world.tells(&["connected added"]);
        lines.push(line);
    }
    world.end();
}

/// A proxy that could go without credentials, and asks for them, as Tor does.
pub fn a_proxy_that_takes_credentials_isolates_and_is_not_told_of<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let mut world = TestWorld::start(rig, preferably_isolated(&listener));
    let (mut users, mut lines) = (Vec::new(), Vec::new());
    for name in ["one.example:8333", "two.example:8333"] {
        world.add(name);
        let mut line = world.accept(&listener);
        users.extend(world.meanwhile("the proxy is asked", || socks::serve(&mut line, Duration::ZERO)).0);
        line.say(&socks::DONE);
        world.tells(&["connected added"]);
        lines.push(line);
    }
    assert!(users.len() == 2 && users[0] != users[1], "{users:?}");
    world.end();
}

/// How a proxy says that it supports no lookups: by its code, by another, and as OpenSSH does.
const REFUSALS: [&[u8]; 3] = [&[5, 7, 0, 1, 0, 0, 0, 0, 0, 0], &[5, 8, 0, 1, 0, 0, 0, 0, 0, 0], &[]];

/// At once, and without a failure of the seed.
pub fn a_seed_is_dialed_by_name_where_its_lookup_is_not_supported<R: Rig>(rig: &R) {
    for refusal in REFUSALS {
        let listener = TestPeer::listen();
        let (setup, _) = seeded(&listener, PATIENCE);
        let mut world = TestWorld::start(rig, setup);
        let mut line = world.accept(&listener);
        let asked = world.meanwhile("a lookup", || socks::serve_plainly(&mut line));
        assert_eq!((asked.command, asked.host.as_str()), (socks::RESOLVE, "seed.example"));
        line.say(refusal);
        drop(line);
        let mut line = world.accept(&listener);
        let asked = world.meanwhile("a dial", || socks::serve_plainly(&mut line));
        // Absolute: the proxy may have search domains. (Tor has none, and its RESOLVE is asked without the dot.)
        let host = "seed.example.".to_owned();
        assert_eq!(asked, socks::SocksRequest { command: socks::CONNECT, host, port: 8333 }, "{refusal:?}");
        line.say(&socks::DONE);
        // What is told before is no failure.
        let connected = world.event("the visit", |event| match event {
            PoolEvent::Connected(info) => Some(info),
            PoolEvent::Event(Event::SeedFailed { error, .. }) => panic!("the seed has failed: {error}"),
            _ => None,
        });
        assert_eq!(connected.kind, Kind::AddrFetch);
        world.end();
    }
}

/// How far a proxy goes along with a lookup, and why the seed has failed then.
type Failure = (fn(&mut PeerStream), LookupError);

const FAILURES: [Failure; 5] = [
    (|line| no_method(line), LookupError::ProxyAuth),
    (|line| line.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), LookupError::Proxy),
    (|line| drop(socks::hear_methods(line)), LookupError::Proxy),
    (|line| fail(line, 1), LookupError::Proxy),
    (|line| fail(line, 4), LookupError::Failed),
];

fn no_method(line: &mut PeerStream) {
    socks::hear_methods(line);
    line.say(&[5, 0xff]);
}

fn fail(line: &mut PeerStream, code: u8) {
    socks::serve_plainly(line);
    line.say(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

/// A dead proxy, one without a usable method, one that fails, and a name that it can't resolve are told apart.
pub fn why_a_seed_has_failed_at_its_proxy_is_told<R: Rig>(rig: &R) {
    for (serve, expected) in FAILURES {
        let listener = TestPeer::listen();
        let mut world = TestWorld::start(rig, seeded(&listener, PATIENCE).0);
        let mut line = world.accept(&listener);
        world.meanwhile("the proxy talks", || {
            serve(&mut line);
            line.close_half();
            line.hear_out();
        });
        assert_eq!(seed_failure(&mut world), expected);
        world.end();
    }
    let listener = TestPeer::listen();
    let (setup, _) = seeded(&listener, PATIENCE);
    drop(listener);
    let mut world = TestWorld::start(rig, setup);
    assert_eq!(seed_failure(&mut world), LookupError::ProxyUnreachable);
    world.end();
}

/// Why the seed has failed.
pub(super) fn seed_failure<R: Rig>(world: &mut TestWorld<R>) -> LookupError {
    world.said("SeedFailed", |event| match event {
        Event::SeedFailed { error, .. } => Some(error),
        _ => None,
    })
}
