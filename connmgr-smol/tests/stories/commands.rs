//! Commands, views and events, in whatever order the application takes them.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use connmgr_core::{
    AddPeerError, BanTarget, CommandError, ConnState, Event, Host, Keep, PeerInfo, PeerState, Penalty, Services,
};
use connmgr_smol::PoolEvent;
use futures_lite::AsyncReadExt;

use super::support::{
    ANY_PORT, Tasks, accept, add, builder, config, connected, event, for_a_while, peer, run, said, start, within,
    yield_now,
};

#[test]
fn commands_are_answered_in_the_middle_of_the_event_loop() {
    run(async {
        let (_listener, address) = peer().await;
        let mut pool = start(builder(config())).await;
        let handle = pool.handle();
        let id = add(&pool, address).await;
        let ended = within("three rounds", async {
            let mut ended = 0;
            let mut held = None;
            while ended < 3 {
                match pool.next().await.expect("the pool lives") {
                    PoolEvent::Connected(connection) => {
                        let view = handle.connections().await;
                        assert_eq!((view.len(), view[0].conn), (1, connection.id()));
                        handle.disconnect(connection.id()).await.unwrap();
                        held = Some(connection);
                    }
                    PoolEvent::Event(Event::Disconnected { peer, .. }) => {
                        assert_eq!(peer, Some(id));
                        handle.dial_now(id).await.unwrap();
                        held = None;
                        ended += 1;
                    }
                    _ => {}
                }
            }
            drop(held);
            ended
        })
        .await;
        assert_eq!(ended, 3);
    });
}

#[test]
fn next_may_be_given_up_at_any_time() {
    run(async {
        let mut pool = start(builder(config())).await;
        let mut peers = Vec::new();
        let mut wanted = BTreeSet::new();
        for _ in 0..8 {
            let (listener, address) = peer().await;
            wanted.insert(add(&pool, address).await);
            peers.push(listener);
        }
        let (mut seen, mut held) = (BTreeSet::new(), Vec::new());
        within("every Connected", async {
            while seen.len() < wanted.len() {
                // Polled once, then dropped, whatever it was about to say.
                let taken = {
                    let mut next = pin!(pool.next());
                    poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await
                };
                if let Poll::Ready(Some(PoolEvent::Connected(connection))) = taken {
                    assert!(seen.insert(connection.peer().expect("an added peer")), "twice");
                    held.push(connection);
                }
                yield_now().await;
            }
        })
        .await;
        assert_eq!(seen, wanted);
    });
}

#[test]
fn an_application_that_takes_no_events_delays_nothing() {
    run(async {
        let (listener, address) = peer().await;
        let mut pool = start(builder(config())).await;
        let id = add(&pool, address).await;
        let mut first = accept(&listener).await;
        let conn = within("it is connected", async {
            loop {
                match pool.handle().added_peers().await[0].state {
                    PeerState::Connected(conn) => return conn,
                    _ => yield_now().await,
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
    });
}

#[test]
fn facts_reach_the_manager() {
    run(async {
        let (_listener, address) = peer().await;
        let mut pool = start(builder(config())).await;
        add(&pool, address).await;
        let ours = connected(&mut pool).await;
        let reporter = ours.reporter();
        reporter.ready(PeerInfo { services: Services::NETWORK, ..PeerInfo::default() });
        within("it is ready", async {
            while pool.handle().connections().await[0].state != ConnState::Ready {
                yield_now().await;
            }
        })
        .await;
        assert_eq!(pool.handle().connections().await[0].services, Services::NETWORK);
        ours.misbehaving(Penalty { persistent: 60, transient: 0 });
        let warned = said(&mut pool, "ScoreWarning", |event| match event {
            Event::ScoreWarning { conn, score, .. } => Some((conn, score)),
            _ => None,
        })
        .await;
        assert_eq!(warned, (ours.id(), 60));
    });
}

#[test]
fn a_pool_that_is_gone_refuses_every_command_and_shows_nothing() {
    run(async {
        let pool = start(builder(config())).await;
        let handle = pool.handle();
        let problems = within("shutdown", pool.shutdown()).await;
        assert!(problems.is_empty(), "{problems:?}");
        let address: connmgr_core::PeerAddress = "192.0.2.1:1".parse().unwrap();
        let target = BanTarget::Host(Host::from(std::net::Ipv4Addr::LOCALHOST));
        assert_eq!(handle.add_peer(address, Keep::Once).await, Err(AddPeerError::ShuttingDown));
        assert_eq!(handle.ban(target, Duration::from_secs(1)).await, Err(CommandError::ShuttingDown));
        assert_eq!(handle.shutdown().await, Err(CommandError::ShuttingDown));
        assert!(handle.connections().await.is_empty() && handle.bans().await.is_empty());
        handle.network_changed().await;
    });
}

#[test]
fn an_idle_pool_does_not_wake() {
    run(async {
        let (listener, address) = peer().await;
        drop(listener);
        let mut config = config();
        config.retry.base = Duration::from_secs(60);
        config.retry.cap = config.retry.base;
        let tasks = Tasks::default();
        let mut pool = builder(config).listen(ANY_PORT.into()).start(tasks.spawner()).await.unwrap();
        add(&pool, address).await;
        event(&mut pool, "RetryScheduled", |event| matches!(event, PoolEvent::RetryScheduled { .. }).then_some(()))
            .await;
        tasks.are(1).await;
        let before = tasks.polled();
        let ended = for_a_while(100, async { while pool.next().await.is_some() {} }).await;
        assert!(ended.is_none(), "the pool has ended");
        let woke = tasks.polled() - before;
        assert!(woke <= 1, "woke {woke} times");
    });
}
