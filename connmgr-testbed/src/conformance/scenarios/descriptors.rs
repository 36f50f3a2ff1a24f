//! A process without descriptors.

use std::net::TcpStream;
use std::time::Duration;

use connmgr_core::Action;
use connmgr_std::{Line as TraceLine, TraceReader};
use socket2::{Domain, Socket, Type};

use crate::conformance::limits::{cpu_time, limit_descriptors};
use crate::conformance::{Rig, Setup, World, config};
use crate::peers::Peer;

/// How long the process has none.
const DROUGHT: Duration = Duration::from_millis(150);

/// It pauses, ever longer and without spinning, and whoever waited meanwhile is let in in the end.
pub fn a_listener_without_descriptors_pauses_and_comes_back<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = dir.path().join("trace");
    let setup = Setup { trace: Some(trace.clone()), ..Setup::new(config()).listening() };
    let mut world = World::start(rig, setup);
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    limit_descriptors(Some(0));
    client.connect(&world.address().into()).expect("somebody listens");
    let busy = cpu_time();
    world.is_quiet(DROUGHT);
    let busy = cpu_time() - busy;
    limit_descriptors(None);
    assert!(busy < DROUGHT / 2, "busy for {busy:?}");
    world.tells(&["connected inbound"]);
    drop(TcpStream::from(client));
    world.end();
    let is_pause = |line: &Result<TraceLine, _>| matches!(line, Ok(TraceLine::Action(Action::PauseAccept { .. })));
    let pauses = TraceReader::open(&trace).expect("a trace").filter(is_pause).count();
    assert!((1..=8).contains(&pauses), "{pauses} pauses");
}

/// It is our own fault, and told as such; the next goes well.
pub fn a_dial_without_descriptors_is_not_the_peers_fault<R: Rig>(rig: &R) {
    let peer = Peer::listen();
    let mut world = World::start(rig, Setup::new(config()));
    limit_descriptors(Some(0));
    world.add(peer.address());
    world.tells(&["dial failed: out of descriptors, ports or memory"]);
    limit_descriptors(None);
    world.event("connected", |event| matches!(event, connmgr_std::PoolEvent::Connected(_)).then_some(()));
    world.end();
}
