//! Dials, as the loop that turns the pool sees them.

use std::io::Read;
use std::time::Duration;

use connmgr_core::{DialError, DialFailure, Event, Keep};
use connmgr_mio::PoolEvent;
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
