//! Inbound connections.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::Duration;

use connmgr_core::Event;
use connmgr_mio::PoolEvent;

use crate::support::{ANY_PORT, World, builder, config};

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
