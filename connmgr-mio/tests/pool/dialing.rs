//! Dials.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use connmgr_core::{AddedPeer, Config, DialError, DialFailure, Event, Limits};
use connmgr_mio::{Pool, PoolEvent};
use connmgr_testbed::peers::Silent;
use mio::Poll;

use crate::support::{World, builder, config, patient, peer};

#[test]
fn what_was_released_is_lent_no_more_and_may_be_released_again() {
    let (_listener, address) = peer();
    let mut world = World::start(builder(config()));
    world.add(address);
    let first = world.connected().conn;
    world.pool.release(first);
    assert!(world.pool.stream(first).is_none());
    world.pool.release(first);
    assert!(world.connected().conn > first);
    assert_eq!(world.pool.stats().ignored_facts, 0);
}

/// A pool whose limits were raised, so that its range has a token for the waker and no other.
fn without_tokens(address: SocketAddr) -> (Poll, Pool) {
    let (poll, limits) = (Poll::new().expect("a poll"), config().limits);
    let nobody = Config { limits: Limits { total: 0, added: 0, ..limits }, ..config() };
    let mut pool = builder(nobody).start(poll.registry(), 5..6).expect("room for the waker");
    pool.set_limits(limits).expect("it lives");
    pool.add_peer(AddedPeer::new(address.into())).expect("there is room");
    (poll, pool)
}

#[test]
fn what_is_known_of_a_dial_at_once_is_told_on_the_next_turn() {
    let silent = Silent::listen();
    let (_poll, mut pool) = without_tokens(silent.address());
    assert_eq!((pool.connections().len(), pool.poll_timeout()), (1, Some(Duration::ZERO)));
    let failed = std::iter::from_fn(|| pool.next_event()).find_map(|event| match event {
        PoolEvent::Event(Event::DialFailed { error, .. }) => Some(error),
        _ => None,
    });
    assert_eq!(failed, Some(DialFailure::Failed(DialError::OutOfResources)));
}

/// On Linux, a connection on the same machine is open when `connect` returns.
#[test]
#[cfg(target_os = "linux")]
fn a_dial_on_the_same_machine_needs_no_token() {
    let (_listener, address) = peer();
    let (_poll, mut pool) = without_tokens(address);
    assert_eq!(pool.poll_timeout(), Some(Duration::ZERO));
    let events: Vec<_> = std::iter::from_fn(|| pool.next_event()).collect();
    assert!(events.iter().any(|event| matches!(event, PoolEvent::Connected(_))), "{events:?}");
}

#[test]
fn the_poll_does_not_wait_while_a_result_does() {
    let mut silent = Silent::listen();
    let mut world = World::start(builder(config()));
    world.add(silent.address());
    while world.pool.next_event().is_some() {}
    assert_ne!(world.pool.poll_timeout(), Some(Duration::ZERO));
    silent.wake();
    // The system asks again after a second.
    world.wait(Duration::from_secs(20));
    assert_eq!(world.pool.poll_timeout(), Some(Duration::ZERO));
}

#[test]
fn a_refusal_that_comes_later_is_an_event_of_the_poll() {
    let silent = Silent::listen();
    let mut world = World::start(builder(config()));
    world.add(silent.address());
    // Nobody listens there any more when the system asks again, after a second.
    drop(silent);
    let failed = world.said("a failed dial", |event| match event {
        Event::DialFailed { error, .. } => Some(error),
        _ => None,
    });
    assert_eq!(failed, DialFailure::Failed(DialError::Refused));
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
fn a_connect_that_fails_is_told_with_the_tag_of_its_peer() {
    let (listener, address) = peer();
    drop(listener);
    let mut world = World::start(builder(config()));
    let asked = world.pool.connect(AddedPeer::new(address.into()).tag(7)).expect("it may be dialed");
    let told = world.event("ConnectFailed", |event| match event {
        PoolEvent::ConnectFailed { peer, tag, .. } => Some((peer, tag)),
        _ => None,
    });
    assert_eq!(told, (asked, Some(7)));
    assert!(world.pool.added_peers().is_empty());
}
