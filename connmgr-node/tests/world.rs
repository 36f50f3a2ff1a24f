//! The peers of the loopback world behave as documented, and its counts are right.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use connmgr_core::{Chain, Kind, PeerAddress};
use connmgr_node::handshake::Hello;
use connmgr_node::session::SessionConfig;
use connmgr_node::violation::ProtocolViolation;
use connmgr_node::world::behavior::PeerBehavior;
use connmgr_node::world::row::BehaviorRow;
use connmgr_node::world::{LoopbackWorld, WorldConfig};
use support::recorder::{Ear, Recorder};
use support::wire::Wire;
use support::{settled, soon};
use tokio::net::TcpStream;
use tokio::time::timeout;

fn world() -> LoopbackWorld {
    LoopbackWorld::start(&WorldConfig { seed: 1, blocks: 12 }).expect("loopback has room")
}

fn one(world: &LoopbackWorld, behavior: PeerBehavior) -> SocketAddr {
    world.addresses(behavior).next().expect("the cast has it")
}

fn row(world: &LoopbackWorld, behavior: PeerBehavior) -> BehaviorRow {
    world.tally().into_iter().find(|row| row.behavior == behavior).expect("every behavior has a row")
}

async fn dial(address: SocketAddr) -> TcpStream {
    soon("a connection", TcpStream::connect(address)).await.expect("listening")
}

fn talk(stream: TcpStream) -> Ear {
    let (recorder, ear) = Recorder::new();
    tokio::spawn(recorder.talk(stream, Hello::new(Kind::Full, 1), SessionConfig::new(Chain::Regtest)));
    ear
}

#[tokio::test]
async fn a_good_peer_serves_headers_and_stays() {
    let world = world();
    let mut ear = talk(dial(one(&world, PeerBehavior::Good)).await);
    assert_eq!(ear.ready().await.user_agent, "/good/");
    ear.tip(12).await;
    let row = row(&world, PeerBehavior::Good);
    assert_eq!((row.accepted, row.ready, row.live), (1, 1, 1));
}

#[tokio::test]
async fn the_gossip_tells_of_everyone() {
    let world = world();
    let mut ear = talk(dial(world.entry().socket_addr().expect("an IP address")).await);
    let mut told: Vec<_> = ear.addresses().await.into_iter().map(|info| info.address).collect();
    let mut everyone: Vec<_> =
        PeerBehavior::ALL.iter().flat_map(|who| world.addresses(*who)).map(PeerAddress::from).collect();
    told.sort();
    everyone.sort();
    assert_eq!((told.len(), &told), (24, &everyone));
}

#[tokio::test]
async fn a_refusing_peer_refuses() {
    let world = world();
    for address in world.addresses(PeerBehavior::Refusing) {
        let error = soon("an answer", TcpStream::connect(address)).await.expect_err("nobody listens");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    }
}

#[tokio::test]
async fn a_silent_peer_says_nothing() {
    let world = world();
    let mut wire = Wire::new(dial(one(&world, PeerBehavior::Silent)).await, SessionConfig::new(Chain::Regtest).magic());
    let waited = timeout(Duration::from_millis(100), wire.shake_hands(Hello::new(Kind::Full, 1))).await;
    assert!(waited.is_err(), "neither a word nor an end");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_black_hole_never_answers() {
    let world = world();
    // The world fills the queue itself, a moment after its start.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let dialed = TcpStream::connect(one(&world, PeerBehavior::BlackHole));
    assert!(timeout(Duration::from_millis(300), dialed).await.is_err(), "neither connected nor refused");
}

#[tokio::test]
async fn some_close_at_once() {
    let world = world();
    let heard = talk(dial(one(&world, PeerBehavior::AcceptAndClose)).await).rest().await;
    assert_eq!(heard, []);
}

#[tokio::test]
async fn the_bad_ones_misbehave_after_the_handshake() {
    let world = world();
    for behavior in [PeerBehavior::Garbage, PeerBehavior::Oversized] {
        let mut ear = talk(dial(one(&world, behavior)).await);
        ear.ready().await;
        let violation = ear.misbehaving().await;
        assert!(
            matches!(violation, ProtocolViolation::Frame(_) | ProtocolViolation::TooManyAddresses(_))
                && violation.penalty().persistent > 100,
            "{violation}"
        );
        assert_eq!(row(&world, behavior).ready, 1);
    }
}

#[tokio::test]
async fn some_drop_their_connections_after_a_while() {
    let world = world();
    let mut ear = talk(dial(one(&world, PeerBehavior::Dropping)).await);
    ear.ready().await;
    ear.rest().await;
    // The stream closes a moment before the count falls.
    settled(&world, PeerBehavior::Dropping, |row| row.live == 0).await;
}

#[tokio::test]
async fn some_come_and_go() {
    let world = world();
    let address = one(&world, PeerBehavior::ComingAndGoing);
    let mut ear = talk(dial(address).await);
    ear.ready().await;
    ear.rest().await;
    let back = async {
        let mut refused = 0;
        while TcpStream::connect(address).await.is_err() {
            refused += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        refused
    };
    assert!(soon("it comes back", back).await > 0, "it was gone for a while");
}

#[tokio::test]
async fn the_world_ends_when_it_is_dropped() {
    let world = world();
    let good = one(&world, PeerBehavior::Good);
    let mut ear = talk(dial(good).await);
    ear.ready().await;
    drop(world);
    ear.rest().await;
    let gone = async { while TcpStream::connect(good).await.is_ok() {} };
    soon("nobody listens any more", gone).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn everyone_has_an_address_on_one_port() {
    let world = world();
    assert!(!world.relaxed());
    let ports: Vec<_> = PeerBehavior::ALL.iter().flat_map(|who| world.addresses(*who)).map(|a| a.port()).collect();
    assert!(ports.iter().all(|port| *port == ports[0]));
}
