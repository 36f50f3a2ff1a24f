//! Inbound connections.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use connmgr_core::{Event, Input, Kind, NetworkKind};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::PeerStream;

/// The connection is shown, read to its end, and its end is reported.
pub fn who_comes_is_connected_and_who_goes_is_missed<R: Rig>(rig: &R) {
    let mut world = TestWorld::start(rig, Setup::new(config()).listening());
    let mut theirs = PeerStream::connect(world.address()).expect("somebody listens");
    let ours = world.connected();
    assert_eq!((ours.kind, ours.peer, ours.listener.is_some()), (Kind::Inbound, None, true));
    theirs.say(b"hello");
    drop(theirs);
    assert_eq!(world.read(ours.conn, 8), b"hello");
    world.pool.release(ours.conn);
    world.tells(&["disconnected: closed by the other end"]);
    assert!(world.pool.connections().is_empty());
    world.end();
}

/// The connection is closed, and the application is told within a second.
pub fn one_too_many_of_a_host_is_refused<R: Rig>(rig: &R) {
    let mut config = config();
    config.inbound.per_host = 1;
    let mut world = TestWorld::start(rig, Setup::new(config).listening());
    let _first = PeerStream::connect(world.address()).expect("somebody listens");
    world.tells(&["connected inbound"]);
    let mut second = PeerStream::connect(world.address()).expect("somebody listens");
    assert!(world.meanwhile("the second is hung up on", || second.hear_out()).is_empty());
    assert_eq!((world.pool.connections().len(), world.pool.stats().refused), (1, 1));
    world.tells(&["refused: 1 too many connections from one host"]);
    assert!(world.end_and_listen().len() == 2, "its end and ours");
}

/// Each is accepted and each end is reported, however many come at a time.
pub fn a_hundred_that_go_at_once_are_all_missed<R: Rig>(rig: &R) {
    let mut config = config();
    config.limits.total = 200;
    config.inbound.per_host = 200;
    config.inbound.half_open = 200;
    let mut world = TestWorld::start(rig, Setup::new(config).listening());
    let theirs: Vec<PeerStream> =
        (0..100).map(|_| PeerStream::connect(world.address()).expect("somebody listens")).collect();
    let mut held: BTreeSet<_> = theirs.iter().map(|_| world.connected().conn).collect();
    assert_eq!(held.len(), 100);
    for conn in &held {
        world.pool.release(*conn);
    }
    while !held.is_empty() {
        let gone = world.said("Disconnected", |event| match event {
            Event::Disconnected { conn, .. } => Some(conn),
            _ => None,
        });
        assert!(held.remove(&gone));
    }
    assert!(world.pool.connections().is_empty());
    world.end();
}

/// By number, and by whether remote hosts can be seen.
pub fn two_listeners_are_told_apart<R: Rig>(rig: &R) {
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let setup = Setup::new(config()).listening().listening_at(any_port, Some(NetworkKind::Onion));
    let mut world = TestWorld::start(rig, setup);
    let mut seen = Vec::new();
    for address in world.pool.local_addrs() {
        let _theirs = PeerStream::connect(address).expect("somebody listens");
        let ours = world.connected();
        seen.push((ours.listener, ours.address.is_some()));
    }
    assert_ne!(seen[0].0, seen[1].0);
    // On an onion listener every remote is the local proxy.
    assert_eq!((seen[0].1, seen[1].1), (true, false));
    world.end();
}

/// The port is closed when the last event is taken.
pub fn after_a_shutdown_nobody_is_let_in<R: Rig>(rig: &R) {
    let mut world = TestWorld::start(rig, Setup::new(config()).listening());
    let address = world.address();
    world.bid(Input::Shutdown);
    world.tells(&["stopped", "end"]);
    assert!(TcpStream::connect(address).is_err());
    world.end();
}
