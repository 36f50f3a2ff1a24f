//! Dials that succeed when they are no longer wanted.

use std::time::Duration;

use connmgr_core::{Input, IsolationMode, Proxy};
use connmgr_std::PoolEvent;

use crate::conformance::{Rig, Setup, TestWorld, config};
use crate::peers::{PeerStream, TestPeer, socks};

/// A dial through a proxy that has sent everything but its last byte.
fn all_but_done<R: Rig>(rig: &R) -> (TestWorld<R>, connmgr_core::PeerId, PeerStream) {
    let listener = TestPeer::listen();
    let proxy = Proxy::new(listener.address().into()).isolation(IsolationMode::Off).resolves(false);
    let mut world = TestWorld::start(rig, Setup::new(config()).by_proxy(proxy));
    let peer = world.add("node.example:1");
    let mut line = world.accept(&listener);
    world.meanwhile("the proxy is asked", || socks::serve(&mut line, Duration::ZERO));
    line.say(&socks::DONE[..9]);
    (world, peer, line)
}

/// The abort is carried out before the success arrives.
pub fn a_dial_that_succeeds_after_its_abort_is_not_shown<R: Rig>(rig: &R) {
    let (mut world, peer, mut line) = all_but_done(rig);
    world.bid(Input::RemovePeer { peer });
    world.tells(&["dial failed: peer removed"]);
    let heard = world.meanwhile("the proxy is hung up on", || {
        // It may arrive before the connection is closed, or fail.
        line.try_say(&socks::DONE[9..]);
        line.hear_out()
    });
    assert!(heard.is_empty());
    assert!(world.pool_is_idle());
    world.end();
}

/// A success and an abort at the same time leave nothing, whichever the adapter sees first.
pub fn a_dial_that_succeeds_at_its_abort_is_closed<R: Rig>(rig: &R) {
    let (mut world, peer, mut line) = all_but_done(rig);
    line.say(&socks::DONE[9..]);
    world.bid(Input::RemovePeer { peer });
    world.meanwhile("the proxy is hung up on", || line.hear_out());
    let told = world.end_and_listen();
    // If the application was given the connection before the command was carried out, it is told of the end.
    let opened = told.iter().filter(|event| matches!(event, PoolEvent::Connected(_))).count();
    assert_eq!(opened, 0, "{told:?}");
}
