//! What a manager tells of itself.

mod support;

use connmgr_core::*;
use support::*;

#[test]
fn there_is_room_for_a_kind_until_its_slots_are_taken() {
    let mut bench = Bench::new(Config { limits: Limits { full: 1, ..Limits::default() }, ..Config::default() });
    assert!(bench.manager.has_room_for(Kind::Full));
    bench.learn(&addresses(1));
    assert!(!bench.manager.has_room_for(Kind::Full));
}

#[test]
fn it_is_active_unless_it_rests_or_shuts_down() {
    let mut bench = Bench::new(Config::default());
    let mut is_active = |input| {
        bench.tell(input);
        bench.manager.is_active()
    };
    let inputs =
        [Input::Timeout, Input::SetActive { active: false }, Input::SetActive { active: true }, Input::Shutdown];
    assert_eq!(inputs.map(&mut is_active), [true, false, true, false]);
}

#[test]
fn the_connection_of_an_added_peer_is_found_by_its_addresses_and_its_identity() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    let known = AddedPeer::new(addr("1.2.3.4:8333")).identity(Identity([5; 32]));
    let conn = dials(&bench.tell(Input::AddPeer { peer: known.clone() }))[0];
    assert_eq!(bench.manager.connection_of(&known), None);
    bench.connect(conn);
    bench.tell(Input::Ready { conn, info: PeerInfo { identity: Some(Identity([5; 32])), ..PeerInfo::default() } });
    let elsewhere = AddedPeer::new(addr("5.6.7.8:8333"));
    assert_eq!(bench.manager.connection_of(&known), Some(conn));
    assert_eq!(bench.manager.connection_of(&AddedPeer::new(addr("1.2.3.4:8333"))), Some(conn));
    assert_eq!(bench.manager.connection_of(&elsewhere.clone().identity(Identity([5; 32]))), Some(conn));
    assert_eq!(bench.manager.connection_of(&elsewhere), None);
}
