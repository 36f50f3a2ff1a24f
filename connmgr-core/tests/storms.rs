//! No failure causes a storm of dials, and the pool is full soon after the failure ends.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

const HOUR: Duration = secs(3600);

/// Every mode of failure.
const MODES: [Fate; 15] = [
    Fate::Silent,
    Fate::HangsUp,
    Fate::Mute,
    Fate::Leaves(Duration::ZERO),
    Fate::Leaves(secs(1)),
    Fate::Leaves(secs(20)),
    Fate::Fails(DialError::Refused),
    Fate::Fails(DialError::Reset),
    Fate::Fails(DialError::HostUnreachable),
    Fate::FailsAfter(DialError::TimedOut, secs(3)),
    Fate::FailsAfter(DialError::NetworkUnreachable, Duration::ZERO),
    Fate::FailsAfter(DialError::AddressFamilyUnsupported, Duration::ZERO),
    Fate::FailsAfter(DialError::OutOfResources, Duration::ZERO),
    Fate::FailsAfter(DialError::Cancelled, Duration::ZERO),
    Fate::FailsAfter(DialError::Other, Duration::ZERO),
];

/// Failures of a proxy.
const PROXY_MODES: [Fate; 4] = [
    Fate::FailsAfter(DialError::ProxyUnreachable, Duration::ZERO),
    Fate::FailsAfter(DialError::ProxyAuth, Duration::ZERO),
    Fate::FailsAfter(DialError::ProxyFailed, secs(5)),
    Fate::FailsAfter(DialError::ServiceUnreachable, secs(10)),
];

/// The dials of each hour of a day with this failure.
fn hours(config: Config, book: &[PeerAddress], mode: Fate, hours: u32) -> Vec<usize> {
    let mut world =
        World::new(Config { book: BookConfig { max_per_call: 100_000, ..config.book }, ..config }, move |_| mode);
    world.learn(book);
    let mut counts = Vec::new();
    for _ in 0..hours {
        let before = world.dials.len();
        world.run(HOUR);
        counts.push(world.dials.len() - before);
    }
    counts
}

fn check_hours(config: &Config, book: &[PeerAddress], mode: Fate) {
    let counts = hours(config.clone(), book, mode, 4);
    let fits = counts[0] <= 1500 && counts[1..].iter().all(|dials| *dials <= 400);
    assert!(fits, "{} addresses like {}, {mode:?}: {counts:?}", book.len(), book[0]);
}

#[test]
fn no_failure_costs_more_than_its_hour_may() {
    for size in [8, 100, 1000, 15_000] {
        for mode in MODES {
            check_hours(&Config::default(), &addresses(size), mode);
        }
    }
}

#[test]
fn no_failure_of_another_network_does_either() {
    let proxied = with_proxy(Config::default());
    for mode in MODES.into_iter().chain(PROXY_MODES) {
        check_hours(&proxied, &onions(1000), mode);
    }
    for mode in MODES {
        check_hours(&Config::default(), &v6_addresses(1000), mode);
    }
}

#[test]
fn a_day_of_refusals_is_at_most_ten_thousand_dials() {
    for size in [1000, 15_000] {
        let counts = hours(Config::default(), &addresses(size), Fate::Fails(DialError::Refused), 24);
        println!(
            "{size} known, all refuse: {} dials in a day, {} in the first hour",
            counts.iter().sum::<usize>(),
            counts[0]
        );
        assert!(counts.iter().sum::<usize>() <= 10_000, "{counts:?}");
    }
}

#[test]
fn every_version_of_a_peer_is_paid_for() {
    let config = Config { transport: Transport::V2, ..Config::default() };
    let mut world = World::new(config, |_| Fate::Unheard);
    world.learn(&addresses(10_000));
    let mut counts = Vec::new();
    for _ in 0..3 {
        let before = world.dials.len();
        world.run(HOUR);
        counts.push(world.dials.len() - before);
    }
    assert!(counts[0] <= 1500 && counts[1] <= 400 && counts[2] <= 400, "{counts:?}");
}

/// Seven peers are connected, and every other dial fails on our side.
#[test]
fn failures_of_our_own_beside_living_connections_cost_no_more() {
    for error in [DialError::OutOfResources, DialError::NetworkUnreachable, DialError::Other, DialError::Cancelled] {
        let mut world = World::new(Config::default(), |_| Fate::Good);
        world.learn(&addresses(1000)[..7]);
        world.run(secs(120));
        assert_eq!(world.ready(), 7);
        world.becomes(move |_| Fate::FailsAfter(error, Duration::ZERO));
        world.learn(&addresses(1000));
        let before = world.dials.len();
        for _ in 0..120 {
            world.run(secs(30));
            for view in world.bench.manager.connections() {
                world.tell(Input::Activity { conn: view.conn, activity: Activity::default() });
            }
        }
        let dials = world.dials.len() - before;
        println!("{error:?} beside seven living connections: {dials} dials in an hour");
        assert!(dials <= if error == DialError::Cancelled { 1500 } else { 250 }, "{error:?}: {dials}");
        assert_eq!(world.ready(), 7);
    }
}

#[test]
fn a_network_that_changes_every_second_costs_no_more_than_one_that_changes_every_minute() {
    let dials = [1, 60].map(|every| {
        let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::Refused));
        world.learn(&addresses(1000));
        for _ in 0..3600 / every {
            world.tell(Input::NetworkChanged);
            world.run(secs(every));
        }
        world.dials.len()
    });
    println!("dials in an hour: {} changed every second, {} every minute", dials[0], dials[1]);
    assert!(dials[0] <= dials[1] + dials[1] / 20, "{dials:?}");
}

/// How long until a pool is full after `ill` of this failure, over several seeds, sorted.
fn recoveries(mode: Fate, book: u32, ill: Duration) -> Vec<Duration> {
    let mut all: Vec<Duration> = (0..9)
        .map(|seed| {
            let mut world = World::seeded(Config::default(), seed, move |_| mode);
            world.learn(&addresses(book));
            world.run(ill + secs(seed * 37));
            world.becomes(|_| Fate::Good);
            world.fills(8, secs(3600)).map_or(secs(3600), |(time, _)| time)
        })
        .collect();
    all.sort_unstable();
    all
}

#[test]
fn a_world_that_is_well_again_has_a_full_pool_within_a_minute() {
    for mode in MODES {
        for book in [10, 50, 1000] {
            for ill in [60, 600, 7200] {
                let all = recoveries(mode, book, secs(ill));
                let (median, worst) = (all[all.len() / 2], all[all.len() - 1]);
                let fits = median <= secs(60) && worst <= secs(120);
                assert!(fits, "{mode:?} for {ill} s, {book} known: {median:?} in the median, {worst:?} at worst");
            }
        }
    }
}

#[test]
fn peers_that_get_ready_and_go_slow_the_dials_down() {
    let counts = hours(Config::default(), &addresses(15_000), Fate::Leaves(secs(1)), 4);
    println!("ready and gone after 1 s: {counts:?} handshakes an hour");
    assert!(counts[0] <= 1500 && counts[1..].iter().all(|dials| *dials <= 400), "{counts:?}");
}

/// One in twenty becomes ready and leaves at once, the others refuse: after each run of failures there is a ready one.
#[test]
fn one_who_gets_ready_and_goes_now_and_then_is_no_recovery_each_time() {
    let fate = |address: &PeerAddress| match lot(address, 20) {
        0 => Fate::Leaves(Duration::ZERO),
        _ => Fate::Fails(DialError::Refused),
    };
    let mut world = World::new(Config::default(), fate);
    world.learn(&addresses(10_000));
    let hours: Vec<usize> = (0..4)
        .map(|_| {
            let before = world.dials.len();
            world.run(HOUR);
            world.dials.len() - before
        })
        .collect();
    assert!(hours[0] <= 1500 && hours[1..].iter().all(|dials| *dials <= 400), "{hours:?}");
}

/// An address is good if its connection lasted, not if it only became ready.
#[test]
fn each_connection_that_does_not_last_is_a_failure_of_its_address_until_one_does() {
    let address = addr("1.2.3.4:8333");
    let mut bench = Bench::new(Config::default());
    let mut actions = bench.learn(core::slice::from_ref(&address));
    let failures = [secs(1), secs(1), secs(60)].map(|life| {
        while dials(&actions).is_empty() {
            actions = bench.pass(secs(1));
        }
        let conn = dials(&actions)[0];
        bench.connect(conn);
        bench.ready(conn);
        bench.pass(life);
        actions = bench.close(conn);
        bench.manager.book().get(&address).map(|entry| entry.failures)
    });
    assert_eq!(failures, [Some(1), Some(2), Some(0)]);
}
