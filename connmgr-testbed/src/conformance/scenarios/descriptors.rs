//! A process that is out of descriptors.

use std::net::TcpStream;
use std::time::Duration;

use connmgr_core::{Action, Input};
use connmgr_std::{Line as TraceLine, TraceReader};
use socket2::{Domain, Socket, Type};

use crate::conformance::limits::limit_descriptors;
use crate::conformance::{Rig, Setup, TestWorld, config};
use crate::peers::TestPeer;
use crate::process::cpu;

/// How long the process has none.
const DROUGHT: Duration = Duration::from_millis(150);

/// The listener pauses, longer each time and without spinning. Connections that waited meanwhile are accepted in the
/// end.
pub fn a_listener_without_descriptors_pauses_and_comes_back<R: Rig>(rig: &R) {
    let dir = tempfile::tempdir().expect("a directory");
    let trace = dir.path().join("trace");
    let setup = Setup { trace: Some(trace.clone()), ..Setup::new(config()).listening() };
    let mut world = TestWorld::start(rig, setup);
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let (busy, woke) = (cpu(), rig.wakes());
    limit_descriptors(Some(0));
    client.connect(&world.address().into()).expect("somebody listens");
    world.is_quiet(DROUGHT);
    limit_descriptors(None);
    let (busy, woke) = (cpu() - busy, rig.wakes() - woke);
    assert!(busy < DROUGHT / 2 && woke <= 20, "busy for {busy:?}, woke {woke} times");
    world.tells(&["connected inbound"]);
    drop(TcpStream::from(client));
    world.end();
    let count = |wanted: fn(&TraceLine) -> bool| {
        let lines = TraceReader::open(&trace).expect("a trace");
        lines.filter(|line| line.as_ref().is_ok_and(wanted)).count()
    };
    let failures = count(|line| matches!(line, TraceLine::Step { input: Input::AcceptError { .. }, .. }));
    let pauses = count(|line| matches!(line, TraceLine::Action(Action::PauseAccept { .. })));
    assert!(pauses >= 1 && failures <= 8, "{pauses} pauses for {failures} failures");
}

/// The failure counts as this machine's own, and the next dial succeeds.
pub fn a_dial_without_descriptors_is_not_the_peers_fault<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    limit_descriptors(Some(0));
    world.add(peer.address());
    world.tells(&["dial failed: out of descriptors, ports, memory or the driver's room"]);
    limit_descriptors(None);
    world.event("connected", |event| matches!(event, connmgr_std::PoolEvent::Connected(_)).then_some(()));
    world.end();
}
