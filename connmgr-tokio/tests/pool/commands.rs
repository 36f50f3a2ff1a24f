//! Commands and events, in any order.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connmgr_core::{
    AddPeerError, AddedPeer, AddressInfo, BanTarget, CommandError, Config, Host, Identity, Keep, Kind, Mode, PeerState,
    UnixTime,
};
use tokio::io::AsyncReadExt;

use crate::support::{accept, add, builder, config, connected, peer, start, within};

#[tokio::test]
async fn an_application_that_takes_no_events_delays_nothing() {
    let (listener, address) = peer().await;
    let mut pool = start(builder(config())).await;
    let id = add(&pool, address).await;
    let mut first = accept(&listener).await;
    let conn = within("it is connected", async {
        loop {
            match pool.handle().added_peers().await[0].state {
                PeerState::Connected(conn) => return conn,
                _ => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    pool.handle().disconnect(conn).await.unwrap();
    assert_eq!(within("the peer is hung up on", first.read(&mut [0; 8])).await.unwrap(), 0);
    let _second = accept(&listener).await;
    // The first was never taken, so it is not shown.
    let ours = connected(&mut pool).await;
    assert_eq!((ours.peer(), ours.id() > conn), (Some(id), true));
    // And that its stream was dropped is no news.
    assert_eq!(pool.handle().stats().await.ignored_facts, 0);
}

/// It was dialed for nobody, and nobody has taken it.
#[tokio::test]
async fn an_automatic_connection_that_connect_hands_over_is_told_as_its_peers() {
    let (_listener, address) = peer().await;
    let pool = start(builder(Config { mode: Mode::Automatic, ..config() })).await;
    let handle = pool.handle();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let known = AddressInfo::new(address.into()).last_seen(UnixTime::from_secs(now));
    handle.learn_addresses(vec![known]).await;
    within("it is connected", async {
        while !handle.connections().await.iter().any(|view| view.state.is_open()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let peer = AddedPeer::new(address.into()).identity(Identity([9; 32])).tag(7);
    let ours = within("connect", handle.connect(peer)).await.unwrap();
    assert_eq!((ours.kind(), ours.info().tag, ours.info().wanted), (Kind::Full, Some(7), Some(Identity([9; 32]))));
    assert_eq!(ours.peer(), Some(handle.added_peers().await[0].peer));
}

#[tokio::test]
async fn a_pool_that_is_gone_refuses_every_command_and_shows_nothing() {
    let pool = start(builder(config())).await;
    let handle = pool.handle();
    let problems = within("shutdown", pool.shutdown()).await;
    assert!(problems.is_empty(), "{problems:?}");
    let address: connmgr_core::PeerAddress = "192.0.2.1:1".parse().unwrap();
    let target = BanTarget::Host(Host::from(std::net::Ipv4Addr::LOCALHOST));
    assert_eq!(handle.add_peer(AddedPeer::new(address).keep(Keep::Once)).await, Err(AddPeerError::ShuttingDown));
    assert_eq!(handle.ban(target, Duration::from_secs(1)).await, Err(CommandError::ShuttingDown));
    assert_eq!(handle.shutdown().await, Err(CommandError::ShuttingDown));
    assert!(handle.connections().await.is_empty() && handle.bans().await.is_empty());
    handle.report_network_changed().await;
}
