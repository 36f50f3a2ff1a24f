//! A peer whose host does not answer at all.

use std::time::Duration;

use connmgr_core::{Input, PeerState};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{Silent, TestPeer};

/// Linux repeats a first packet that was not answered after one second.
const REPEATED_WITHIN: Duration = Duration::from_millis(1300);

/// The dial is given up at its deadline, and delays no other.
pub fn a_silent_peer_is_given_up_at_its_deadline<R: Rig>(rig: &R) {
    let (silent, peer) = (Silent::listen(), TestPeer::listen());
    let mut config = config();
    config.dial.direct.timeout = Duration::from_millis(200);
    config.dial.direct.hedge_after = Duration::from_millis(100);
    config.retry.base = Duration::from_secs(60);
    config.retry.cap = config.retry.base;
    let mut world = TestWorld::start(rig, Setup::new(config));
    world.add(silent.address());
    world.add(peer.address());
    world.tells_all(&["connected added", "dial failed: no answer in time", "retry 1"]);
    world.end();
}

/// A dial before its deadline goes on until the peer answers.
pub fn a_silent_peer_that_wakes_is_connected<R: Rig>(rig: &R) {
    let mut silent = Silent::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let id = world.add(silent.address());
    world.is_quiet(Duration::from_millis(20));
    silent.wake();
    assert_eq!(world.connected().peer, Some(id));
    assert!(silent.accept().is_some());
    world.end();
}

/// A dial that was given up makes no connection, though the peer would accept it by now.
pub fn a_dial_that_was_given_up_reaches_nobody<R: Rig>(rig: &R) {
    let mut silent = Silent::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let peer = world.add(silent.address());
    world.is_quiet(Duration::from_millis(20));
    assert!(matches!(world.pool.added_peers()[0].state, PeerState::Dialing(_)));
    world.bid(Input::RemovePeer { peer });
    world.tells(&["dial failed: peer removed"]);
    silent.wake();
    world.is_quiet(REPEATED_WITHIN);
    assert!(silent.accept().is_none());
    world.end();
}
