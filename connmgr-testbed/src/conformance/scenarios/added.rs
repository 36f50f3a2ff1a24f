//! A peer that is added.

use connmgr_core::{Kind, PeerAddress};

use crate::conformance::{Rig, Setup, World, config};
use crate::peers::Peer;

/// It is dialed at once, and bytes go both ways.
pub fn an_added_peer_is_connected<R: Rig>(rig: &R) {
    let peer = Peer::listen();
    let mut world = World::start(rig, Setup::new(config()));
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
