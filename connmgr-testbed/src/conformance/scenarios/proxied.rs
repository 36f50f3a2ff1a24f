//! Dials through a SOCKS5 proxy.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connmgr_core::{Input, IsolationMode, Proxy};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{PeerStream, TestPeer, socks};

/// This proxy, with a circuit for each connection.
fn by(proxy: &TestPeer) -> Setup {
    Setup::new(config()).by_proxy(Proxy::new(proxy.address().into()).isolation(IsolationMode::Required).resolves(false))
}

/// A pause after each byte, so that it arrives alone.
const PAUSE: Duration = Duration::from_millis(1);

/// Replies of success, with each type of bound address.
fn replies() -> [Vec<u8>; 3] {
    let mut name = vec![5, 0, 0, 3, 255];
    name.extend([b'a'; 255 + 2]);
    let mut v6 = vec![5, 0, 0, 4];
    v6.extend([0; 16 + 2]);
    [socks::DONE.to_vec(), v6, name]
}

/// However slow the proxy is, and whatever its bound address, it resolves the name. What follows its reply, even in the
/// same packet, is the peer's.
pub fn a_name_goes_to_a_slow_proxy_and_what_follows_its_reply_is_the_peers<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let mut world = TestWorld::start(rig, by(&listener));
    for (number, reply) in replies().into_iter().enumerate() {
        let id = world.add(format!("node{number}.example:8333"));
        let mut line = world.accept(&listener);
        let (user, asked) = world.meanwhile("the proxy is asked", || {
            let asked = socks::serve(&mut line, PAUSE);
            let (last, rest) = reply.split_last().expect("a reply");
            line.drip(rest, PAUSE / 4);
            line.say(&[&[*last], &b"hello"[..]].concat());
            asked
        });
        assert!(user.is_some());
        let host = format!("node{number}.example");
        assert_eq!(asked, socks::SocksRequest { command: socks::CONNECT, host, port: 8333 });
        let ours = world.connected();
        assert_eq!((ours.peer, world.read(ours.conn, 5)), (Some(id), b"hello".to_vec()));
        world.write(ours.conn, b"bye");
        assert_eq!(&line.hear(), b"bye");
    }
    world.end();
}

/// No two have the same user name.
pub fn each_connection_has_a_circuit_of_its_own<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let mut world = TestWorld::start(rig, by(&listener));
    let circuit = |world: &mut TestWorld<R>, name: &str| {
        world.add(name);
        let mut line = world.accept(&listener);
        world.meanwhile("the proxy is asked", || socks::serve(&mut line, Duration::ZERO)).0.expect("a user")
    };
    let users = ["one.example:1", "two.example:1"].map(|name| circuit(&mut world, name));
    assert_ne!(users[0], users[1]);
    world.end();
}

/// The failure is reported as the route's, and no resolver but the proxy is asked.
pub fn a_proxy_that_is_not_there_is_not_the_peers_fault<R: Rig>(rig: &R) {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let proxy = Proxy::new(TestPeer::nobody().into()).isolation(IsolationMode::Required).resolves(false);
    let setup = Setup::new(config()).by_proxy(proxy).resolving(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(vec![IpAddr::from(Ipv4Addr::LOCALHOST)])
    });
    let mut world = TestWorld::start(rig, setup);
    world.add("node.example:8333");
    world.tells(&["dial failed: proxy unreachable"]);
    world.end();
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

/// More dials than an adapter has tokens or other resources that it may lose with a dial it had to wait for.
const ROUNDS: usize = 4;

/// A limit of one connection, so that an adapter whose resources follow the limits has few.
fn for_one_by(proxy: &TestPeer) -> Setup {
    let mut setup = by(proxy);
    setup.config.limits.total = 1;
    setup
}

/// Each waits for its proxy. The last opens as the first did.
pub fn dials_that_open_one_after_another_use_nothing_up<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let mut world = TestWorld::start(rig, for_one_by(&listener));
    for _ in 0..ROUNDS {
        world.add_once("node.example:8333");
        let mut line = world.accept(&listener);
        world.meanwhile("the proxy is asked", || socks::serve(&mut line, PAUSE));
        line.say(&socks::DONE);
        world.tells(&["connected added"]);
        drop(line);
        let conn = world.pool.connections()[0].conn;
        assert_eq!(world.read(conn, 1), b"");
        world.pool.release(conn);
        world.tells(&["disconnected: closed by the other end without a word"]);
        assert!(world.next_tale().starts_with("finished"));
    }
    world.end();
}

/// Each is given up while its proxy waits for more.
pub fn dials_given_up_one_after_another_use_nothing_up<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let mut world = TestWorld::start(rig, for_one_by(&listener));
    for _ in 0..ROUNDS {
        let peer = world.add("node.example:8333");
        let mut line = world.accept(&listener);
        world.meanwhile("a greeting", || socks::hear_greeting(&mut line));
        world.bid(Input::RemovePeer { peer });
        world.tells(&["dial failed: peer removed"]);
    }
    world.end();
}

/// The proxy sees the connection close at once.
pub fn a_dial_that_is_given_up_ends_at_once<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let mut world = TestWorld::start(rig, by(&listener));
    let peer = world.add("node.example:8333");
    let mut line = world.accept(&listener);
    world.meanwhile("a greeting", || socks::hear_greeting(&mut line));
    world.bid(Input::RemovePeer { peer });
    assert!(world.meanwhile("the proxy is hung up on", || line.hear_out()).is_empty());
    world.tells(&["dial failed: peer removed"]);
    world.end();
}

/// How far a proxy follows the protocol, what it sends then, and the error that is reported.
struct Nonsense {
    goes_along: fn(&mut PeerStream),
    says: &'static [u8],
    told: &'static str,
}

fn nothing(_: &mut PeerStream) {}

fn to_the_credentials(line: &mut PeerStream) {
    socks::hear_greeting(line);
    line.say(&[5, socks::USER_PASSWORD]);
    socks::hear_credentials(line);
}

fn to_the_request(line: &mut PeerStream) {
    socks::serve(line, Duration::ZERO);
}

const NO_SOCKS: &str = "dial failed: the proxy does not speak SOCKS5";
const NO_ENTRY: &str = "dial failed: the proxy refused our credentials";
const NO_METHOD: &str = "dial failed: the proxy accepts none of our authentication methods";
const FAILED: &str = "dial failed: the proxy failed";

const NONSENSE: [Nonsense; 14] = [
    Nonsense { goes_along: nothing, says: b"HTTP/1.1 400 Bad SocksRequest\r\n\r\n", told: NO_SOCKS },
    Nonsense { goes_along: nothing, says: &[4, 0], told: NO_SOCKS },
    Nonsense { goes_along: nothing, says: &[5, 0xff], told: NO_METHOD },
    // A method that was not offered: every connection would share one circuit.
    Nonsense { goes_along: nothing, says: &[5, 0], told: NO_METHOD },
    Nonsense { goes_along: nothing, says: &[5], told: FAILED },
    Nonsense { goes_along: to_the_credentials, says: &[1, 1], told: NO_ENTRY },
    Nonsense { goes_along: to_the_credentials, says: &[5, 0], told: NO_SOCKS },
    Nonsense { goes_along: to_the_request, says: &[], told: FAILED },
    Nonsense { goes_along: to_the_request, says: &[5, 1, 0, 1, 0, 0, 0, 0, 0, 0], told: FAILED },
    Nonsense { goes_along: to_the_request, says: &[5, 0x77], told: FAILED },
    Nonsense { goes_along: to_the_request, says: &[5, 5], told: "dial failed: connection refused" },
    Nonsense { goes_along: to_the_request, says: &[5, 0xf0], told: "dial failed: the proxy can't reach the service" },
    Nonsense { goes_along: to_the_request, says: &[5, 0, 0, 9, 0, 0, 0, 0, 0, 0], told: NO_SOCKS },
    Nonsense { goes_along: to_the_request, says: &[5, 0, 0, 3, 255, b'a'], told: FAILED },
];

/// Whatever the proxy sends, the right error is reported, and nothing is left of the dial.
pub fn a_proxy_that_talks_nonsense_is_told_so<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let mut world = TestWorld::start(rig, by(&listener));
    for nonsense in NONSENSE {
        world.add_once("node.example:8333");
        let mut line = world.accept(&listener);
        world.meanwhile("the proxy talks", || {
            (nonsense.goes_along)(&mut line);
            line.try_say(nonsense.says);
            line.close_half();
            line.hear_out();
        });
        assert_eq!(world.next_tale(), nonsense.told, "{:?}", nonsense.says);
        assert!(world.next_tale().starts_with("finished"));
    }
    assert!(world.pool_is_idle());
    world.end();
}
