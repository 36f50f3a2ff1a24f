//! A peer's host is there, and nobody listens.

use crate::conformance::{Rig, Setup, World, config};
use crate::peers::Peer;

/// More often than there are tokens, tasks or whatever else an adapter may lose with a failed dial.
const ROUNDS: usize = 4;

/// Each failure is told, the back-off goes on, and the first accept ends it.
pub fn a_peer_that_refuses_is_tried_until_it_accepts<R: Rig>(rig: &R) {
    let peer = Peer::listen();
    let address = peer.address();
    drop(peer);
    let mut config = config();
    config.limits.added = 1;
    let mut world = World::start(rig, Setup::new(config));
    let id = world.add(address);
    for _ in 0..ROUNDS {
        world.tells(&["dial failed: connection refused"]);
    }
    let _peer = Peer::listen_at(address);
    assert_eq!(world.connected().peer, Some(id));
    world.end();
}
