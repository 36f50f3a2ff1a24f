//! Deactivation, activation, shutdown, and restart from a snapshot.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

/// Eight automatic connections, one added, three inbound; all ready but one dial.
fn busy() -> World {
    let mut world = World::new(with_listener(Config::default()), |_| Fate::Good);
    world.learn(&addresses(100));
    world.add_peer("1.2.3.4:8333");
    world.run(secs(10));
    for n in 1..=3 {
        let conn = world.bench.accept(&format!("9.{n}.9.9:5")).expect("it is let in");
        world.bench.actions();
        world.bench.ready(conn);
    }
    world
}

#[test]
fn resting_closes_everyone() {
    let mut world = busy();
    let actions = world.bench.tell(Input::SetActive { active: false });
    let closed = closes(&actions);
    assert!(closed.len() == 12 && closed.iter().all(|(_, reason)| *reason == CloseReason::Inactive));
}

#[test]
fn at_rest_nobody_is_dialed_and_no_retry_announced() {
    let mut world = busy();
    let mut actions = world.bench.tell(Input::SetActive { active: false });
    actions.extend(world.bench.pass(secs(24 * 3600)));
    assert_eq!((dials(&actions).len(), retries(&actions).len()), (0, 0));
}

#[test]
fn back_at_work_everyone_is_dialed_at_once() {
    let mut world = busy();
    world.tell(Input::SetActive { active: false });
    world.run(secs(3600));
    world.tell(Input::SetActive { active: true });
    world.run(secs(1));
    assert_eq!(world.ready(), 9);
}

#[test]
fn a_peer_added_at_rest_is_dialed_when_work_begins() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    bench.tell(Input::SetActive { active: false });
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let begun = bench.tell(Input::SetActive { active: true });
    assert_eq!((dials(&actions).len(), dials(&begun).len()), (0, 1));
}

#[test]
fn rest_is_no_failure_of_anyone() {
    let mut world = busy();
    world.tell(Input::SetActive { active: false });
    let attempts: Vec<u32> = world.bench.manager.added_peers().iter().map(|peer| peer.attempt).collect();
    let failures: u32 = world.bench.manager.book().iter().map(|entry| entry.failures).sum();
    assert_eq!((attempts, failures), (vec![0], 0));
}

#[test]
fn a_lookup_that_ends_at_rest_is_made_again_at_work() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    bench.add_peer("node.example:8333", Keep::Always);
    bench.tell(Input::SetActive { active: false });
    let ips = Ok(vec![[1, 2, 3, 4].into()]);
    let at_rest = bench.tell(Input::LookupResult { lookup: LookupId::from_u64(1), result: ips });
    let at_work = bench.tell(Input::SetActive { active: true });
    assert!(at_rest.is_empty() && matches!(at_work[..], [Action::ResolveHost { .. }]), "{at_rest:?}, {at_work:?}");
}

#[test]
fn shutdown_closes_everyone_says_stopped_and_is_silent() {
    let mut world = busy();
    let actions = world.bench.tell(Input::Shutdown);
    assert_eq!((closes(&actions).len(), events(&actions).last()), (12, Some(&Event::Stopped)));
    assert!(world.bench.pass(secs(24 * 3600)).is_empty());
}

#[test]
fn shutdown_announces_no_retry() {
    let mut world = busy();
    assert_eq!(retries(&world.bench.tell(Input::Shutdown)).len(), 0);
}

#[test]
fn shutdown_gives_up_dials_in_flight_and_their_late_results_are_nothing() {
    let mut bench = Bench::new(Config::default());
    let conns = dials(&bench.learn(&addresses(100)));
    let closed = closes(&bench.tell(Input::Shutdown));
    assert_eq!(closed.len(), conns.len());
    assert!(conns.iter().all(|conn| bench.connect(*conn).is_empty()));
}

#[test]
fn shutdown_at_rest_stops_too() {
    let mut world = busy();
    world.tell(Input::SetActive { active: false });
    let actions = world.bench.tell(Input::Shutdown);
    assert_eq!(events(&actions), [Event::Stopped]);
}

#[test]
fn shutdown_of_hundreds_of_connections_is_carried_out_in_parts() {
    let mut config = with_listener(Config::default());
    config.limits.total = 400;
    config.listeners[0].permissions.no_limit = true;
    let mut bench = Bench::new(config);
    (0..300).for_each(|port| {
        bench.accept(&format!("9.9.9.9:{port}")).expect("it is let in");
    });
    bench.actions();
    let at_once = bench.tell(Input::Shutdown);
    let later = bench.pass(secs(1));
    assert!(at_once.len() <= 256);
    assert_eq!((closes(&at_once).len() + closes(&later).len(), events(&later).last()), (300, Some(&Event::Stopped)));
}

#[test]
fn commands_after_shutdown_are_refused() {
    let mut bench = Bench::new(Config::default());
    bench.tell(Input::Shutdown);
    let added = bench.apply(&Input::AddPeer { peer: AddedPeer::new(addr("1.2.3.4:8333")) });
    assert_eq!(added, Reply::Added(Err(AddPeerError::ShuttingDown)));
    assert_eq!(bench.apply(&Input::SetActive { active: true }), Reply::Done(Err(CommandError::ShuttingDown)));
    assert_eq!(bench.apply(&Input::Shutdown), Reply::Done(Ok(())));
}

#[test]
fn a_snapshot_brings_the_book_and_the_bans_back() {
    let mut world = busy();
    let target = BanTarget::Subnet("5.5.0.0/16".parse().expect("it parses"));
    world.tell(Input::Ban { target, duration: secs(3600) });
    let saved = world.bench.manager.snapshot();
    let next = ConnManager::new(Birth {
        config: Config::default(),
        snapshot: Some(saved.clone()),
        rng_seed: [8; 32],
        unix: UNIX.after(secs(10)),
        now: Time::ZERO,
    });
    let mut again = next.expect("a good configuration").snapshot();
    let sorted = |mut snapshot: Snapshot| {
        snapshot.addresses.sort_by(|a, b| a.address.cmp(&b.address));
        snapshot
    };
    again.bans[0].until = saved.bans[0].until.max(again.bans[0].until);
    assert_eq!(sorted(again), sorted(saved));
}

#[test]
fn a_restart_fills_the_pool_from_the_snapshot() {
    let saved = busy().bench.manager.snapshot();
    let mut bench = Bench::with_snapshot(Config::default(), Some(saved));
    assert_eq!(dials(&bench.pass(secs(0))).len(), 8);
}

#[test]
fn nonsense_in_a_snapshot_is_left_out() {
    let nonsense = |address: &str| SavedAddress {
        address: addr(address),
        services: Services::NONE,
        last_seen: UnixTime::from_secs(u64::MAX),
        last_try: UnixTime::from_secs(u64::MAX),
        last_success: UnixTime::from_secs(u64::MAX),
        failures: u32::MAX,
        v1_only: true,
        source: SourceGroup::UNKNOWN,
        placement: Placement::Anew,
    };
    let loopback = SavedBan {
        target: BanTarget::Host("127.0.0.1".parse().expect("it parses")),
        since: UnixTime::from_secs(0),
        until: UnixTime::from_secs(u64::MAX),
        exceptions: vec![],
    };
    let all = ["10.0.0.1:1", "name.example:1", "127.0.0.1:1", "1.2.3.4:0", "9.9.9.9:8333"].map(nonsense).to_vec();
    let snapshot = Snapshot { addresses: all, anchors: vec![], book_secret: None, bans: vec![loopback] };
    let mut bench = Bench::with_snapshot(Config::default(), Some(snapshot));
    bench.pass(secs(3600));
    let known: Vec<PeerAddress> = bench.manager.book().iter().map(|entry| entry.address).collect();
    assert_eq!((known, bench.manager.bans().len()), (vec![addr("9.9.9.9:8333")], 0));
}

#[test]
fn events_come_in_the_order_in_which_things_happened() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Once);
    let conn = dials(&actions)[0];
    bench.apply(&Input::DialResult { conn, result: Ok(()) });
    bench.apply(&Input::Closed { conn, cause: CloseCause::Eof });
    let happened = events(&bench.actions());
    let [Event::Connected(first), Event::Disconnected { conn: second, .. }, Event::PeerFinished { peer: third, .. }] =
        &happened[..]
    else {
        panic!("{happened:?}")
    };
    assert_eq!((first.conn, *second, *third), (conn, conn, peer));
}

/// A ready connection to one peer among few, and its address.
fn one_ready() -> (Bench, ConnId, PeerAddress) {
    let mut config = Config::default();
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    let actions = bench.learn(&addresses(1));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    (bench, conn, addresses(1).remove(0))
}

/// What the next life dials in its first second, if it begins a second after this one ended.
fn dialed_after(bench: &Bench) -> usize {
    let (snapshot, config) = (bench.manager.snapshot(), bench.manager.config().clone());
    let unix = UNIX.after(Duration::from_nanos(bench.now.as_nanos())).after(secs(1));
    let birth = Birth { config, snapshot: Some(snapshot), rng_seed: [7; 32], unix, now: Time::ZERO };
    dials(&Bench::born(birth, 1).pass(secs(1))).len()
}

#[test]
fn who_was_connected_is_dialed_at_once_in_the_next_life() {
    let (mut bench, ..) = one_ready();
    assert_eq!(dialed_after(&bench), 1, "after a crash that follows a save");
    bench.tell(Input::Shutdown);
    assert!(bench.manager.is_stopped());
    assert_eq!(dialed_after(&bench), 1, "after a shutdown");
}

#[test]
fn who_was_connected_until_the_node_was_made_inactive_is_dialed_at_once_in_the_next_life() {
    let (mut bench, ..) = one_ready();
    bench.tell(Input::SetActive { active: false });
    bench.tell(Input::Shutdown);
    assert_eq!(dialed_after(&bench), 1);
}

#[test]
fn whoever_was_not_connected_rests_in_the_next_life_too() {
    let (mut bench, conn, _) = one_ready();
    bench.close(conn);
    assert_eq!(dialed_after(&bench), 0, "it left before the end");
    let mut bench = Bench::new(Config::default());
    let conn = dials(&bench.learn(&addresses(1)))[0];
    assert_eq!(dialed_after(&bench), 0, "it was being dialed");
    bench.connect(conn);
    assert_eq!(dialed_after(&bench), 0, "it was not ready");
    bench.tell(Input::Shutdown);
    assert_eq!(dialed_after(&bench), 0, "it was not ready at the shutdown");
}

#[test]
fn a_peer_is_dialed_at_once_in_one_life_only() {
    let (mut bench, ..) = one_ready();
    bench.tell(Input::Shutdown);
    let (snapshot, config) = (bench.manager.snapshot(), bench.manager.config().clone());
    let birth = Birth { config, snapshot: Some(snapshot), rng_seed: [7; 32], unix: UNIX, now: Time::ZERO };
    let mut next = Bench::born(birth, 1);
    assert_eq!(dials(&next.pass(secs(1))).len(), 1);
    next.tell(Input::Shutdown);
    assert_eq!(dialed_after(&next), 0);
}

#[test]
fn the_stats_count_what_happened() {
    let mut bench = Bench::new(with_listener(Config::default()));
    let conns = dials(&bench.learn(&addresses(3)));
    // Two of them again, and one that is new.
    bench.learn(&addresses(4)[1..]);
    bench.connect(conns[0]);
    bench.ready(conns[0]);
    bench.fail(conns[1], DialError::Refused);
    bench.accept("99.1.1.1:5000").expect("room");
    bench.close(conns[0]);
    bench.close(conns[0]);
    bench.tell(Input::Ban { target: BanTarget::Host(addresses(3)[2].host().clone()), duration: secs(60) });
    let counted = Stats {
        dials: 4,
        dials_succeeded: 1,
        dials_failed: 1,
        dials_given_up: 1,
        accepted: 1,
        ready: 1,
        disconnected: 1,
        bans: 1,
        addresses_learnt: 4,
        addresses_ignored: 2,
        ignored_facts: 1,
        ..Stats::default()
    };
    assert_eq!(bench.manager.stats(), counted);
}
