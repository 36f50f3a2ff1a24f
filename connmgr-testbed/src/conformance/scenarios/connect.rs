//! Connections that are asked for, once and now.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::{
    AddPeerError, AddedPeer, AddressInfo, BanTarget, DialError, DialFailure, Host, Input, IsolationMode, Kind,
    LookupError, Mode, Obstacle, PeerAddress, Proxy,
};
#[cfg(target_os = "linux")]
use connmgr_core::{CloseReason, PeerState};
use connmgr_std::ConnectError;

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
#[cfg(target_os = "linux")]
use crate::peers::Silent;
use crate::peers::{PATIENCE, TestPeer, socks};

/// Enough for a dial on loopback to begin and to open.
const MOMENT: Duration = Duration::from_millis(30);

const REFUSED: ConnectError = ConnectError::DialFailed(DialFailure::Failed(DialError::Refused));

fn at(address: SocketAddr) -> AddedPeer {
    AddedPeer::new(PeerAddress::from(address))
}

fn named(name: &str) -> AddedPeer {
    AddedPeer::new(name.parse().expect("a name"))
}

/// A proxy for everything, and a pool that uses it.
fn by_a_proxy() -> (TestPeer, Setup) {
    let listener = TestPeer::listen();
    let proxy = Proxy::new(listener.address().into()).isolation(IsolationMode::Required).resolves(false);
    (listener, Setup::new(config()).by_proxy(proxy))
}

/// Its end is an event, and it is not dialed again.
pub fn a_connection_that_is_asked_for_is_had_and_is_no_event<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let ours = world.connect(at(peer.address()).tag(7)).expect("somebody listens");
    assert_eq!((ours.kind, ours.tag), (Kind::Added, Some(7)));
    assert_eq!(ours.address, Some(PeerAddress::from(peer.address())));
    world.is_quiet(MOMENT);
    let mut theirs = world.accept(&peer);
    world.write(ours.conn, b"ping");
    assert_eq!(&theirs.hear(), b"ping");
    theirs.say(b"pong");
    assert_eq!(world.read(ours.conn, 4), b"pong");
    world.pool.release(ours.conn);
    assert!(world.next_tale().starts_with("disconnected"));
    assert!(world.next_tale().starts_with("finished"));
    world.is_quiet(MOMENT);
    assert!(peer.accept().is_none() && world.pool.added_peers().is_empty());
    world.end();
}

/// There is no second try.
pub fn a_peer_that_refuses_is_the_end_of_it<R: Rig>(rig: &R) {
    let mut world = TestWorld::start(rig, Setup::new(config()));
    assert_eq!(world.connect(at(TestPeer::nobody())), Err(REFUSED));
    world.tells(&["dial failed: connection refused"]);
    assert!(world.next_tale().starts_with("finished"));
    world.is_quiet(MOMENT);
    assert!(world.pool.added_peers().is_empty());
    world.end();
}

/// The lookup's error is told.
pub fn a_name_that_nobody_knows_is_not_found<R: Rig>(rig: &R) {
    let setup = Setup::new(config()).resolving(|_| Err(LookupError::NotFound));
    let mut world = TestWorld::start(rig, setup);
    let outcome = world.connect(named("node.example:8333"));
    assert_eq!(outcome, Err(ConnectError::LookupFailed(LookupError::NotFound)));
    world.end();
}

/// As of any added peer.
pub fn the_next_address_is_tried_until_one_opens<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let both = at(TestPeer::nobody()).or(peer.address().into());
    let ours = world.connect(both).expect("somebody listens");
    assert_eq!(ours.address, Some(PeerAddress::from(peer.address())));
    world.tells(&["dial failed: connection refused"]);
    world.end();
}

/// However soon the connection ends.
pub fn once_connected_no_other_address_is_tried<R: Rig>(rig: &R) {
    let (first, second) = (TestPeer::listen(), TestPeer::listen());
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let both = at(first.address()).or(second.address().into());
    let ours = world.connect(both).expect("somebody listens");
    drop(world.accept(&first));
    assert_eq!(world.read(ours.conn, 1), b"");
    world.pool.release(ours.conn);
    world.until("the peer is not added any more", |pool| pool.added_peers().is_empty().then_some(()));
    // Nothing comes of a dial that may have been under way.
    let told = world.end_and_listen();
    assert!(!told.iter().any(|event| matches!(event, connmgr_std::PoolEvent::Connected(_))), "{told:?}");
}

/// One error for each obstacle.
pub fn what_forbids_the_dial_is_told_at_once<R: Rig>(rig: &R) {
    let own: PeerAddress = "192.0.2.1:8333".parse().expect("an address");
    let mut config = config();
    config.own_addresses = vec![own.clone()];
    let mut world = TestWorld::start(rig, Setup::new(config));
    let banned = Host::from(Ipv4Addr::new(192, 0, 2, 7));
    world.bid(Input::Ban { target: BanTarget::Host(banned.clone()), duration: PATIENCE });
    let obstacle = |outcome| match outcome {
        Err(ConnectError::Forbidden(obstacle)) => obstacle,
        other => panic!("not forbidden: {other:?}"),
    };
    assert_eq!(obstacle(world.connect(AddedPeer::new(own))), Obstacle::OwnAddress);
    assert_eq!(obstacle(world.connect(AddedPeer::new(PeerAddress::new(banned, 1)))), Obstacle::Banned);
    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333";
    assert_eq!(obstacle(world.connect(named(ONION))), Obstacle::Unreachable);
    assert!(matches!(obstacle(world.connect(named("192.0.2.3:0"))), Obstacle::NotDialable(_)));
    world.bid(Input::SetActive { active: false });
    assert_eq!(world.connect(at(TestPeer::nobody())), Err(ConnectError::Inactive));
    world.end();
}

/// The peer is not kept waiting for the end of the ban.
pub fn what_a_name_leads_to_may_be_forbidden_too<R: Rig>(rig: &R) {
    let banned = Ipv4Addr::new(192, 0, 2, 7);
    let setup = Setup::new(config()).resolving(move |_| Ok(vec![IpAddr::from(banned)]));
    let mut world = TestWorld::start(rig, setup);
    world.bid(Input::Ban { target: BanTarget::Host(Host::from(banned)), duration: PATIENCE });
    let outcome = world.connect(named("node.example:8333"));
    assert_eq!(outcome, Err(ConnectError::Forbidden(Obstacle::Banned)));
    assert!(world.pool.added_peers().is_empty());
    world.end();
}

/// Neither for one of all connections, nor for one of all added peers.
pub fn without_a_slot_it_does_not_wait<R: Rig>(rig: &R) {
    let (peer, other) = (TestPeer::listen(), TestPeer::listen());
    let mut config = config();
    config.limits.total = 1;
    config.limits.added = 2;
    let mut world = TestWorld::start(rig, Setup::new(config));
    let ours = world.connect(at(peer.address())).expect("somebody listens");
    assert_eq!(world.connect(at(other.address())), Err(ConnectError::NoSlot));
    world.add("192.0.2.1:1");
    assert_eq!(world.connect(at(other.address())), Err(ConnectError::NotAdded(AddPeerError::Full)));
    assert_eq!(world.pool.connections().len(), 1);
    world.pool.release(ours.conn);
    world.end();
}

/// It becomes the peer's, and goes on.
pub fn the_connection_of_the_pool_is_not_disturbed<R: Rig>(rig: &R) {
    let peer = TestPeer::listen();
    let mut config = config();
    config.mode = Mode::Automatic;
    let mut world = TestWorld::start(rig, Setup::new(config));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let last_seen = connmgr_core::UnixTime::from_secs(now);
    let known = AddressInfo::new(peer.address().into()).last_seen(last_seen);
    world.pool.learn(vec![known]);
    let ours = world.connected().conn;
    assert_eq!(world.connect(at(peer.address())), Err(ConnectError::AlreadyConnected(ours)));
    let mut theirs = world.accept(&peer);
    theirs.say(b"still here");
    assert_eq!(world.read(ours, 10), b"still here");
    world.end();
}

/// Each caller is given it, by any of its addresses. A peer that is not connected is the pool's to dial.
pub fn a_peer_that_is_added_and_connected_is_told_with_its_connection<R: Rig>(rig: &R) {
    let (kept, asked, absent) = (TestPeer::listen(), TestPeer::listen(), TestPeer::nobody());
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.add(kept.address());
    let first = world.connected().conn;
    assert_eq!(world.connect(at(kept.address())), Err(ConnectError::AlreadyConnected(first)));
    let second = world.connect(at(asked.address())).expect("somebody listens").conn;
    world.add(absent);
    let either = at(absent).or(asked.address().into());
    assert_eq!(world.connect(either), Err(ConnectError::AlreadyConnected(second)));
    assert_eq!(world.connect(at(absent)), Err(ConnectError::NotAdded(AddPeerError::Duplicate)));
    assert_eq!(world.pool.added_peers().len(), 3);
    world.end();
}

/// The proxy resolves it.
pub fn a_name_is_reached_through_the_proxy<R: Rig>(rig: &R) {
    let (listener, setup) = by_a_proxy();
    let mut world = TestWorld::start(rig, setup);
    let mut connecting = world.pool.connect(named("node.example:8333"));
    assert!(world.pool.outcome(&mut connecting, MOMENT).is_none());
    let mut line = world.accept(&listener);
    let (_, asked) = world.meanwhile("the proxy is asked", || socks::serve(&mut line, Duration::ZERO));
    assert_eq!(asked.host, "node.example");
    line.say(&[&socks::DONE[..], b"hello"].concat());
    let ours = world.outcome(&mut connecting).expect("the proxy connects");
    assert_eq!(world.read(ours.conn, 5), b"hello");
    let mut failing = world.pool.connect(named("other.example:8333"));
    assert!(world.pool.outcome(&mut failing, MOMENT).is_none());
    drop(world.accept(&listener));
    let outcome = world.outcome(&mut failing);
    assert!(matches!(outcome, Err(ConnectError::DialFailed(DialFailure::Failed(_)))), "{outcome:?}");
    world.end();
}

/// The connection is open, and its caller has gone before it took it.
pub fn a_connection_that_nobody_waits_for_is_given_back<R: Rig>(rig: &R) {
    let (listener, setup) = by_a_proxy();
    let mut world = TestWorld::start(rig, setup);
    let mut connecting = world.pool.connect(named("node.example:8333"));
    assert!(world.pool.outcome(&mut connecting, MOMENT).is_none());
    let mut theirs = world.accept(&listener);
    world.meanwhile("the proxy is asked", || socks::serve(&mut theirs, Duration::ZERO));
    theirs.say(&socks::DONE);
    world.pool.turn(MOMENT);
    world.pool.give_up(connecting);
    assert!(world.meanwhile("they are hung up on", || theirs.hear_out()).is_empty());
    world.until("nothing is left", |pool| pool.added_peers().is_empty().then_some(()));
    world.end_unwatched();
}

/// As it refuses every other command.
pub fn a_pool_that_is_gone_connects_nobody<R: Rig>(rig: &R) {
    let mut world = TestWorld::start(rig, Setup::new(config()));
    world.bid(Input::Shutdown);
    assert_eq!(world.connect(at(TestPeer::nobody())), Err(ConnectError::ShuttingDown));
    world.end();
}

/// Not longer.
#[cfg(target_os = "linux")]
pub fn a_silent_peer_is_waited_for_until_the_dials_deadline<R: Rig>(rig: &R) {
    let silent = Silent::listen();
    let mut config = config();
    config.dial.direct.timeout = Duration::from_millis(200);
    config.dial.direct.hedge_after = Duration::from_millis(100);
    let mut world = TestWorld::start(rig, Setup::new(config));
    let outcome = world.connect(at(silent.address()));
    assert_eq!(outcome, Err(ConnectError::DialFailed(DialFailure::GivenUp(CloseReason::DialTimeout))));
    world.end();
}

/// The peer hears of it no more.
#[cfg(target_os = "linux")]
pub fn a_dial_that_nobody_waits_for_is_given_up<R: Rig>(rig: &R) {
    let mut silent = Silent::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let mut connecting = world.pool.connect(at(silent.address()));
    assert!(world.pool.outcome(&mut connecting, MOMENT).is_none());
    assert!(matches!(world.pool.added_peers()[0].state, PeerState::Dialing(_)));
    world.pool.give_up(connecting);
    // Nothing is asked of the pool meanwhile, which would wake it.
    world.pool.turn(MOMENT);
    assert!(world.pool.connections().is_empty());
    silent.wake();
    // Linux repeats a first packet that was not answered after one second.
    world.pool.turn(Duration::from_millis(1300));
    assert!(silent.accept().is_none());
    world.tells(&["dial failed: peer removed"]);
    world.end();
}

/// The caller is told.
#[cfg(target_os = "linux")]
pub fn a_shutdown_ends_the_wait<R: Rig>(rig: &R) {
    let silent = Silent::listen();
    let mut world = TestWorld::start(rig, Setup::new(config()));
    let mut connecting = world.pool.connect(at(silent.address()));
    assert!(world.pool.outcome(&mut connecting, MOMENT).is_none());
    world.bid(Input::Shutdown);
    assert_eq!(world.outcome(&mut connecting), Err(ConnectError::ShuttingDown));
    world.end();
}
