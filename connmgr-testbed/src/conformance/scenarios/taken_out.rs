//! Streams that somebody else reads and writes, as streams of the standard library.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use connmgr_core::{CloseCause, CloseReason, ConnId, EndReason, Input};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{PATIENCE, PeerStream, TestPeer};

/// A connection whose stream was taken out, which blocks, and the peer's end.
fn taken<R: Rig>(rig: &R) -> (TestWorld<R>, ConnId, TcpStream, PeerStream) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    let theirs = world.accept(&peer);
    let conn = world.connected().conn;
    let ours = world.pool.to_std(conn).expect("a descriptor");
    ours.set_nonblocking(false).expect("a socket");
    ours.set_read_timeout(Some(PATIENCE)).expect("a socket");
    (world, conn, ours, theirs)
}

/// Dropping the stream alone ends nothing.
pub fn a_stream_that_was_taken_out_belongs_to_its_owner_until_it_is_released<R: Rig>(rig: &R) {
    let (mut world, conn, mut ours, mut theirs) = taken(rig);
    ours.write_all(b"ping").expect("an open stream");
    assert_eq!(&theirs.hear(), b"ping");
    theirs.say(b"pong");
    let mut heard = [0; 4];
    ours.read_exact(&mut heard).expect("an open stream");
    assert_eq!(&heard, b"pong");
    let other = ours.try_clone().expect("a descriptor");
    drop(ours);
    assert_eq!(world.pool.connections().len(), 1);
    let since = Instant::now();
    world.pool.release(conn);
    assert!(since.elapsed() < PATIENCE / 2, "it waits for bytes, though its owner may have made it block");
    assert!(world.meanwhile("their end", || theirs.hear_out()).is_empty());
    assert_eq!(world.disconnected(conn), EndReason::Dropped);
    drop(other);
    world.end();
}

/// The owner reads its end and can't write.
pub fn a_stream_that_was_taken_out_is_shut_when_we_close<R: Rig>(rig: &R) {
    let (mut world, conn, mut ours, mut theirs) = taken(rig);
    world.bid(Input::Disconnect { conn });
    assert_eq!(world.disconnected(conn), EndReason::Ours(CloseReason::Requested));
    assert_eq!(ours.read(&mut [0; 8]).expect("its end"), 0);
    assert!(ours.write(b"too late").is_err());
    assert!(world.meanwhile("their end", || theirs.hear_out()).is_empty());
    world.pool.release(conn);
    assert_eq!(world.pool.stats().ignored_facts, 0);
    world.end();
}

/// When it is released, the pool looks how it ended.
pub fn the_peers_end_of_a_stream_that_was_taken_out_is_told<R: Rig>(rig: &R) {
    let (mut world, conn, mut ours, mut theirs) = taken(rig);
    theirs.say(b"bye");
    drop(theirs);
    let mut heard = Vec::new();
    ours.read_to_end(&mut heard).expect("its end");
    assert_eq!(heard, b"bye");
    world.pool.release(conn);
    assert_eq!(world.disconnected(conn), EndReason::Theirs(CloseCause::Eof));
    world.end();
}
