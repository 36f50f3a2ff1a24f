//! The end, from every side.

use std::io::Read;

use connmgr_core::{CommandError, Event, Proxy};
use connmgr_mio::PoolEvent;

use crate::support::{ANY_PORT, World, builder, config, patient, peer};

#[test]
fn a_shutdown_in_the_middle_of_dials_hangs_up_on_everyone() {
    // A proxy that takes every connection and never says a word.
    let (proxy, address) = peer();
    let mut world = World::start(builder(config()).proxy(Proxy { address, isolate: false, resolves: false }));
    let mut dials = Vec::new();
    for number in 0..3 {
        world.add(format!("node{number}.example:1"));
        dials.push(world.accept(&proxy));
    }
    let problems = world.shutdown();
    assert!(problems.is_empty(), "{problems:?}");
    for mut dial in dials {
        dial.read_to_end(&mut Vec::new()).unwrap();
    }
    assert!(world.pool.poll_timeout().is_none(), "nothing is left to wait for");
}

#[test]
fn the_last_event_is_stopped() {
    let (_listener, address) = peer();
    let mut world = World::start(builder(config()));
    world.add(address);
    let ours = world.connected().conn;
    world.pool.shutdown();
    let mut told = Vec::new();
    world.until("the end", |pool| {
        while let Some(event) = pool.next_event() {
            if let PoolEvent::Event(event) = event {
                told.push(event);
            }
        }
        pool.is_stopped().then_some(())
    });
    let ended = |event: &Event| matches!(event, Event::Disconnected { conn, .. } if *conn == ours);
    assert_eq!(told.iter().filter(|event| ended(event)).count(), 1);
    assert_eq!(told.last(), Some(&Event::Stopped));
    assert!(world.pool.stream(ours).is_none());
    assert_eq!(world.pool.disconnect(ours), Err(CommandError::ShuttingDown));
}

#[test]
fn a_pool_that_is_dropped_closes_its_connections() {
    let (listener, address) = peer();
    let mut world = World::start(builder(config()).listen(ANY_PORT.into()));
    world.add(address);
    world.connected();
    let mut theirs = patient(listener.accept().unwrap().0);
    drop(world.pool);
    assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
}
