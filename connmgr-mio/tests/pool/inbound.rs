//! Those who come to us.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use connmgr_core::{Event, Kind, NetworkKind, Permissions};
use connmgr_mio::PoolEvent;

use crate::support::{ANY_PORT, World, builder, config, patient};

#[test]
fn who_comes_is_connected_and_who_goes_is_missed() {
    let mut world = World::start(builder(config()).listen(ANY_PORT.into()));
    let mut theirs = TcpStream::connect(world.pool.local_addrs()[0]).unwrap();
    let ours = world.connected();
    assert_eq!((ours.kind, ours.peer, ours.listener.is_some()), (Kind::Inbound, None, true));
    theirs.write_all(b"hello").unwrap();
    drop(theirs);
    assert_eq!(world.read(ours.conn, 8), b"hello");
    world.pool.release(ours.conn);
    world.disconnected(ours.conn);
    assert!(world.pool.connections().is_empty());
}

#[test]
fn one_too_many_of_a_host_is_refused() {
    let mut config = config();
    config.inbound.per_host = 1;
    let mut world = World::start(builder(config).listen(ANY_PORT.into()));
    let _first = TcpStream::connect(world.pool.local_addrs()[0]).unwrap();
    let _ours = world.connected();
    let mut second = patient(TcpStream::connect(world.pool.local_addrs()[0]).unwrap());
    world.until("a refusal", |pool| {
        assert!(pool.next_event().is_none());
        (pool.stats().refused == 1).then_some(())
    });
    assert!(!matches!(second.read(&mut [0; 8]), Ok(count) if count > 0));
    assert_eq!(world.pool.connections().len(), 1);
}

#[test]
fn a_crowd_at_one_event_is_let_in_by_shares() {
    let mut config = config();
    config.limits.total = 200;
    config.inbound.per_host = 200;
    config.inbound.half_open = 200;
    let mut world = World::start(builder(config).listen(ANY_PORT.into()));
    let address = world.pool.local_addrs()[0];
    let _theirs: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let (mut held, mut rounds) = (BTreeSet::new(), Vec::new());
    while held.len() < 100 {
        // Were the rest to wait for another event, there would be none.
        world.wait(crate::support::PATIENCE);
        let before = held.len();
        while let Some(event) = world.pool.next_event() {
            if let PoolEvent::Connected(info) = event {
                assert!(held.insert(info.conn));
            }
        }
        rounds.push(held.len() - before);
        assert!(held.len() == 100 || world.pool.poll_timeout() == Some(Duration::ZERO));
    }
    assert!(rounds.iter().all(|let_in| *let_in <= 64), "{rounds:?}");
    held.iter().for_each(|conn| world.pool.release(*conn));
    while !held.is_empty() {
        let gone = world.said("Disconnected", |event| match event {
            Event::Disconnected { conn, .. } => Some(conn),
            _ => None,
        });
        assert!(held.remove(&gone));
    }
    assert!(world.pool.connections().is_empty());
}

#[test]
fn two_listeners_are_told_apart() {
    let onion = Some(NetworkKind::Onion);
    let listening =
        builder(config()).listen(ANY_PORT.into()).listen_with(ANY_PORT.into(), onion, Permissions::default());
    let mut world = World::start(listening);
    let mut seen = Vec::new();
    for address in world.pool.local_addrs().to_vec() {
        let _theirs = TcpStream::connect(address).unwrap();
        let ours = world.connected();
        seen.push((ours.listener, ours.address.is_some()));
    }
    assert_ne!(seen[0].0, seen[1].0);
    // On an onion listener every remote is the local proxy.
    assert_eq!((seen[0].1, seen[1].1), (true, false));
}

#[test]
fn after_a_shutdown_nobody_is_let_in() {
    let mut world = World::start(builder(config()).listen(ANY_PORT.into()));
    let address = world.pool.local_addrs()[0];
    world.shutdown();
    assert!(TcpStream::connect(address).is_err());
}
