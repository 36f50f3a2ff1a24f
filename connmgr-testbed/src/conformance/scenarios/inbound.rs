//! Those who come to us.

use connmgr_core::Kind;

use crate::conformance::{Rig, RigPool, Setup, World, config};
use crate::peers::Line;

/// Who comes is shown, is heard to the end, and its end is told.
pub fn who_comes_is_connected_and_who_goes_is_missed<R: Rig>(rig: &R) {
    let mut world = World::start(rig, Setup::new(config()).listening());
    let mut theirs = Line::connect(world.address()).expect("somebody listens");
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
