//! A listener that the application opened, or a supervisor.

use std::net::{Ipv4Addr, TcpListener};

use connmgr_core::{AddPeerError, AddedPeer, Input, Reply};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::PeerStream;

/// It is told from the pool's own, and need not be set not to block before.
pub fn who_comes_to_a_listener_that_was_given_is_let_in<R: Rig>(rig: &R) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of loopback");
    let address = listener.local_addr().expect("bound");
    // Who came before the pool is let in too.
    let mut early = PeerStream::connect(address).expect("somebody listens");
    let mut world = TestWorld::start(rig, Setup::new(config()).listening().listening_on(listener));
    assert_eq!(world.pool.local_addrs()[1..], [address]);
    let ours = world.connected();
    early.say(b"hello");
    assert_eq!(world.read(ours.conn, 5), b"hello");
    let _other = PeerStream::connect(world.address()).expect("somebody listens");
    assert_ne!(world.connected().listener, ours.listener);
    world.end();
}

/// So it is never dialed.
pub fn a_listener_that_was_given_is_known_as_our_own<R: Rig>(rig: &R) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of loopback");
    let address = listener.local_addr().expect("bound");
    let mut world = TestWorld::start(rig, Setup::new(config()).listening_on(listener));
    let added = world.ask(Input::AddPeer { peer: AddedPeer::new(address.into()) });
    assert_eq!(added, Reply::Added(Err(AddPeerError::OwnAddress)));
    world.end();
}
