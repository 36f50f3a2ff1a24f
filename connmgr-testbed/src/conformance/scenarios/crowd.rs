//! Many connections at once.

use std::collections::BTreeMap;

use connmgr_core::{ConnId, Kind};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{PeerStream, TestPeer};

/// Connections in each direction.
const EACH_WAY: u32 = 250;

/// All are connected, each is read by itself, half are ended by us and half by the peers, and nothing is left.
pub fn five_hundred_connections_are_held_at_once<R: Rig>(rig: &R) {
    crate::process::raise_descriptor_limit();
    let mut config = config();
    config.limits.total = 3 * EACH_WAY;
    config.limits.added = EACH_WAY;
    config.inbound.per_host = EACH_WAY;
    config.inbound.half_open = EACH_WAY;
    let mut world = TestWorld::start(rig, Setup::new(config).listening());
    let peers: Vec<TestPeer> = (0..EACH_WAY).map(|_| TestPeer::listen()).collect();
    let ids: Vec<_> = peers.iter().map(|peer| world.add(peer.address())).collect();
    let address = world.address();
    let come = || (0..EACH_WAY).map(|_| PeerStream::connect(address).expect("somebody listens")).collect();
    let strangers: Vec<PeerStream> = world.meanwhile("strangers come", come);

    let (mut by_peer, mut inbound) = (BTreeMap::new(), Vec::new());
    for _ in 0..2 * EACH_WAY {
        let info = world.connected();
        match (info.kind, info.peer) {
            (Kind::Added, Some(peer)) => assert!(by_peer.insert(peer, info.conn).is_none()),
            (Kind::Inbound, None) => inbound.push(info.conn),
            _ => panic!("{info:?}"),
        }
    }
    let outbound: Vec<ConnId> = ids.iter().map(|id| by_peer[id]).collect();
    let theirs: Vec<PeerStream> = peers.iter().map(|peer| peer.accept().expect("it is connected")).collect();
    let mut theirs: Vec<PeerStream> = theirs.into_iter().chain(strangers).collect();

    for (number, conn) in (0u32..).zip(outbound.iter().chain(&inbound)) {
        world.write(*conn, &number.to_be_bytes());
    }
    let mut said: Vec<u32> = theirs.iter_mut().map(|line| u32::from_be_bytes(line.hear())).collect();
    // Inbound connections come in no particular order.
    said[usize::try_from(EACH_WAY).expect("few")..].sort_unstable();
    assert_eq!(said, (0..2 * EACH_WAY).collect::<Vec<u32>>());

    for (number, line) in theirs.drain(..).enumerate() {
        if number % 2 == 0 { line.reset() } else { drop(line) }
    }
    for conn in inbound {
        world.pool.release(conn);
        world.disconnected(conn);
    }
    let told = world.end_and_listen();
    assert!(told.len() > outbound.len());
}
