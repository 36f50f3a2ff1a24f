//! Peers that are added, reached, lost and reached again.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use connmgr_core::{
    CloseCause, CloseReason, DialError, DialFailure, EndReason, Event, HostName, Keep, Kind, LookupError, PeerAddress,
};
use connmgr_mio::{PoolEvent, Resolve};
use mio::Poll;

use crate::support::{BACKOFF, World, builder, config, patient, peer};

#[test]
fn an_added_peer_is_connected() {
    let (listener, address) = peer();
    let mut world = World::start(builder(config()));
    let id = world.add(address);
    let mut theirs = world.accept(&listener);
    let ours = world.connected();
    assert_eq!((ours.peer, ours.kind, ours.listener), (Some(id), Kind::Added, None));
    assert_eq!(ours.address, Some(PeerAddress::from(address)));
    world.write(ours.conn, b"ping");
    let mut heard = [0; 4];
    theirs.read_exact(&mut heard).unwrap();
    theirs.write_all(b"pong").unwrap();
    assert_eq!((&heard, world.read(ours.conn, 4).as_slice()), (b"ping", &b"pong"[..]));
}

#[test]
fn a_connection_that_is_released_is_made_again_after_its_back_off() {
    let (listener, address) = peer();
    let mut world = World::start(builder(config()));
    let id = world.add(address);
    let first = world.connected().conn;
    let since = Instant::now();
    world.pool.release(first);
    assert!(world.pool.stream(first).is_none());
    world.pool.release(first);
    let (mut ended, mut scheduled) = (None, None);
    world.event("Disconnected and RetryScheduled", |event| {
        match event {
            PoolEvent::Event(Event::Disconnected { conn, peer, reason }) => ended = Some((conn, peer, reason)),
            PoolEvent::RetryScheduled { peer, .. } => scheduled = Some(peer),
            _ => {}
        }
        (ended.is_some() && scheduled.is_some()).then_some(())
    });
    assert_eq!(ended, Some((first, Some(id), EndReason::Theirs(CloseCause::Dropped))));
    assert_eq!(scheduled, Some(id));
    let again = world.connected();
    assert!(again.conn > first && again.peer == Some(id));
    assert!(since.elapsed() >= BACKOFF);
    assert_eq!(world.pool.stats().ignored_facts, 0);
    drop(listener);
}

#[test]
fn a_peer_that_refuses_is_tried_until_it_accepts() {
    let (listener, address) = peer();
    drop(listener);
    let mut world = World::start(builder(config()));
    let id = world.add(address);
    // More often than there are tokens.
    for _ in 0..4 {
        let error = world.said("DialFailed", |event| match event {
            Event::DialFailed { peer, error, .. } if peer == Some(id) => Some(error),
            _ => None,
        });
        assert_eq!(error, DialFailure::Failed(DialError::Refused));
    }
    let _listener = TcpListener::bind(address).unwrap();
    assert_eq!(world.connected().peer, Some(id));
}

#[test]
fn what_is_known_of_a_dial_at_once_is_told_on_the_next_turn() {
    let (_listener, address) = peer();
    let poll = Poll::new().unwrap();
    // One token is the waker's; none is left.
    let mut pool = builder(config()).start(poll.registry(), 5..6).unwrap();
    pool.add_peer(address.to_string().parse().unwrap(), Keep::Always).unwrap();
    assert_eq!((pool.connections().len(), pool.poll_timeout()), (1, Some(Duration::ZERO)));
    let failed = std::iter::from_fn(|| pool.next_event()).find_map(|event| match event {
        PoolEvent::Event(Event::DialFailed { error, .. }) => Some(error),
        _ => None,
    });
    assert_eq!(failed, Some(DialFailure::Failed(DialError::OutOfResources)));
}

#[test]
fn the_poll_does_not_wait_while_a_result_does() {
    let (listener, address) = peer();
    let mut world = World::start(builder(config()));
    world.add(address);
    while world.pool.next_event().is_some() {}
    let _theirs = listener.accept().unwrap();
    assert_ne!(world.pool.poll_timeout(), Some(Duration::ZERO));
    world.wait(Duration::ZERO);
    assert_eq!(world.pool.poll_timeout(), Some(Duration::ZERO));
}

#[test]
fn a_dial_that_succeeds_after_it_was_given_up_is_closed() {
    for noticed in [false, true] {
        let (listener, address) = peer();
        let mut world = World::start(builder(config()));
        let id = world.add(address);
        let mut theirs = patient(listener.accept().unwrap().0);
        if noticed {
            world.wait(Duration::ZERO);
        }
        world.pool.remove_peer(id).unwrap();
        world.wait(Duration::ZERO);
        while let Some(event) = world.pool.next_event() {
            assert!(!matches!(event, PoolEvent::Connected(_)), "{event:?}");
        }
        assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
        assert!(world.pool.connections().is_empty());
    }
}

#[test]
fn a_peer_that_hangs_up_without_a_word_is_told_so() {
    let (listener, address) = peer();
    let mut world = World::start(builder(config()));
    world.add(address);
    // The connection may be there before the other end is accepted, so it must not be lost here.
    let ours = world.connected().conn;
    drop(listener.accept().unwrap());
    assert_eq!(world.read(ours, 8), b"");
    world.pool.release(ours);
    assert_eq!(world.disconnected(ours), EndReason::Theirs(CloseCause::Unheard));
}

#[test]
fn a_connection_that_we_close_ends_for_whoever_has_it() {
    let (listener, address) = peer();
    let mut world = World::start(builder(config()));
    world.add(address);
    let ours = world.connected().conn;
    let mut theirs = patient(listener.accept().unwrap().0);
    theirs.write_all(b"too late").unwrap();
    world.pool.disconnect(ours).unwrap();
    assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!(world.read(ours, 8), b"");
    assert!(world.pool.stream(ours).unwrap().write(b"too late").is_err());
    assert_eq!(world.disconnected(ours), EndReason::Ours(CloseReason::Requested));
    assert!(world.pool.stream(ours).is_none());
    assert_eq!(world.pool.stats().ignored_facts, 0);
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
    let (_listener, address) = peer();
    let mut world = World::start(builder(config()).resolver(OneName));
    let id = world.add(format!("peer.example:{}", address.port()));
    assert_eq!(world.connected().peer, Some(id));
}

#[test]
fn a_name_that_nobody_knows_fails_its_peer() {
    let mut world = World::start(builder(config()).resolver(OneName));
    let id = world.add("nobody.example:1");
    let failed = world.said("LookupFailed", |event| match event {
        Event::LookupFailed { peer, error } => Some((peer, error)),
        _ => None,
    });
    assert_eq!(failed, (id, LookupError::NotFound));
}
