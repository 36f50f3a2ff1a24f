//! Half-closed streams.

use connmgr_core::{CloseCause, EndReason};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::TestPeer;

/// It reads what is written after that, and the end is reported when the application drops the connection.
pub fn a_peer_that_has_said_everything_still_listens<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    let mut theirs = world.accept(&peer);
    let conn = world.connected().conn;
    theirs.say(b"bye");
    theirs.close_half();
    assert_eq!(world.read(conn, 8), b"bye");
    assert_eq!(world.pool.connections().len(), 1, "it is the application that ends it");
    world.write(conn, b"and you");
    assert_eq!(&theirs.hear(), b"and you");
    world.pool.release(conn);
    assert!(theirs.hear_out().is_empty());
    assert_eq!(world.disconnected(conn), EndReason::Theirs(CloseCause::Eof));
    world.end();
}

/// The peer reads the end, and what it sends is still read.
pub fn our_half_can_be_closed_alone<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    let mut theirs = world.accept(&peer);
    let conn = world.connected().conn;
    world.write(conn, b"bye");
    world.pool.close_half(conn).expect("an open stream");
    assert_eq!(theirs.hear_out(), b"bye");
    theirs.say(b"and you");
    assert_eq!(world.read(conn, 7), b"and you");
    assert!(world.pool.write(conn, b"one more").is_err());
    world.pool.release(conn);
    world.disconnected(conn);
    world.end();
}
