//! Sessions over real sockets on loopback, with a peer that keeps to the protocol and with others that don't.

mod support;

use std::time::Duration;

use bitcoin::p2p::address::{AddrV2, AddrV2Message};
use bitcoin::p2p::message::{CommandString, NetworkMessage};
use bitcoin::p2p::{Address, Magic, ServiceFlags};
use connmgr_core::{AddressInfo, Chain, Kind, Penalty, Services, UnixTime};
use connmgr_node::end::SessionEnd;
use connmgr_node::handshake::Hello;
use connmgr_node::headers::mine_regtest;
use connmgr_node::ping::PingConfig;
use connmgr_node::session::SessionConfig;
use connmgr_node::violation::ProtocolViolation;
use support::recorder::{Ear, Heard, Recorder};
use support::wire::Wire;
use support::{connected, soon};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

fn config() -> SessionConfig {
    SessionConfig::new(Chain::Regtest)
}

fn known(text: &str) -> AddressInfo {
    AddressInfo::new(text.parse().expect(text))
        .services(Services::NETWORK)
        .last_seen(UnixTime::from_secs(1_700_000_000))
}

/// A session of ours in the background, and what it reports.
fn spawn(stream: TcpStream, kind: Kind, config: SessionConfig, recorder: Recorder) -> JoinHandle<SessionEnd> {
    tokio::spawn(recorder.talk(stream, Hello::new(kind, 1), config))
}

/// A session of ours of some kind, and its peer after the handshake, which the test controls.
async fn with_peer(kind: Kind, config: SessionConfig) -> (JoinHandle<SessionEnd>, Ear, Wire) {
    let (ours, theirs) = connected().await;
    let (recorder, mut ear) = Recorder::new();
    let session = spawn(ours, kind, config, recorder);
    let mut wire = Wire::new(theirs, Magic::REGTEST);
    let their_kind = if kind.is_inbound() { Kind::Full } else { Kind::Inbound };
    wire.shake_hands(Hello::new(their_kind, 2)).await;
    ear.ready().await;
    (session, ear, wire)
}

/// What is wanted of our next messages; skips the others.
async fn receive<T>(wire: &mut Wire, wanted: impl Fn(&NetworkMessage) -> Option<T>) -> T {
    loop {
        if let Some(found) = wanted(&wire.next().await) {
            return found;
        }
    }
}

/// Everything we sent before we answered one more ping.
async fn all_said(wire: &mut Wire) -> Vec<NetworkMessage> {
    const LAST: u64 = 0x1a57;
    wire.send(NetworkMessage::Ping(LAST)).await;
    let mut said = Vec::new();
    loop {
        match wire.next().await {
            NetworkMessage::Pong(LAST) => return said,
            message => said.push(message),
        }
    }
}

fn addrs(count: usize) -> NetworkMessage {
    NetworkMessage::Addr(vec![(0, Address::new(&([1, 2, 3, 4], 5).into(), ServiceFlags::NONE)); count])
}

#[tokio::test]
async fn two_of_us_exchange_all_there_is() {
    let (dialed, accepted) = connected().await;
    let (dialer, mut dialer_ear) = Recorder::new();
    let (mut acceptor, mut acceptor_ear) = Recorder::new();
    acceptor.known = vec![known("1.2.3.4:8333"), known("[2001:db8::1]:8333"), known("cjdns:[fc00::1]:8333")];
    acceptor.chain = mine_regtest(2500);
    let told = acceptor.known.clone();
    let ours = spawn(dialed, Kind::Full, config(), dialer);
    acceptor.follows = false;
    let theirs = spawn(accepted, Kind::Inbound, config(), acceptor);
    assert!(dialer_ear.ready().await.wants_addrv2);
    acceptor_ear.ready().await;
    assert_eq!(dialer_ear.addresses().await, told);
    dialer_ear.tip(2500).await;
    acceptor_ear.round_trip().await;
    ours.abort();
    let end = soon("the end", theirs).await.expect("no panic");
    assert!(matches!(end, SessionEnd::Wire(_)), "{end}");
}

#[tokio::test]
async fn the_round_trip_is_measured() {
    let (_session, mut ear, mut wire) = with_peer(Kind::Full, config()).await;
    let nonce =
        receive(&mut wire, |said| if let NetworkMessage::Ping(nonce) = said { Some(*nonce) } else { None }).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    wire.send(NetworkMessage::Pong(nonce)).await;
    assert!(ear.round_trip().await >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_peer_that_answers_no_ping_is_given_up() {
    let ping = PingConfig { patience: Duration::from_millis(50), ..PingConfig::default() };
    let (session, ear, _wire) = with_peer(Kind::Full, SessionConfig { ping, ..config() }).await;
    assert!(matches!(soon("the end", session).await.expect("no panic"), SessionEnd::Silent));
    assert_eq!(ear.rest().await, []);
}

#[tokio::test]
async fn pings_are_answered_and_follow_one_another() {
    let ping = PingConfig { every: Duration::from_millis(10), ..PingConfig::default() };
    let (_session, mut ear, mut wire) = with_peer(Kind::Inbound, SessionConfig { ping, ..config() }).await;
    for _ in 0..3 {
        let nonce = |said: &NetworkMessage| if let NetworkMessage::Ping(nonce) = said { Some(*nonce) } else { None };
        let nonce = receive(&mut wire, nonce).await;
        wire.send(NetworkMessage::Pong(nonce)).await;
        ear.round_trip().await;
    }
    wire.send(NetworkMessage::Ping(77)).await;
    receive(&mut wire, |said| (*said == NetworkMessage::Pong(77)).then_some(())).await;
}

#[tokio::test]
async fn only_connections_that_are_for_it_ask_for_addresses() {
    for (kind, asks) in [
        (Kind::Full, true),
        (Kind::AddrFetch, true),
        (Kind::Added, true),
        (Kind::BlockRelay, false),
        (Kind::Feeler, false),
        (Kind::Inbound, false),
    ] {
        let (_session, _ear, mut wire) = with_peer(kind, config()).await;
        let asked = all_said(&mut wire).await.iter().filter(|said| **said == NetworkMessage::GetAddr).count();
        assert_eq!(asked, usize::from(asks), "{kind}");
    }
}

#[tokio::test]
async fn whoever_came_to_us_is_told_addresses_once() {
    let (ours, theirs) = connected().await;
    let (mut recorder, _ear) = Recorder::new();
    recorder.known = vec![known("1.2.3.4:8333")];
    spawn(ours, Kind::Inbound, config(), recorder);
    let mut wire = Wire::new(theirs, Magic::REGTEST);
    wire.shake_hands(Hello::new(Kind::Full, 2)).await;
    for expected in [1, 0] {
        wire.send(NetworkMessage::GetAddr).await;
        let said = all_said(&mut wire).await;
        assert_eq!(said.iter().filter(|said| matches!(said, NetworkMessage::AddrV2(_))).count(), expected);
    }
}

#[tokio::test]
async fn whomever_we_dialed_is_told_no_addresses() {
    let (ours, theirs) = connected().await;
    let (mut recorder, _ear) = Recorder::new();
    recorder.known = vec![known("1.2.3.4:8333")];
    spawn(ours, Kind::Full, config(), recorder);
    let mut wire = Wire::new(theirs, Magic::REGTEST);
    wire.shake_hands(Hello::new(Kind::Inbound, 2)).await;
    wire.send(NetworkMessage::GetAddr).await;
    assert!(!all_said(&mut wire).await.iter().any(|said| matches!(said, NetworkMessage::AddrV2(_))));
}

#[tokio::test]
async fn a_block_relay_connection_takes_no_addresses() {
    let (session, ear, mut wire) = with_peer(Kind::BlockRelay, config()).await;
    wire.send(addrs(3)).await;
    all_said(&mut wire).await;
    drop(wire);
    soon("the end", session).await.expect("no panic");
    assert!(!ear.rest().await.iter().any(|heard| matches!(heard, Heard::Addresses(_))));
}

/// The violation reported for these messages, and whether it ends the session.
async fn check(message: NetworkMessage, expected: &str, ends: bool) -> Penalty {
    let (session, mut ear, mut wire) = with_peer(Kind::Full, config()).await;
    wire.send(message).await;
    let violation = ear.misbehaving().await;
    assert_eq!(violation.to_string(), expected);
    assert_eq!(violation.is_fatal(), ends);
    if ends {
        let end = soon("the end", session).await.expect("no panic");
        assert_eq!(end.violation(), Some(&violation));
    } else {
        all_said(&mut wire).await;
    }
    violation.penalty()
}

#[tokio::test]
async fn too_many_addresses_get_a_peer_banned() {
    let penalty = check(addrs(1001), "1001 addresses in one message, at most 1000 are allowed", true).await;
    assert!(penalty.persistent > 100);
    let entry =
        AddrV2Message { time: 0, services: ServiceFlags::NONE, addr: AddrV2::Ipv4([1, 2, 3, 4].into()), port: 1 };
    let expected = "1001 addresses in one message, at most 1000 are allowed";
    check(NetworkMessage::AddrV2(vec![entry; 1001]), expected, true).await;
}

#[tokio::test]
async fn a_broken_chain_gets_a_peer_banned() {
    let headers = mine_regtest(3);
    let broken = NetworkMessage::Headers(vec![headers[0], headers[2]]);
    assert!(check(broken, "headers that do not follow one another", true).await.persistent > 100);
}

#[tokio::test]
async fn features_announced_late_end_the_conversation() {
    check(NetworkMessage::WtxidRelay, "`wtxidrelay` after the handshake", true).await;
    check(NetworkMessage::SendAddrV2, "`sendaddrv2` after the handshake", true).await;
}

#[tokio::test]
async fn an_unreadable_message_is_borne() {
    let command = CommandString::try_from_static("ping").expect("short");
    let unreadable = NetworkMessage::Unknown { command, payload: vec![1] };
    let penalty = check(unreadable, "`ping` that can't be read", false).await;
    assert_eq!((penalty.persistent, penalty.transient), (0, 0));
}

#[tokio::test]
async fn garbage_after_the_handshake_gets_a_peer_banned() {
    let (session, mut ear, mut wire) = with_peer(Kind::Full, config()).await;
    wire.send_raw(b"GET / HTTP/1.1\r\n\r\n").await;
    assert!(matches!(ear.misbehaving().await, ProtocolViolation::Frame(_)));
    assert!(
        soon("the end", session).await.expect("no panic").violation().is_some_and(|v| v.penalty().persistent > 100)
    );
}
