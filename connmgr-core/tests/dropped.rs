//! Streams that the application drops: who is blamed, and what follows.

mod support;

use connmgr_core::*;
use support::*;

/// A pool with one automatic connection, ready, and its address.
fn ready() -> (Bench, ConnId, PeerAddress) {
    let (mut bench, conn, address) = open();
    bench.ready(conn);
    (bench, conn, address)
}

/// The same, before its handshake is done.
fn open() -> (Bench, ConnId, PeerAddress) {
    let mut bench = Bench::new(Config::default());
    let address = addr("9.9.9.9:8333");
    let conn = dials(&bench.learn(std::slice::from_ref(&address)))[0];
    bench.connect(conn);
    (bench, conn, address)
}

fn failures(bench: &Bench, address: &PeerAddress) -> u32 {
    bench.manager.book().get(address).expect("it is known").failures
}

#[test]
fn a_ready_connection_that_is_dropped_is_no_failure_of_its_address() {
    for (end, expected) in [(None, 0), (Some(CloseCause::Eof), 1)] {
        let (mut bench, conn, address) = ready();
        bench.tell(end.map_or(Input::Dropped { conn }, |cause| Input::Closed { conn, cause }));
        assert_eq!(failures(&bench, &address), expected, "{end:?}");
    }
}

#[test]
fn a_handshake_that_is_dropped_has_failed() {
    let (mut bench, conn, address) = open();
    bench.tell(Input::Dropped { conn });
    assert_eq!(failures(&bench, &address), 1);
}

#[test]
fn an_address_that_was_dropped_is_not_dialed_again_at_once() {
    let (mut bench, conn, _) = ready();
    let actions = bench.tell(Input::Dropped { conn });
    assert!(dials(&actions).is_empty(), "{actions:?}");
    assert!(dials(&bench.pass(Config::default().dial.min_spacing / 2)).is_empty());
}

#[test]
fn an_added_peer_that_is_dropped_is_dialed_again_after_its_back_off() {
    let mut bench = Bench::new(Config::default());
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    let actions = bench.tell(Input::Dropped { conn });
    let ended = Event::Disconnected { conn, peer: Some(peer), reason: EndReason::Dropped, tag: None };
    assert_eq!(events(&actions), [ended]);
    assert!(dials(&actions).is_empty());
    let [(_, at, 1)] = retries(&actions)[..] else { panic!("one retry: {actions:?}") };
    assert_eq!(dials(&bench.pass(at.since(bench.now))).len(), 1);
}

#[test]
fn a_peer_added_once_that_is_dropped_is_finished() {
    let mut bench = Bench::new(Config::default());
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Once);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    let actions = bench.tell(Input::Dropped { conn });
    assert_eq!(events(&actions)[1], Event::PeerFinished { peer, tag: None });
    assert!(bench.manager.added_peers().is_empty());
}

#[test]
fn of_a_peer_with_several_addresses_the_next_is_tried_when_a_handshake_is_dropped() {
    let mut bench = Bench::new(Config::default());
    let peer = AddedPeer::new(addr("1.2.3.4:8333")).or(addr("2.3.4.5:8333"));
    let conn = dials(&bench.tell(Input::AddPeer { peer }))[0];
    bench.connect(conn);
    assert_eq!(dials(&bench.tell(Input::Dropped { conn })).len(), 1);
}
