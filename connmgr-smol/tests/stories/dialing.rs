//! Peers that are added, reached, lost and reached again.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use connmgr_core::{
    CloseCause, CloseReason, DialError, DialFailure, EndReason, Event, HostName, Kind, LookupError, PeerAddress,
};
use connmgr_smol::{PoolEvent, Resolve};
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use super::support::{
    BACKOFF, Listener, accept, add, builder, config, connected, event, peer, run, said, start, within,
};

#[test]
fn an_added_peer_is_connected() {
    run(async {
        let (listener, address) = peer().await;
        let mut pool = start(builder(config())).await;
        let id = add(&pool, address).await;
        let mut theirs = accept(&listener).await;
        let mut ours = connected(&mut pool).await;
        assert_eq!((ours.peer(), ours.kind(), ours.listener()), (Some(id), Kind::Added, None));
        assert_eq!(ours.address(), Some(&PeerAddress::from(address)));
        ours.write_all(b"ping").await.unwrap();
        let mut heard = [0; 4];
        within("the peer hears", theirs.read_exact(&mut heard)).await.unwrap();
        theirs.write_all(b"pong").await.unwrap();
        within("we hear", ours.read_exact(&mut heard)).await.unwrap();
        assert_eq!(&heard, b"pong");
    });
}

#[test]
fn a_connection_that_is_dropped_is_made_again_after_its_back_off() {
    run(async {
        let (listener, address) = peer().await;
        let mut pool = start(builder(config())).await;
        let id = add(&pool, address).await;
        let ours = connected(&mut pool).await;
        let (first, since) = (ours.id(), Instant::now());
        drop(ours);
        let (mut ended, mut scheduled) = (None, None);
        event(&mut pool, "Disconnected and RetryScheduled", |event| {
            match event {
                PoolEvent::Event(Event::Disconnected { conn, peer, reason }) => ended = Some((conn, peer, reason)),
                PoolEvent::RetryScheduled { peer, .. } => scheduled = Some(peer),
                _ => {}
            }
            (ended.is_some() && scheduled.is_some()).then_some(())
        })
        .await;
        assert_eq!(ended, Some((first, Some(id), EndReason::Theirs(CloseCause::Dropped))));
        assert_eq!(scheduled, Some(id));
        let again = connected(&mut pool).await;
        assert!(again.id() > first && again.peer() == Some(id));
        assert!(since.elapsed() >= BACKOFF);
        drop(listener);
    });
}

#[test]
fn a_peer_that_refuses_is_tried_until_it_accepts() {
    run(async {
        let (listener, address) = peer().await;
        drop(listener);
        let mut pool = start(builder(config())).await;
        let id = add(&pool, address).await;
        let error = said(&mut pool, "DialFailed", |event| match event {
            Event::DialFailed { peer, error, .. } if peer == Some(id) => Some(error),
            _ => None,
        })
        .await;
        assert_eq!(error, DialFailure::Failed(DialError::Refused));
        let _listener = Listener::bind(address).unwrap();
        assert_eq!(connected(&mut pool).await.peer(), Some(id));
    });
}

#[test]
fn a_peer_that_hangs_up_without_a_word_is_told_so() {
    run(async {
        let (listener, address) = peer().await;
        let mut pool = start(builder(config())).await;
        add(&pool, address).await;
        drop(accept(&listener).await);
        let mut ours = connected(&mut pool).await;
        assert_eq!(within("the end", ours.read(&mut [0; 8])).await.unwrap(), 0);
        drop(ours);
        let reason = said(&mut pool, "Disconnected", |event| match event {
            Event::Disconnected { reason, .. } => Some(reason),
            _ => None,
        })
        .await;
        assert_eq!(reason, EndReason::Theirs(CloseCause::Unheard));
    });
}

#[test]
fn a_connection_that_we_close_ends_for_whoever_holds_it() {
    run(async {
        let (listener, address) = peer().await;
        let mut pool = start(builder(config())).await;
        add(&pool, address).await;
        let mut theirs = accept(&listener).await;
        let mut ours = connected(&mut pool).await;
        within("disconnect", pool.handle().disconnect(ours.id())).await.unwrap();
        assert_eq!(within("our end", ours.read(&mut [0; 8])).await.unwrap(), 0);
        assert_eq!(within("their end", theirs.read(&mut [0; 8])).await.unwrap(), 0);
        let reason = said(&mut pool, "Disconnected", |event| match event {
            Event::Disconnected { conn, reason, .. } if conn == ours.id() => Some(reason),
            _ => None,
        })
        .await;
        assert_eq!(reason, EndReason::Ours(CloseReason::Requested));
    });
}

/// Knows one name.
struct OneName;

impl Resolve for OneName {
    fn resolve(&self, name: &HostName) -> Result<Vec<IpAddr>, LookupError> {
        match name.as_str() {
            "peer.example" => Ok(vec![IpAddr::from(Ipv4Addr::LOCALHOST)]),
            _ => Err(LookupError::NotFound),
        }
    }
}

#[test]
fn a_name_is_resolved_by_the_hook() {
    run(async {
        let (_listener, address) = peer().await;
        let mut pool = start(builder(config()).resolver(OneName)).await;
        let id = add(&pool, format!("peer.example:{}", address.port())).await;
        assert_eq!(connected(&mut pool).await.peer(), Some(id));
    });
}

#[test]
fn a_name_that_nobody_knows_fails_its_peer() {
    run(async {
        let mut pool = start(builder(config()).resolver(OneName)).await;
        let id = add(&pool, "nobody.example:1").await;
        let failed = said(&mut pool, "LookupFailed", |event| match event {
            Event::LookupFailed { peer, error } => Some((peer, error)),
            _ => None,
        })
        .await;
        assert_eq!(failed, (id, LookupError::NotFound));
    });
}
