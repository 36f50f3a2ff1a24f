//! Keeping a number of outbound connections.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

/// A pool with this target, and hedging off.
fn pool_of(target: u32) -> Bench {
    let mut config = Config::default();
    config.limits.full = target;
    config.dial.max_hedged = Some(0);
    Bench::new(config)
}

#[test]
fn a_pool_fills_to_its_target_and_no_further() {
    let mut bench = pool_of(8);
    bench.learn(&addresses(100));
    let dials = dials(&bench.pass(secs(0)));
    assert_eq!(dials.len(), 0, "all dials were made when the addresses came");
    assert_eq!(bench.count(ConnState::Dialing), 8);
}

#[test]
fn ten_connections_lost_at_once_are_ten_dials() {
    let mut bench = pool_of(10);
    let first = bench.learn(&addresses(100));
    for conn in dials(&first) {
        bench.connect(conn);
        bench.ready(conn);
    }
    assert_eq!(bench.count(ConnState::Ready), 10);
    bench.pass(secs(3600));
    let mut replaced = 0;
    for conn in bench.manager.connections() {
        replaced += dials(&bench.close(conn.conn)).len();
        assert!(bench.manager.connections().len() <= 10);
    }
    replaced += dials(&bench.pass(secs(1))).len();
    assert_eq!(replaced, 10);
}

#[test]
fn an_added_peer_is_dialed_at_once_and_again_after_its_back_off() {
    let mut bench = Bench::new(Config::default());
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    let actions = bench.fail(conn, DialError::Refused);
    let (whose, at, attempt) = retries(&actions)[0];
    assert_eq!((whose, attempt), (peer, 1));
    assert!(at >= Time::from_millis(2500) && at < Time::from_secs(5));
    assert_eq!(dials(&bench.pass(secs(5))).len(), 1);
}

#[test]
fn everything_closes_at_shutdown_and_nothing_comes_after() {
    let mut bench = pool_of(8);
    bench.learn(&addresses(100));
    bench.add_peer("1.2.3.4:8333", Keep::Always);
    let actions = bench.tell(Input::Shutdown);
    assert_eq!(closes(&actions).len(), 9);
    assert_eq!(events(&actions).last(), Some(&Event::Stopped));
    assert_eq!(bench.manager.poll_timeout(), None);
    assert!(bench.pass(secs(86_400)).is_empty());
}

#[test]
fn an_hour_without_an_answer_costs_at_most_120_dials_once_noticed() {
    let mut bench = pool_of(8);
    bench.learn(&addresses(2000));
    let mut actions = Vec::new();
    while !events(&actions).contains(&Event::NetworkDown { network: NetworkKind::Ipv4 }) {
        actions = bench.pass(secs(1));
        assert!(bench.now < Time::from_secs(180), "never noticed");
    }
    let actions = bench.pass(secs(3600));
    assert!(dials(&actions).len() <= 120, "{} dials", dials(&actions).len());
    assert!(dials(&actions).len() >= 100);
}

#[test]
fn a_pool_that_was_refused_for_long_asks_for_better_addresses_though_it_knows_more() {
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::Refused));
    world.learn(&addresses(1500));
    let asks = |world: &World| {
        let asks = |event: &Event| matches!(event, Event::AddressesWanted { .. });
        world.events.iter().filter(|(_, event)| asks(event)).count()
    };
    world.run_until(Time::from_secs(600), |world| world.dials.len() == 640).expect("a burst");
    assert_eq!(asks(&world), 0);
    world.run(secs(100));
    assert!((2..=5).contains(&asks(&world)), "{} times", asks(&world));
}

#[test]
fn a_stable_connection_ends_the_rests_of_those_that_failed_in_a_row_before_it() {
    let good = addr("99.1.1.1:8333");
    let mut config = Config { stable_after: secs(70), ..Config::default() };
    config.limits.full = 1;
    let mut world = World::new(config, |_| Fate::Fails(DialError::Refused));
    world.learn(&addresses(4));
    world.run(secs(1));
    let only = good.clone();
    world.becomes(move |to| if *to == only { Fate::Good } else { Fate::Fails(DialError::Refused) });
    world.learn(&[good]);
    world.run(secs(1));
    // The first connection after four failures is a recovery. The next one counts only after a stable connection.
    world.tell(Input::SetLimits { limits: Limits { full: 5, ..Limits::default() } });
    world.run(secs(58));
    assert_eq!((world.dials.len(), world.ready()), (9, 1), "all four were dialed again after half a minute");
    world.becomes(|_| Fate::Good);
    world.run(secs(10));
    assert_eq!(world.ready(), 1, "they rest");
    world.run(secs(5));
    assert_eq!(world.ready(), 5);
}
