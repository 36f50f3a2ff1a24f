//! Peers and handshakes that are treated wrongly.

use connmgr_check::Property;
use connmgr_core::*;

use crate::bench::*;

#[test]
fn a_removed_peer_whose_connection_stays() {
    let mut bench = Bench::new(&pool());
    bench.add_peer("99.1.1.1:8333", Keep::Always).and_then(|()| bench.connect()).expect("nothing is broken yet");
    let removed = Input::RemovePeer { peer: PeerId::from_u64(1) };
    breaks(Property::RemovedPeer, bench.forge(removed, Reply::Done(Ok(())), &[]));
}

#[test]
fn a_peer_added_beyond_the_limit() {
    let none = Config { limits: Limits { added: 0, ..Limits::default() }, ..pool() };
    let mut bench = Bench::mismatched(&pool(), &none);
    breaks(Property::AddedPeers, bench.add_peer("99.1.1.1:8333", Keep::Always));
}

#[test]
fn a_nonce_used_twice() {
    let mut bench = dialing(&pool(), &pool());
    let ids = bench.in_state(ConnState::Dialing);
    let connected = |conn| {
        let mut connected = Connected::new(conn, Kind::Full);
        connected.nonce = 7;
        connected
    };
    let open = |conn| (Input::DialResult { conn, result: Ok(()) }, Action::Emit(Event::Connected(connected(conn))));
    let (first, second) = (open(ids[0]), open(ids[1]));
    bench.forge(first.0, Reply::Noted, &[first.1]).expect("nothing is broken yet");
    breaks(Property::NonceUnique, bench.forge(second.0, Reply::Noted, &[second.1]));
}

#[test]
fn a_connection_to_ourselves_that_stays() {
    let ours = Identity([1; 32]);
    let mut bench = dialing(&pool(), &Config { identity: Some(ours), ..pool() });
    bench.connect().expect("nothing is broken yet");
    let id = bench.in_state(ConnState::Handshaking)[0];
    let info = PeerInfo { identity: Some(ours), ..PeerInfo::default() };
    breaks(Property::SelfConnection, bench.ready(id, info));
}

#[test]
fn a_second_connection_to_one_identity_that_stays() {
    let mut bench = dialing(&pool(), &pool());
    bench.connect().expect("nothing is broken yet");
    let ids = bench.in_state(ConnState::Handshaking);
    let info = PeerInfo { identity: Some(Identity([9; 32])), ..PeerInfo::default() };
    bench.ready(ids[0], info).expect("nothing is broken yet");
    let ready = Input::Ready { conn: ids[1], info };
    breaks(Property::Duplicates, bench.forge(ready, Reply::Noted, &[]));
}

#[test]
fn a_useless_peer_that_stays() {
    let picky =
        RequiredServices { full: Services::WITNESS, block_relay: Services::NONE, ..RequiredServices::default() };
    let mut bench = dialing(&pool(), &Config { required: picky, ..pool() });
    bench.connect().expect("nothing is broken yet");
    let id = bench.in_state(ConnState::Handshaking)[0];
    breaks(Property::RequiredServices, bench.ready(id, PeerInfo::default()));
}

#[test]
fn a_v2_dial_that_nobody_asked_for() {
    let mut bench = Bench::mismatched(&Config { transport: Transport::V2, ..pool() }, &pool());
    breaks(Property::Transport, bench.learn(&addresses(100)));
}

#[test]
fn a_v2_dial_that_dies_unheard_and_is_not_repeated() {
    let config = Config { transport: Transport::V2, ..pool() };
    let mut bench = dialing(&config, &config);
    bench.connect().expect("nothing is broken yet");
    let id = bench.in_state(ConnState::Handshaking)[0];
    let unheard = Input::Closed { conn: id, cause: CloseCause::Unheard };
    breaks(Property::Transport, bench.forge(unheard, Reply::Noted, &[disconnected(id, CloseCause::Unheard)]));
}
