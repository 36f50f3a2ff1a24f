//! The sockets of connections.

use std::time::Duration;

use connmgr_core::{ConnId, IsolationMode, Proxy};
use socket2::SockRef;

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{PeerStream, TestPeer, socks};

/// For a dial it is the address that the peer sees; for an inbound connection, the listener's.
pub fn a_connection_knows_our_own_end<R: Rig>(rig: &R) {
    let (peer, mut world) = (TestPeer::listen(), TestWorld::start(rig, Setup::new(config()).listening()));
    world.add(peer.address());
    let theirs = world.accept(&peer);
    let dialed = world.connected();
    assert_eq!(world.pool.local_addr(dialed.conn).expect("it is open"), theirs.other_end());
    let address = world.address();
    let _theirs = PeerStream::connect(address).expect("somebody listens");
    let accepted = world.connected();
    assert_eq!(world.pool.local_addr(accepted.conn).expect("it is open"), address);
    world.end();
}

/// The peer's, or the proxy's; what was dialed is told in any case.
pub fn a_connection_knows_the_other_end_of_its_socket<R: Rig>(rig: &R) {
    let (peer, mut world) = (TestPeer::listen(), TestWorld::start(rig, Setup::new(config()).listening()));
    world.add(peer.address());
    let dialed = world.connected().conn;
    assert_eq!(world.pool.peer_addr(dialed).expect("it is open"), peer.address());
    let theirs = PeerStream::connect(world.address()).expect("somebody listens");
    let accepted = world.connected().conn;
    assert_eq!(world.pool.peer_addr(accepted).expect("it is open"), theirs.our_end());
    world.end();

    let proxy = TestPeer::listen();
    let by = Proxy::new(proxy.address().into()).isolation(IsolationMode::Off).resolves(false);
    let mut world = TestWorld::start(rig, Setup::new(config()).by_proxy(by));
    world.add("node.example:1");
    let mut line = world.accept(&proxy);
    world.meanwhile("the proxy is asked", || {
        socks::serve(&mut line, Duration::ZERO);
        line.say(&socks::DONE);
    });
    let proxied = world.connected();
    assert_eq!(world.pool.peer_addr(proxied.conn).expect("it is open"), proxy.address());
    assert_eq!(proxied.address, Some("node.example:1".parse().expect("an address")));
    world.end();
}

/// Nagle's algorithm is off for dialed and accepted connections, also through a proxy.
pub fn small_messages_are_sent_at_once<R: Rig>(rig: &R) {
    let (peer, mut world) = (TestPeer::listen(), TestWorld::start(rig, Setup::new(config()).listening()));
    world.add(peer.address());
    let dialed = world.connected().conn;
    assert!(sends_at_once(&mut world, dialed), "dialed");
    let _theirs = PeerStream::connect(world.address()).expect("somebody listens");
    let accepted = world.connected().conn;
    assert!(sends_at_once(&mut world, accepted), "accepted");
    world.end();

    let proxy = TestPeer::listen();
    let by = Proxy::new(proxy.address().into()).isolation(IsolationMode::Off).resolves(false);
    let mut world = TestWorld::start(rig, Setup::new(config()).by_proxy(by));
    world.add(peer.address());
    let mut line = world.accept(&proxy);
    world.meanwhile("the proxy is asked", || {
        socks::serve(&mut line, Duration::ZERO);
        line.say(&socks::DONE);
    });
    let proxied = world.connected().conn;
    assert!(sends_at_once(&mut world, proxied), "by a proxy");
    world.end();
}

fn sends_at_once<R: Rig>(world: &mut TestWorld<R>, conn: ConnId) -> bool {
    SockRef::from(&world.pool.socket(conn)).tcp_nodelay().expect("a socket")
}
