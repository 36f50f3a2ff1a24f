//! Peers that accept a connection and close it.

use connmgr_core::{CloseCause, EndReason, Event};
use connmgr_std::PoolEvent;

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::TestPeer;

/// The end is reported as one before the first byte.
pub fn a_peer_that_hangs_up_without_a_word_is_told_so<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    drop(world.accept(&peer));
    let conn = world.connected().conn;
    assert_eq!(world.read(conn, 8), b"");
    world.pool.release(conn);
    assert_eq!(world.disconnected(conn), EndReason::Theirs(CloseCause::Unheard));
    world.end();
}

/// An open connection is no success yet: the back-off of a peer that closes at once grows all the same.
pub fn a_peer_that_closes_at_once_is_dialed_ever_more_slowly<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    for round in 1..=3 {
        drop(world.accept(&peer));
        let conn = world.connected().conn;
        assert_eq!(world.read(conn, 8), b"");
        world.pool.release(conn);
        world.tells(&["disconnected: closed by the other end without a word"]);
        let attempt = world.event("a retry", |event| match event {
            PoolEvent::RetryScheduled { attempt, .. } => Some(attempt),
            PoolEvent::Event(Event::Disconnected { .. }) | PoolEvent::Connected(_) => panic!("before its back-off"),
            _ => None,
        });
        assert_eq!(attempt, round);
    }
    world.end();
}
