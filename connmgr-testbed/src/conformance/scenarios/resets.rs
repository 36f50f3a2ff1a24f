//! Peers and proxies that reset the connection, at every stage.

use std::time::Duration;

use connmgr_core::{AddedPeer, CloseCause, ConnId, EndReason, Input, IsolationMode, Keep, Proxy};

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::{PeerStream, TestPeer, socks};

/// A connection that an added peer has accepted.
fn open<R: Rig>(rig: &R) -> (TestWorld<R>, ConnId, PeerStream) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(peer.address());
    let theirs = world.accept(&peer);
    let conn = world.connected().conn;
    (world, conn, theirs)
}

/// Reads until the reset is seen, drops the connection, and returns the reported cause.
fn told_of_the_reset<R: Rig>(world: &mut TestWorld<R>, conn: ConnId) -> EndReason {
    let mut buffer = [0; 8];
    let read = world.pool.read(conn, &mut buffer, crate::peers::PATIENCE);
    assert!(read.is_err(), "{read:?}");
    world.pool.release(conn);
    world.disconnected(conn)
}

/// Nothing was read: the peer may not understand the transport.
pub fn a_reset_before_the_first_byte_is_told<R: Rig>(rig: &R) {
    let (mut world, conn, theirs) = open(rig);
    theirs.reset();
    assert_eq!(told_of_the_reset(&mut world, conn), EndReason::Theirs(CloseCause::Unheard));
    world.end();
}

/// Bytes of the peer were read before.
pub fn a_reset_after_the_first_byte_is_told<R: Rig>(rig: &R) {
    let (mut world, conn, mut theirs) = open(rig);
    theirs.say(b"hello");
    assert_eq!(world.read(conn, 5), b"hello");
    theirs.reset();
    assert_eq!(told_of_the_reset(&mut world, conn), EndReason::Theirs(CloseCause::Reset));
    world.end();
}

/// A writer sees the reset too.
pub fn a_reset_is_seen_by_whoever_writes<R: Rig>(rig: &R) {
    let (mut world, conn, mut theirs) = open(rig);
    theirs.say(b"hello");
    assert_eq!(world.read(conn, 5), b"hello");
    theirs.reset();
    world.until("a write fails", |pool| pool.write(conn, b"hello?").err());
    world.pool.release(conn);
    assert_eq!(world.disconnected(conn), EndReason::Theirs(CloseCause::Reset));
    world.end();
}

/// An inbound connection is reset while it waits to be accepted, or right after.
pub fn a_stranger_that_resets_at_once_harms_nobody<R: Rig>(rig: &R) {
    let mut config = config();
    config.inbound.per_host = 16;
    config.inbound.half_open = 16;
    let mut world = TestWorld::start(rig, Setup::new(config).listening());
    for _ in 0..8 {
        PeerStream::connect(world.address()).expect("somebody listens").reset();
    }
    let mut last = PeerStream::connect(world.address()).expect("somebody listens");
    last.say(b"hello");
    let heard = |world: &mut TestWorld<R>| {
        let conn = world.connected().conn;
        let mut buffer = [0; 5];
        let heard = world.pool.read(conn, &mut buffer, crate::peers::PATIENCE).is_ok_and(|count| count == 5);
        world.pool.release(conn);
        heard.then_some(())
    };
    (0..9).find_map(|_| heard(&mut world)).expect("the last is let in");
    world.until("all are gone", |pool| pool.connections().is_empty().then_some(()));
    world.end();
}

/// How far a proxy follows the protocol before it resets.
const STAGES: [fn(&mut PeerStream); 6] = [
    |_| {},
    |line| {
        socks::hear_greeting(line);
    },
    |line| {
        socks::hear_greeting(line);
        line.say(&[5]);
    },
    |line| {
        socks::hear_greeting(line);
        line.say(&[5, socks::USER_PASSWORD]);
        socks::hear_credentials(line);
    },
    |line| {
        socks::serve(line, Duration::ZERO);
    },
    |line| {
        socks::serve(line, Duration::ZERO);
        line.say(&socks::DONE[..7]);
    },
];

/// The failure is the proxy's, whatever it sent before, and not the target's.
pub fn a_proxy_that_resets_at_any_stage_has_failed<R: Rig>(rig: &R) {
    let listener = TestPeer::listen();
    let proxy = Proxy::new(listener.address().into()).isolation(IsolationMode::Preferred).resolves(false);
    let mut world = TestWorld::start(rig, Setup::new(config()).by_proxy(proxy));
    for stage in STAGES {
        let address = "node.example:1".parse().expect("an address");
        world.ask(Input::AddPeer { peer: AddedPeer::new(address).keep(Keep::Once) });
        let mut line = world.accept(&listener);
        world.meanwhile("the proxy goes along", || {
            stage(&mut line);
            line.reset();
        });
        let failure = world.next_tale();
        // The reset may come before the adapter has seen that it is connected.
        let reset_at_once = failure == "dial failed: proxy unreachable";
        assert!(failure == "dial failed: the proxy failed" || reset_at_once, "{failure}");
        assert!(world.next_tale().starts_with("finished"));
    }
    assert!(world.pool_is_idle());
    world.end();
}
