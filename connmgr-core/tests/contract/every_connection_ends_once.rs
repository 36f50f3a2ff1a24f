//! Clause 7: `Connected` comes before `Disconnected`, each once; nothing after.

use connmgr_core::*;

use crate::chaos::Mood;
use crate::support::*;

/// The checkers follow every connection; the counters agree with them.
#[test]
fn every_connection_ends_once() {
    crate::live(7, 1, Mood::Living, |manager, _, _, _, _| {
        let stats = manager.stats();
        let open = |conn: &ConnView| conn.state.is_open();
        let open = manager.connections().iter().filter(|conn| open(conn)).count() as u64;
        assert_eq!(stats.accepted + stats.dials_succeeded, stats.disconnected + open, "connections come and go");
    });
}

#[test]
fn a_connection_closed_by_both_sides_ends_once() {
    let mut bench = Bench::new(with_listener(Config::default()));
    let conn = bench.accept("1.2.3.4:1000").expect("room");
    bench.actions();
    let actions = bench.tell(Input::Disconnect { conn });
    assert_eq!(events(&actions).len(), 1);
    assert_eq!(bench.close(conn), []);
}

#[test]
fn the_end_tells_who_ended_it() {
    let mut bench = Bench::new(with_listener(Config::default()));
    let mut reason_of = |end: fn(ConnId) -> Input| {
        let conn = bench.accept("1.2.3.4:1000").expect("room");
        bench.actions();
        let actions = bench.tell(end(conn));
        let [Event::Disconnected { reason, .. }] = events(&actions)[..] else { panic!("one event: {actions:?}") };
        reason
    };
    let ours = reason_of(|conn| Input::Disconnect { conn });
    let theirs = reason_of(|conn| Input::Closed { conn, cause: CloseCause::Reset });
    let dropped = reason_of(|conn| Input::Dropped { conn });
    assert_eq!(ours, EndReason::Ours(CloseReason::Requested));
    assert_eq!(theirs, EndReason::Theirs(CloseCause::Reset));
    assert_eq!(dropped, EndReason::Dropped);
}

/// A visit to a seed is not a connection to keep: of two connections to one peer the visit is closed, and its timer
/// removed.
#[test]
fn an_added_peer_never_takes_over_a_visit() {
    let proxy = Proxy::new("9.9.9.9:9050".parse().expect("an address")).isolation(IsolationMode::Off).resolves(false);
    let seed = Seed::new(HostName::new("seed.example").expect("a name"));
    let config = Config {
        proxies: Proxies { all: Some(proxy), ..Proxies::default() },
        seeds: SeedConfig { names: vec![seed], ..SeedConfig::default() },
        default_port: 8333,
        ..Config::default()
    };
    let mut bench = Bench::new(config);
    let visit = dials(&bench.pass(secs(0)))[0];
    let info = PeerInfo { identity: Some(Identity([9; 32])), ..PeerInfo::default() };
    bench.connect(visit);
    bench.tell(Input::Ready { conn: visit, info });
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let added = dials(&actions)[0];
    bench.connect(added);
    let actions = bench.tell(Input::Ready { conn: added, info });
    assert_eq!(closes(&actions), [(visit, CloseReason::Duplicate)]);
    bench.pass(secs(3600));
    assert_eq!(bench.manager.connections().len(), 1, "what the peer keeps is not ended as a visit");
}
