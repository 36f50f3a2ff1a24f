//! The end of a pool. Every scenario counts at its end that nothing is left.

use std::net::Ipv4Addr;
use std::time::Duration;

use connmgr_core::{BanTarget, Event, Host, Input, IsolationMode, Proxy};
use connmgr_std::PoolEvent;

use super::seeds::seeded;
use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{PATIENCE, PeerStream, TestPeer};

/// A proxy that accepts connections and sends nothing does not delay the shutdown.
pub fn a_shutdown_in_the_middle_of_dials_hangs_up_on_everyone<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let proxy = Proxy::new(listener.address().into()).isolation(IsolationMode::Off).resolves(false);
    let mut world = TestWorld::start(rig, Setup::new(config()).by_proxy(proxy));
    let mut lines = Vec::new();
    for number in 0..3 {
        world.add(format!("node{number}.example:1"));
        lines.push(world.accept(&listener));
    }
    world.end();
    for mut line in lines {
        line.hear_out();
    }
}

/// A proxy that was asked for a name does not delay the shutdown.
pub fn a_shutdown_in_the_middle_of_a_lookup_hangs_up_on_the_proxy<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let (setup, _) = seeded(&listener, PATIENCE);
    let mut world = TestWorld::start(rig, setup);
    let mut line = world.accept(&listener);
    world.end();
    line.hear_out();
}

/// Each connection's end is reported once, then `Stopped`, then nothing.
pub fn the_last_event_is_stopped<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    let ours = world.connected().conn;
    let told = world.end_and_listen();
    let ended =
        |event: &PoolEvent<_>| matches!(event, PoolEvent::Event(Event::Disconnected { conn, .. }) if *conn == ours);
    assert_eq!(told.iter().filter(|event| ended(event)).count(), 1);
    assert!(matches!(told.last(), Some(PoolEvent::Event(Event::Stopped))), "{told:?}");
}

/// The peers see the end, though the application still holds the connections.
pub fn a_pool_that_is_dropped_closes_its_connections<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()).listening());
    world.add(peer.address());
    let mut theirs = [world.accept(&peer), PeerStream::connect(world.address()).expect("somebody listens")];
    world.connected();
    world.connected();
    let left = world.pool.abandon();
    rig.turn(Duration::from_millis(20));
    for theirs in &mut theirs {
        assert!(theirs.hear_out().is_empty());
    }
    drop(left);
}

/// Everything that a pool can have under way at once: a silent dial, a dial that negotiates with a proxy, a lookup that
/// hangs, waiting retries, connections in both directions, with and without a handshake, inbound connections that were
/// not accepted yet, a ban that is being saved.
#[cfg(target_os = "linux")]
pub fn a_shutdown_in_the_middle_of_everything_leaves_nothing<R: Rig>(rig: &R) {
    use super::names::Hanging;
    use crate::peers::{Silent, socks};

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333";
    let dir = tempfile::tempdir().expect("a directory");
    let (peer, silent, proxy, hanging) = (TestPeer::listen(), Silent::listen(), TestPeer::listen(), Hanging::default());
    let mut config = config();
    config.proxies.onion = Some(Proxy::new(proxy.address().into()).isolation(IsolationMode::Required).resolves(false));
    let resolver = hanging.clone();
    let setup = Setup::new(config).listening().with_state_in(dir.path());
    let mut world = TestWorld::start(rig, setup.resolving(move |name| resolver.resolve(name)));

    for address in [peer.address(), silent.address(), TestPeer::nobody()] {
        world.add(address);
    }
    world.add("node.example:1");
    world.add(ONION);
    let mut line = world.accept(&proxy);
    world.meanwhile("a greeting", || socks::hear_greeting(&mut line));
    let mut theirs = PeerStream::connect(world.address()).expect("somebody listens");
    let conns = [world.connected().conn, world.connected().conn];
    world.pool.reporter(conns[0]).report_ready(Default::default());
    world.bid(Input::Ban { target: BanTarget::Host(Host::from(Ipv4Addr::new(192, 0, 2, 7))), duration: PATIENCE });
    let strangers = [(); 3].map(|()| PeerStream::connect(world.address()).expect("somebody listens"));

    let told = world.end_and_listen();
    let ends = told.iter().filter(|event| matches!(event, PoolEvent::Event(Event::Disconnected { .. })));
    assert!(ends.count() >= conns.len(), "{told:?}");
    for mut line in [line].into_iter().chain(strangers) {
        line.hear_out();
    }
    assert!(theirs.hear_out().is_empty());
    assert!(peer.accept().expect("it was connected").hear_out().is_empty());
    hanging.let_go();
}
