//! A peer's host that refuses connections.

use std::time::Duration;

use connmgr_core::Input;

use crate::conformance::{Rig, Setup, TestWorld, config};
use crate::peers::TestPeer;

/// Enough to see that the dials go on.
const ROUNDS: usize = 4;

/// Each failure is reported, retries go on, and end with the first accept.
pub fn a_peer_that_refuses_is_tried_until_it_accepts<R: Rig>(rig: &R) {
    let address = TestPeer::nobody();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let id = world.add(address);
    for _ in 0..ROUNDS {
        world.tells(&["dial failed: connection refused"]);
    }
    let _peer = TestPeer::listen_at(address);
    assert_eq!(world.connected().peer, Some(id));
    world.end();
}

/// The event of the retry follows the failure, and counts the attempts.
pub fn every_failure_is_followed_by_the_time_of_its_retry<R: Rig>(rig: &R) {
    let mut config = config();
    config.retry.base = Duration::from_secs(60);
    config.retry.cap = config.retry.base;
    let mut world = TestWorld::start(rig, Setup::new(config));
    let peer = world.add(TestPeer::nobody());
    world.tells_all(&["dial failed: connection refused", "retry 1"]);
    world.bid(Input::DialNow { peer });
    world.tells_all(&["dial failed: connection refused", "retry 2"]);
    world.bid(Input::RemovePeer { peer });
    assert!(world.pool_is_idle());
    world.end();
}
