//! Added peers.

use std::time::Instant;

use connmgr_core::{CloseReason, EndReason, Event, Input, Kind, PeerAddress};
use connmgr_std::PoolEvent;

use crate::conformance::{BACKOFF, Rig, RigPool, Setup, TestWorld, config};
use crate::peers::TestPeer;

const TAG: u64 = 7;

/// The peer is dialed at once, and bytes go both ways.
pub fn an_added_peer_is_connected<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let id = world.add(peer.address());
    let mut theirs = world.accept(&peer);
    let ours = world.connected();
    assert_eq!((ours.peer, ours.kind, ours.listener), (Some(id), Kind::Added, None));
    assert_eq!(ours.address, Some(PeerAddress::from(peer.address())));
    world.write(ours.conn, b"ping");
    assert_eq!(&theirs.hear(), b"ping");
    theirs.say(b"pong");
    assert_eq!(world.read(ours.conn, 4), b"pong");
    world.end();
}

/// The application drops the connection, and gets another.
pub fn a_connection_that_is_released_is_made_again_after_its_back_off<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let id = world.add_tagged(peer.address(), TAG);
    let first = world.connected().conn;
    let since = Instant::now();
    world.pool.release(first);
    let (mut ended, mut scheduled) = (None, None);
    world.event("Disconnected and RetryScheduled", |event| {
        match event {
            PoolEvent::Event(Event::Disconnected { conn, peer, reason, tag }) => {
                ended = Some((conn, peer, tag, reason));
            }
            PoolEvent::RetryScheduled { peer, tag, .. } => scheduled = Some((peer, tag)),
            _ => {}
        }
        (ended.is_some() && scheduled.is_some()).then_some(())
    });
    assert_eq!(ended, Some((first, Some(id), Some(TAG), EndReason::Dropped)));
    assert_eq!(scheduled, Some((id, Some(TAG))));
    let again = world.connected();
    assert!(again.conn > first && again.peer == Some(id));
    assert!(since.elapsed() >= BACKOFF);
    assert_eq!(world.pool.stats().ignored_facts, 0);
    world.end();
}

/// Reads end, writes fail, and what had arrived is not read any more.
pub fn a_connection_that_we_close_ends_for_whoever_holds_it<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    let mut theirs = world.accept(&peer);
    let conn = world.connected().conn;
    theirs.say(b"too late");
    world.bid(Input::Disconnect { conn });
    assert_eq!(world.read(conn, 8), b"");
    assert!(world.pool.write(conn, b"too late").is_err());
    assert!(world.meanwhile("their end", || theirs.hear_out()).is_empty());
    assert_eq!(world.disconnected(conn), EndReason::Ours(CloseReason::Requested));
    world.pool.release(conn);
    // The end of a stream that the manager closed itself is not reported to it.
    assert_eq!(world.pool.stats().ignored_facts, 0);
    world.end();
}
