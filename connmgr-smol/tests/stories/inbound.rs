//! Those who come to us.

use std::collections::BTreeSet;

use connmgr_core::{Event, Kind, NetworkKind, Permissions};
use connmgr_smol::Connection;
use futures_lite::{AsyncReadExt, AsyncWriteExt};

use super::support::{ANY_PORT, Stream, builder, config, connected, run, said, start, within};

#[test]
fn who_comes_is_connected_and_who_goes_is_missed() {
    run(async {
        let mut pool = start(builder(config()).listen(ANY_PORT.into())).await;
        let mut theirs = Stream::connect(pool.local_addrs()[0]).await.unwrap();
        let mut ours = connected(&mut pool).await;
        assert_eq!((ours.kind(), ours.peer(), ours.listener().is_some()), (Kind::Inbound, None, true));
        theirs.write_all(b"hello").await.unwrap();
        drop(theirs);
        let mut heard = String::new();
        within("the peer is heard", ours.read_to_string(&mut heard)).await.unwrap();
        let id = ours.id();
        drop(ours);
        let gone = said(&mut pool, "Disconnected", |event| match event {
            Event::Disconnected { conn, .. } => Some(conn),
            _ => None,
        })
        .await;
        assert_eq!((heard.as_str(), gone), ("hello", id));
    });
}

#[test]
fn one_too_many_of_a_host_is_refused() {
    run(async {
        let mut config = config();
        config.inbound.per_host = 1;
        let mut pool = start(builder(config).listen(ANY_PORT.into())).await;
        let _first = Stream::connect(pool.local_addrs()[0]).await.unwrap();
        let _ours = connected(&mut pool).await;
        let mut second = Stream::connect(pool.local_addrs()[0]).await.unwrap();
        let end = within("the second is hung up on", second.read(&mut [0; 8])).await;
        assert!(!matches!(end, Ok(count) if count > 0));
        assert_eq!(pool.handle().connections().await.len(), 1);
        assert_eq!(pool.handle().stats().await.refused, 1);
    });
}

#[test]
fn a_hundred_that_go_at_once_are_all_missed() {
    run(async {
        let mut config = config();
        config.limits.total = 200;
        config.inbound.per_host = 200;
        config.inbound.half_open = 200;
        let mut pool = start(builder(config).listen(ANY_PORT.into())).await;
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..100 {
            theirs.push(Stream::connect(pool.local_addrs()[0]).await.unwrap());
            ours.push(connected(&mut pool).await);
        }
        let mut held: BTreeSet<_> = ours.iter().map(Connection::id).collect();
        drop(ours);
        while !held.is_empty() {
            let gone = said(&mut pool, "Disconnected", |event| match event {
                Event::Disconnected { conn, .. } => Some(conn),
                _ => None,
            })
            .await;
            assert!(held.remove(&gone));
        }
        assert!(pool.handle().connections().await.is_empty());
    });
}

#[test]
fn two_listeners_are_told_apart() {
    run(async {
        let onion = Some(NetworkKind::Onion);
        let listening =
            builder(config()).listen(ANY_PORT.into()).listen_with(ANY_PORT.into(), onion, Permissions::default());
        let mut pool = start(listening).await;
        let mut seen = Vec::new();
        for address in pool.local_addrs().to_vec() {
            let _theirs = Stream::connect(address).await.unwrap();
            let ours = connected(&mut pool).await;
            seen.push((ours.listener(), ours.address().is_some()));
        }
        assert_ne!(seen[0].0, seen[1].0);
        // On an onion listener every remote is the local proxy.
        assert_eq!((seen[0].1, seen[1].1), (true, false));
    });
}

#[test]
fn after_a_shutdown_nobody_is_let_in() {
    run(async {
        let mut pool = start(builder(config()).listen(ANY_PORT.into())).await;
        let address = pool.local_addrs()[0];
        pool.handle().shutdown().await.unwrap();
        within("the end", async { while pool.next().await.is_some() {} }).await;
        assert!(Stream::connect(address).await.is_err());
    });
}
