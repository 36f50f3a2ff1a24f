//! Our handshake and session against a real bcoin (protocol 70015: no `addrv2`), both ways.
//!
//! Run by `.ci/run`, or by hand: see [`support::bcoin`].

mod support;

use std::net::Ipv4Addr;

use connmgr_core::{Chain, Kind, Services};
use connmgr_node::handshake::Hello;
use connmgr_node::session::SessionConfig;
use support::bcoin::{Bcoin, BcoinOptions};
use support::recorder::Recorder;
use support::soon;
use tokio::net::{TcpListener, TcpStream};

fn config() -> SessionConfig {
    SessionConfig::new(Chain::Regtest)
}

#[tokio::test]
async fn we_dial_bcoin_follow_its_headers_and_ping_it() {
    let mut bcoin = Bcoin::start(&BcoinOptions { blocks: 10, ..BcoinOptions::default() }).await;
    let stream = soon("a connection", TcpStream::connect(bcoin.address())).await.expect("bcoin listens");
    let (recorder, mut ear) = Recorder::new();
    let session = tokio::spawn(recorder.talk(stream, Hello::new(Kind::Full, 1), config()));
    let peer = ear.ready().await;
    assert!(peer.user_agent.starts_with("/bcoin:"), "{}", peer.user_agent);
    assert_eq!((peer.version, peer.wants_addrv2, peer.start_height), (70015, false, 10));
    assert!(peer.info.services.has(Services::NETWORK) && peer.info.nonce.is_some());
    ear.tip(10).await;
    assert_eq!(bcoin.status().await.inbound, 1);

    bcoin.mine(2).await;
    ear.new_block().await;
    ear.tip(12).await;

    bcoin.kill().await;
    let end = soon("the end", session).await.expect("no panic");
    assert_eq!(end.violation(), None, "{end}");
}

#[tokio::test]
async fn a_full_bcoin_closes_at_once_and_is_no_offender() {
    let mut bcoin = Bcoin::start(&BcoinOptions { max_inbound: Some(0), ..BcoinOptions::default() }).await;
    let stream = soon("a connection", TcpStream::connect(bcoin.address())).await.expect("bcoin listens");
    let (recorder, ear) = Recorder::new();
    let end = soon("the end", recorder.talk(stream, Hello::new(Kind::Full, 1), config())).await;
    assert_eq!(end.violation(), None, "{end}");
    assert_eq!(ear.rest().await, []);
    assert_eq!(bcoin.status().await.accepted, 1);
}

#[tokio::test]
async fn bcoin_answers_our_ping() {
    let bcoin = Bcoin::start(&BcoinOptions::default()).await;
    let stream = soon("a connection", TcpStream::connect(bcoin.address())).await.expect("bcoin listens");
    let (recorder, mut ear) = Recorder::new();
    tokio::spawn(recorder.talk(stream, Hello::new(Kind::Full, 1), config()));
    assert!(ear.round_trip().await < support::PATIENCE);
}

#[tokio::test]
async fn bcoin_dials_us() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let only = listener.local_addr().expect("bound");
    let mut bcoin = Bcoin::start(&BcoinOptions { only: Some(only), ..BcoinOptions::default() }).await;
    let (stream, _) = soon("bcoin's dial", listener.accept()).await.expect("accepted");
    let (recorder, mut ear) = Recorder::new();
    let hello = Hello { services: Services::NETWORK | Services::WITNESS, ..Hello::new(Kind::Inbound, 1) };
    tokio::spawn(recorder.talk(stream, hello, config()));
    let peer = ear.ready().await;
    assert!(peer.user_agent.starts_with("/bcoin:"), "{}", peer.user_agent);
    assert!(ear.round_trip().await < support::PATIENCE);
    assert_eq!(bcoin.status().await.outbound, 1);
}
