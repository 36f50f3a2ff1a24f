//! Every model fills a plain world, and lives by the routes, limits and options of the configuration.

use connmgr_core::{Limits, NetworkKind};
use connmgr_sim::scenario::{
    Acquaintance, FaultKind, FaultSpec, HostBehavior, HostSpec, PeerSpec, ProxySpec, SeedSpec, Span,
};
use connmgr_sim::subject::models::{BtcdLike, CoreLike, OneAtATime, PacedBtcd, PacedCore, ParallelPlain};
use connmgr_sim::{Instant, Scenario, Scrutiny, Subject, World};

/// A world of one population, all of it known.
fn world(host: HostSpec) -> Scenario {
    let mut scenario = Scenario::new("small", Span::hours(1));
    let (of, seen_within) = (host.name.clone(), Span::days(3));
    scenario.book.knows = vec![Acquaintance { of, count: None, seen_within, tried: false }];
    scenario.hosts.push(host);
    scenario
}

fn good(network: NetworkKind, count: u32) -> HostSpec {
    HostSpec { network, ..HostSpec::new("good", count) }
}

fn run<S: Subject>(scenario: &Scenario) -> World<S> {
    let mut world = World::new(scenario.clone(), 1, Scrutiny::None).expect("a good configuration");
    world.run().expect("nobody judges");
    world
}

/// Until the pool was first full, in milliseconds.
fn filled<S: Subject>(scenario: &Scenario) -> Option<u128> {
    let at = run::<S>(scenario).nodes()[0].tally.first_full?;
    Some(at.since(Instant::ZERO).as_millis())
}

/// What each model comes to.
fn all<T>(scenario: &Scenario, of: [fn(&Scenario) -> T; 6]) -> [T; 6] {
    of.map(|of| of(scenario))
}

const FILLED: [fn(&Scenario) -> Option<u128>; 6] = [
    filled::<OneAtATime>,
    filled::<ParallelPlain>,
    filled::<CoreLike>,
    filled::<PacedCore>,
    filled::<BtcdLike>,
    filled::<PacedBtcd>,
];

#[track_caller]
fn fill_within(scenario: &Scenario, millis: u128) {
    for filled in all(scenario, FILLED) {
        assert!(filled.is_some_and(|filled| filled <= millis), "{filled:?} of {millis} ms");
    }
}

#[test]
fn every_model_fills_a_plain_world() {
    fill_within(&world(good(NetworkKind::Ipv4, 100)), 8_000);
}

#[test]
fn every_model_fills_where_half_is_dead() {
    let half = connmgr_sim::types::Share::percent(50);
    fill_within(&world(HostSpec { reachable: half, ..good(NetworkKind::Ipv4, 500) }), 300_000);
}

#[test]
fn every_model_reaches_each_network_by_its_route() {
    for network in NetworkKind::ALL {
        let mut scenario = world(good(network, 100));
        scenario.proxy = Some(ProxySpec { for_all: false, resolves: true, adds: Span::secs(6) });
        fill_within(&scenario, 120_000);
        if matches!(network, NetworkKind::Onion | NetworkKind::I2p) {
            scenario.proxy = None;
            assert_eq!(all(&scenario, FILLED), [None; 6], "{network}");
        }
    }
}

#[test]
fn every_model_asks_seeds_when_it_knows_nobody() {
    let mut scenario = world(good(NetworkKind::Ipv4, 100));
    scenario.book.knows.clear();
    scenario.seeds.push(SeedSpec::new("seed.example"));
    fill_within(&scenario, 10_000);
}

#[test]
fn no_model_counts_a_peer_without_the_required_services() {
    let mut scenario = world(HostSpec { behavior: HostBehavior::Useless, ..good(NetworkKind::Ipv4, 100) });
    scenario.duration = Span::minutes(5);
    assert_eq!(all(&scenario, FILLED), [None; 6]);
}

#[test]
fn no_model_is_connected_twice_to_an_address() {
    let scenario = world(good(NetworkKind::Ipv4, 3));
    let counts = [
        kinds::<OneAtATime>(&scenario),
        kinds::<ParallelPlain>(&scenario),
        kinds::<PacedCore>(&scenario),
        kinds::<PacedBtcd>(&scenario),
    ];
    assert_eq!(counts, [(3, 0); 4]);
}

#[test]
fn every_model_dials_added_peers_and_resolves_their_names() {
    for by_name in [false, true] {
        let mut scenario = Scenario::new("friends", Span::hours(1));
        scenario.node.limits = Some(Limits { full: 0, block_relay: 0, ..Limits::default() });
        scenario.hosts.push(good(NetworkKind::Ipv4, 3));
        let at = Span::default();
        scenario.peers.push(PeerSpec { by_name, at, ..PeerSpec::new("good", 3) });
        fill_within(&scenario, 6_000);
    }
}

#[test]
fn an_automatic_connection_becomes_the_added_peers() {
    let mut scenario = world(good(NetworkKind::Ipv4, 20));
    let at = Span::minutes(10);
    scenario.peers.push(PeerSpec { at, ..PeerSpec::new("good", 10) });
    for (automatic, added) in [
        kinds::<OneAtATime>(&scenario),
        kinds::<ParallelPlain>(&scenario),
        kinds::<PacedCore>(&scenario),
        kinds::<PacedBtcd>(&scenario),
    ] {
        assert_eq!(automatic + added, 18, "{automatic} and {added}");
    }
}

fn kinds<S: Subject>(scenario: &Scenario) -> (u32, u32) {
    let mut scenario = scenario.clone();
    scenario.node.limits = Some(Limits { added: 10, full: 8, block_relay: 0, ..Limits::default() });
    let world = run::<S>(&scenario);
    let tally = &world.nodes()[0].tally;
    (tally.automatic(), tally.added())
}

#[test]
fn a_paced_model_keeps_our_dial_rate() {
    let refuses = HostSpec { behavior: HostBehavior::Refuse, ..good(NetworkKind::Ipv4, 15_000) };
    let scenario = Scenario { duration: Span::minutes(10), ..world(refuses) };
    let paced = run::<PacedBtcd>(&scenario).nodes()[0].tally.most_dials_in_a_second;
    let plain = run::<ParallelPlain>(&scenario).nodes()[0].tally.most_dials_in_a_second;
    assert!(paced <= 74 && plain <= 74, "{paced} {plain}");
    assert_eq!(run::<ParallelPlain>(&scenario).nodes()[0].tally.dials, 64 + 6000);
}

#[test]
fn a_paced_model_lets_an_address_rest() {
    let refuses = HostSpec { behavior: HostBehavior::Refuse, ..good(NetworkKind::Ipv4, 1) };
    let dials = run::<OneAtATime>(&world(refuses)).nodes()[0].tally.dials;
    // After 1, 2, 4 and 8 minutes, then every 10.
    assert_eq!(dials, 9);
}

#[test]
fn every_model_is_full_again_after_the_operator_let_it_rest() {
    let mut scenario = world(good(NetworkKind::Ipv4, 100));
    let share = connmgr_sim::types::Share::ALL;
    let (at, lasts) = (Span::minutes(10), Some(Span::minutes(5)));
    let fault = FaultKind::Inactive;
    scenario.faults.push(FaultSpec { fault, at, lasts, every: None, times: None, share, chance: share });
    for recovered in all(&scenario, RECOVERED) {
        assert!(recovered.is_some_and(|millis| millis < 100_000), "{recovered:?} ms");
    }
}

const RECOVERED: [fn(&Scenario) -> Option<u128>; 6] = [
    recovered::<OneAtATime>,
    recovered::<ParallelPlain>,
    recovered::<CoreLike>,
    recovered::<PacedCore>,
    recovered::<BtcdLike>,
    recovered::<PacedBtcd>,
];

fn recovered<S: Subject>(scenario: &Scenario) -> Option<u128> {
    let world = run::<S>(scenario);
    let at = world.nodes()[0].tally.full_after_healing?;
    Some(at.since(Instant::ZERO.after(Span::minutes(15).0)).as_millis())
}
