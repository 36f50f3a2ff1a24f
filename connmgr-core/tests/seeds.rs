//! DNS seeds and fixed seeds, for when no address is known.

mod support;

use std::net::IpAddr;

use connmgr_core::*;
use support::world::*;
use support::*;

fn names(count: usize) -> Vec<Seed> {
    let seed = |n| Seed::new(HostName::new(&format!("seed{n}.example")).expect("a host name"));
    (0..count).map(seed).collect()
}

fn with_seeds(count: usize) -> Config {
    Config {
        default_port: 8333,
        seeds: SeedConfig { names: names(count), ..SeedConfig::default() },
        ..Config::default()
    }
}

/// The seed lookups among the actions: id and name.
fn asked(actions: &[Action]) -> Vec<(LookupId, String)> {
    let ask = |action: &Action| match action {
        Action::ResolveSeed { lookup, seed, .. } => Some((*lookup, seed.to_string())),
        _ => None,
    };
    actions.iter().filter_map(ask).collect()
}

fn ips(count: u8) -> Vec<IpAddr> {
    (0..count).map(|n| [11, n, 1, 1].into()).collect()
}

/// Answers every lookup with this result.
fn answer(bench: &mut Bench, asked: &[(LookupId, String)], result: &Result<Vec<IpAddr>, LookupError>) -> Vec<Action> {
    let tell = |(lookup, _): &(LookupId, String)| {
        bench.tell(Input::LookupResult {
            lookup: *lookup,
            result: result.clone().map(|ips| ips.into_iter().map(Into::into).collect()),
        })
    };
    asked.iter().flat_map(tell).collect()
}

#[test]
fn an_empty_book_has_all_seeds_asked_at_once() {
    let mut bench = Bench::new(with_seeds(9));
    assert_eq!(asked(&bench.pass(secs(0))).len(), 9);
}

#[test]
fn a_few_known_addresses_have_seeds_asked_three_by_three_after_11_s() {
    let mut first_life = Bench::new(Config::default());
    first_life.learn(&addresses(1));
    let mut bench = Bench::with_snapshot(with_seeds(9), Some(first_life.manager.snapshot()));
    let counts: Vec<usize> = [10_999, 1, 10_999, 1].map(|wait| asked(&bench.pass(millis(wait))).len()).into();
    assert_eq!(counts, [0, 3, 0, 3]);
}

#[test]
fn many_known_addresses_put_seeds_off_for_5_minutes() {
    let mut first_life = Bench::new(Config::default());
    first_life.learn(&addresses(1000));
    let mut bench = Bench::with_snapshot(with_seeds(9), Some(first_life.manager.snapshot()));
    let counts: Vec<usize> = [299_999, 1].map(|wait| asked(&bench.pass(millis(wait))).len()).into();
    assert_eq!(counts, [0, 3]);
}

#[test]
fn no_seed_is_asked_once_two_full_connections_are_ready() {
    let mut first_life = Bench::new(Config::default());
    first_life.learn(&addresses(100));
    let mut bench = Bench::with_snapshot(with_seeds(9), Some(first_life.manager.snapshot()));
    for conn in dials(&bench.pass(secs(0))).into_iter().take(2) {
        bench.connect(conn);
        bench.ready(conn);
    }
    // Seeds are due after 11 s; only later does it show that no address is left to dial.
    assert!(asked(&bench.pass(secs(20))).is_empty());
}

#[test]
fn what_seeds_answer_is_dialed_on_the_default_port() {
    let mut world = World::new(with_seeds(1), |_| Fate::Good);
    world.resolves(|_| Ok(ips(20)));
    world.run(secs(5));
    assert!(world.ready() == 8 && world.dials.iter().all(|(_, address)| address.port() == 8333));
}

#[test]
fn one_seed_gives_32_addresses_at_the_most() {
    let mut world = World::new(with_seeds(1), |_| Fate::Good);
    world.resolves(|_| Ok(ips(255)));
    world.run(secs(5));
    assert_eq!(world.bench.manager.book().len(), 32);
}

#[test]
fn it_is_told_how_many_addresses_of_an_answer_were_new() {
    let mut world = World::new(with_seeds(1), |_| Fate::Good);
    world.learn(&[addr("11.0.1.1:8333")]);
    world.resolves(|_| Ok(ips(20)));
    world.run(secs(60));
    let seed = with_seeds(1).seeds.names[0].name.clone();
    assert!(world.has_happened(&Event::SeedAnswered { seed, added: 19 }), "{:?}", world.events);
}

#[test]
fn an_address_that_a_seed_names_again_and_again_uses_up_no_place() {
    let mut world = World::new(with_seeds(1), |_| Fate::Good);
    let mapped = "::ffff:11.0.1.1".parse().expect("an address");
    world.resolves(move |_| Ok([vec![ips(1)[0]; 32], vec![mapped; 32], ips(40)].concat()));
    world.run(secs(5));
    assert_eq!(world.bench.manager.book().len(), 32);
}

#[test]
fn a_seeds_addresses_count_as_seen_three_to_seven_days_ago() {
    let mut world = World::new(with_seeds(1), |_| Fate::Silent);
    world.resolves(|_| Ok(ips(32)));
    world.run(secs(5));
    let ages: Vec<u64> = world.bench.manager.book().iter().map(|entry| UNIX.since(entry.last_seen).as_secs()).collect();
    let day = 24 * 3600;
    assert!(ages.iter().all(|age| (3 * day - 5..=7 * day).contains(age)) && ages.iter().min() != ages.iter().max());
}

#[test]
fn a_seed_is_asked_by_its_absolute_name_whether_it_is_given_so_or_not() {
    let mut config = with_seeds(2);
    config.seeds.names[1].name = config.seeds.names[1].name.to_absolute();
    let names: Vec<String> = asked(&Bench::new(config).pass(secs(0))).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["seed0.example.", "seed1.example."]);
}

#[test]
fn one_seed_is_not_given_twice_with_and_without_a_final_dot() {
    let mut config = with_seeds(2);
    config.seeds.names[1].name = config.seeds.names[0].name.to_absolute();
    assert_eq!(config.check().map_err(|error| error.field), Err("seeds.names"));
}

#[test]
fn a_seed_that_filters_is_asked_by_services() {
    let mut config = Config::bitcoin(Chain::Mainnet);
    config.seeds.names.truncate(1);
    let mut bench = Bench::new(config);
    assert_eq!(asked(&bench.pass(secs(0)))[0].1, "x9.seed.bitcoin.sipa.be.");
}

#[test]
fn a_seed_is_asked_by_its_bare_name_for_what_every_node_offers() {
    let mut config = Config::bitcoin(Chain::Mainnet);
    config.required.full = Services::NETWORK;
    config.seeds.names.truncate(1);
    let mut bench = Bench::new(config);
    assert_eq!(asked(&bench.pass(secs(0)))[0].1, "seed.bitcoin.sipa.be.");
}

/// One seed of mainnet, which filters by services.
fn one_that_filters() -> Config {
    let mut config = Config::bitcoin(Chain::Mainnet);
    config.seeds.names.truncate(1);
    config
}

fn is_filtered(name: &HostName) -> bool {
    name.as_str().starts_with("x9.")
}

#[test]
fn a_seed_that_knows_no_filter_is_asked_by_its_bare_name_at_once() {
    for error in [LookupError::NotFound, LookupError::Failed] {
        let mut world = World::new(one_that_filters(), |_| Fate::Good);
        world.resolves(move |name| if is_filtered(name) { Err(error) } else { Ok(ips(20)) });
        world.run(secs(5));
        let failed = world.events.iter().any(|(_, event)| matches!(event, Event::SeedFailed { .. }));
        assert!(world.ready() == 10 && !failed, "{error:?}: {} ready", world.ready());
    }
}

#[test]
fn an_unusable_answer_to_the_filter_has_the_bare_name_asked_too() {
    let mut world = World::new(one_that_filters(), |_| Fate::Good);
    world.resolves(|name| Ok(if is_filtered(name) { vec![[127, 0, 0, 1].into()] } else { ips(20) }));
    world.run(secs(5));
    assert_eq!(world.ready(), 10);
}

#[test]
fn what_a_bare_name_tells_is_not_taken_for_filtered() {
    let mut world = World::new(one_that_filters(), |_| Fate::Silent);
    world.resolves(|name| if is_filtered(name) { Err(LookupError::NotFound) } else { Ok(ips(3)) });
    world.run(secs(1));
    let services: Vec<Services> = world.bench.manager.book().iter().map(|entry| entry.services).collect();
    assert_eq!(services, [Services::NONE; 3]);
}

#[test]
fn a_seed_that_fails_by_both_names_is_asked_by_each_in_turn_and_no_more_often() {
    let mut world = World::new(one_that_filters(), |_| Fate::Good);
    world.resolves(|_| Err(LookupError::Failed));
    world.run(secs(3600));
    let filtered = world.lookups.iter().filter(|(_, name)| name.starts_with("x9.")).count();
    assert!(world.lookups.len() <= 122 && filtered.abs_diff(world.lookups.len() / 2) <= 1, "{filtered}");
}

#[test]
fn a_seed_that_hangs_by_its_filter_is_asked_by_its_bare_name_next() {
    let mut bench = Bench::new(one_that_filters());
    let names: Vec<String> = asked(&bench.pass(secs(40))).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["x9.seed.bitcoin.sipa.be.", "seed.bitcoin.sipa.be."]);
}

#[test]
fn a_seed_that_fails_is_asked_again_with_growing_waits() {
    let mut world = World::new(with_seeds(1), |_| Fate::Good);
    world.resolves(|_| Err(LookupError::NotFound));
    world.run(secs(24 * 3600));
    let count = world.lookups.len();
    assert!((24..=70).contains(&count), "{count} lookups in a day");
}

/// None of the seeds may be reachable, and no one knows for how long.
#[test]
fn while_no_seed_can_be_asked_they_are_probed_and_the_pool_is_full_soon_after() {
    for error in [LookupError::Failed, LookupError::TimedOut, LookupError::Proxy, LookupError::NotFound] {
        let mut world = World::new(with_seeds(3), |_| Fate::Good);
        world.resolves(move |_| Err(error));
        world.run(secs(3600));
        assert!(world.lookups.len() <= 3 * 120, "{} lookups in an hour", world.lookups.len());
        world.resolves(|_| Ok((1..30).map(|n| [60 + n, 1, 1, 1].into()).collect()));
        let (time, _) = world.fills(8, secs(600)).expect("it fills");
        assert!(time <= secs(60), "{error:?}: {time:?}");
    }
}

/// Fifty dead addresses have slowed the dials down, and had the network taken for dead.
#[test]
fn a_first_answer_has_its_addresses_dialed_at_once_whatever_failed_before() {
    for (rng_seed, dead) in (1..10).flat_map(|seed| [(seed, Fate::Silent), (seed, Fate::Fails(DialError::Refused))]) {
        let fate = move |address: &PeerAddress| if address.to_string().starts_with("60.") { Fate::Good } else { dead };
        let mut world = World::seeded(with_seeds(3), rng_seed, fate);
        world.learn(&addresses(50));
        world.resolves(|_| Err(LookupError::Failed));
        world.run(secs(3600));
        world.resolves(|_| Ok((1..30).map(|n| [60, n, 1, 1].into()).collect()));
        world.run_until(world.bench.now.after(secs(60)), |world| world.bench.manager.book().len() > 50);
        let (time, _) = world.fills(8, secs(600)).expect("it fills");
        assert!(time <= secs(10), "{time:?} where dials end by {dead:?}, seed {rng_seed}");
    }
}

/// It counts as a change of the network for all but that: names that can be resolved again move no machine.
#[test]
fn a_first_answer_leaves_our_own_addresses_ours() {
    let mut bench = Bench::new(with_seeds(3));
    let lookups = asked(&bench.pass(secs(0)));
    answer(&mut bench, &lookups, &Err(LookupError::Failed));
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    let opened = bench.connect(conn);
    let nonce = opened.iter().find_map(|action| match action {
        Action::Emit(Event::Connected(connected)) => Some(connected.nonce),
        _ => None,
    });
    bench.tell(Input::Ready { conn, info: PeerInfo { nonce, ..PeerInfo::default() } });
    let lookups = asked(&bench.pass(secs(60)));
    let last = lookups.last().expect("they are asked again");
    let told = answer(&mut bench, core::slice::from_ref(last), &Ok(ips(1)));
    assert!(told.iter().any(|action| matches!(action, Action::Emit(Event::SeedAnswered { .. }))), "{told:?}");
    bench.pass(secs(600));
    bench.learn(&[addr("1.2.3.4:8333")]);
    assert!(bench.manager.book().get(&addr("1.2.3.4:8333")).is_none());
}

/// The time of a lookup is part of the time from one to the next.
#[test]
fn seeds_that_hang_are_probed_as_often_as_those_that_fail() {
    let mut bench = Bench::new(with_seeds(3));
    let lookups = asked(&bench.pass(secs(3600))).len();
    assert!((3 * 110..=3 * 121).contains(&lookups), "{lookups} lookups in an hour");
}

#[test]
fn seeds_that_have_all_failed_do_not_wait_for_a_big_book() {
    let mut world = World::new(with_seeds(3), |_| Fate::Fails(DialError::Refused));
    world.learn(&addresses(1000));
    world.resolves(|_| Err(LookupError::Failed));
    world.run(secs(3600));
    let lookups = world.lookups.len();
    assert!((3 * 100..=3 * 121).contains(&lookups), "{lookups} lookups in an hour");
}

#[test]
fn a_seed_that_alone_fails_has_growing_waits() {
    let mut world = World::new(with_seeds(2), |_| Fate::Silent);
    let well = names(2)[0].name.to_absolute();
    world.resolves(move |name| if *name == well { Ok(vec![[60, 1, 1, 1].into()]) } else { Err(LookupError::Failed) });
    world.run(secs(24 * 3600));
    let asked = world.lookups.iter().filter(|(_, name)| *name != names(2)[0].name.to_absolute().to_string()).count();
    assert!(asked <= 70, "{asked} lookups in a day");
}

#[test]
fn a_seed_that_hangs_is_given_up_after_30_s() {
    let mut bench = Bench::new(with_seeds(1));
    bench.pass(millis(29_999));
    let failed = Event::SeedFailed { seed: names(1)[0].name.clone(), error: LookupError::TimedOut };
    assert!(events(&bench.pass(millis(1))).contains(&failed));
}

#[test]
fn a_poisoned_answer_is_no_answer() {
    let mut bench = Bench::new(with_seeds(1));
    let first = asked(&bench.pass(secs(0)));
    let actions = answer(&mut bench, &first, &Ok(vec![[127, 0, 0, 1].into(), [10, 1, 2, 3].into()]));
    let failed = Event::SeedFailed { seed: names(1)[0].name.clone(), error: LookupError::NoneInRange };
    assert!(events(&actions).contains(&failed));
    assert!(!asked(&bench.pass(secs(30))).is_empty(), "it is asked again");
}

#[test]
fn a_seed_without_an_address_is_told_apart_from_one_whose_addresses_are_of_no_use() {
    let ipv4_only = Config { networks: NetworkSet::EMPTY.with(NetworkKind::Ipv4), ..with_seeds(1) };
    let private: IpAddr = [10, 1, 2, 3].into();
    let ipv6: IpAddr = "2a00:1::1".parse().expect("it parses");
    for (config, ips, error) in [
        (with_seeds(1), vec![], LookupError::NotFound),
        (with_seeds(1), vec![private], LookupError::NoneInRange),
        (ipv4_only, vec![ipv6], LookupError::NoneInRange),
    ] {
        let mut bench = Bench::new(config);
        let first = asked(&bench.pass(secs(0)));
        let told = events(&answer(&mut bench, &first, &Ok(ips.clone())));
        assert!(told.contains(&Event::SeedFailed { seed: names(1)[0].name.clone(), error }), "{ips:?}: {told:?}");
    }
}

#[test]
fn a_poisoned_answer_does_not_keep_the_fixed_seeds_from_being_used() {
    let mut config = with_seeds(1);
    config.seeds.fixed = vec![addr("9.9.9.9:8333")];
    let mut world = World::new(config, |_| Fate::Good);
    world.resolves(|_| Ok(vec![[127, 0, 0, 1].into()]));
    world.run(secs(62));
    assert_eq!(world.ready(), 1);
}

#[test]
fn fixed_seeds_are_used_at_once_where_nobody_else_can_tell_addresses() {
    let mut config = Config::default();
    config.seeds.fixed = vec![addr("9.9.9.9:8333")];
    assert_eq!(dials(&Bench::new(config).pass(secs(1))).len(), 1);
}

#[test]
fn fixed_seeds_are_used_at_once_where_names_are_of_no_use() {
    let mut config = with_seeds(1);
    config.networks = NetworkSet::EMPTY.with(NetworkKind::Cjdns);
    config.seeds.fixed = vec![addr("cjdns:[fc00:1::1]:8333")];
    assert_eq!(dials(&Bench::new(config).pass(secs(1))).len(), 1);
}

#[test]
fn fixed_seeds_wait_for_an_added_peer_and_for_known_addresses() {
    let mut config = Config::default();
    config.seeds.fixed = vec![addr("9.9.9.9:8333")];
    let mut bench = Bench::new(config.clone());
    bench.add_peer("5.5.5.5:8333", Keep::Once);
    bench.pass(secs(59));
    assert_eq!(bench.manager.book().len(), 0);
    let mut bench = Bench::new(config);
    bench.learn(&addresses(1));
    bench.pass(secs(59));
    assert_eq!(bench.manager.book().len(), 1);
    bench.pass(secs(2));
    assert_eq!(bench.manager.book().len(), 2);
}

#[test]
fn fixed_seeds_wait_for_a_minute() {
    let mut config = with_seeds(1);
    config.seeds.fixed = vec![addr("9.9.9.9:8333")];
    let mut bench = Bench::new(config);
    let counts = [59_999, 1].map(|wait| dials(&bench.pass(millis(wait))).len());
    assert_eq!(counts, [0, 1]);
}

#[test]
fn fixed_seeds_are_used_only_for_networks_without_an_address() {
    let mut config = Config::default();
    config.seeds.fixed = vec![addr("9.9.9.9:8333"), addr("[2a00:1::1]:8333")];
    let mut bench = Bench::new(config);
    let conn = dials(&bench.learn(&addresses(1)))[0];
    bench.connect(conn);
    bench.ready(conn);
    bench.pass(secs(120));
    let book = bench.manager.book();
    assert_eq!((book.len_of(NetworkKind::Ipv4), book.len_of(NetworkKind::Ipv6)), (1, 1));
}

#[test]
fn fixed_seeds_are_not_used_once_two_full_connections_are_ready() {
    let mut config = with_seeds(1);
    config.seeds.fixed = vec![addr("9.9.9.9:8333"), addr("[2a00:1::1]:8333")];
    let mut bench = Bench::new(config);
    // One address more than slots: the pool does not starve.
    for conn in dials(&bench.learn(&addresses(9))) {
        bench.connect(conn);
        bench.ready(conn);
    }
    bench.pass(secs(120));
    assert_eq!(bench.manager.book().len_of(NetworkKind::Ipv6), 0);
}

#[test]
fn fixed_seeds_are_not_used_for_a_silent_network_with_addresses_while_a_peer_is_ready() {
    let mut config = Config::default();
    config.seeds.fixed = vec![addr("[2a00:1::1]:8333")];
    let mut world = World::new(config, |address| if is_v4(address) { Fate::Good } else { Fate::Silent });
    world.learn(&[addresses(1), vec![addr("[2a01:1::1]:8333")]].concat());
    world.run(secs(120));
    assert_eq!((world.ready(), world.bench.manager.book().len_of(NetworkKind::Ipv6)), (1, 1));
}

#[test]
fn seeds_are_asked_again_when_the_pool_starves() {
    let mut world = World::new(with_seeds(1), |_| Fate::Good);
    world.resolves(|_| Ok(ips(8)));
    world.run(secs(60));
    assert_eq!((world.ready(), world.lookups.len()), (8, 1));
    world.goes_dark(Fate::Fails(DialError::Refused));
    world.resolves(|_| Ok((0..8).map(|n| IpAddr::from([12, n, 1, 1])).collect()));
    world.becomes(
        |address| {
            if address.to_string().starts_with("12.") { Fate::Good } else { Fate::Fails(DialError::Refused) }
        },
    );
    world.run(secs(1200));
    assert_eq!(world.ready(), 8);
}

#[test]
fn an_application_with_addresses_of_its_own_is_asked_for_them() {
    let mut bench = Bench::new(Config::default());
    let wanted = |event: &Event| matches!(event, Event::AddressesWanted { network: None, .. });
    assert!(events(&bench.pass(secs(0))).iter().any(wanted));
}

#[test]
fn a_config_with_one_network_names_it_when_it_wants_addresses() {
    let networks = NetworkSet::EMPTY.with(NetworkKind::Ipv6);
    let mut bench = Bench::new(Config { networks, ..Config::default() });
    let wanted = |event: &Event| matches!(event, Event::AddressesWanted { network: Some(NetworkKind::Ipv6), .. });
    assert!(events(&bench.pass(secs(0))).iter().any(wanted));
}

#[test]
fn an_empty_book_never_spins() {
    let mut world = World::new(with_seeds(9), |_| Fate::Good);
    world.run(secs(24 * 3600));
    assert!(world.wakes < 10_000, "{} wakes in a day", world.wakes);
    // Nine seeds are probed, each at most 120 times an hour.
    assert!(world.events.len() < 30_000, "{} events in a day", world.events.len());
}

#[test]
fn a_tiny_book_never_spins() {
    for fate in [Fate::HangsUp, Fate::Fails(DialError::Refused), Fate::Silent, Fate::Good] {
        let mut world = World::new(Config::default(), move |_| fate);
        world.learn(&addresses(3));
        world.run(secs(3600));
        assert!(world.dials.len() <= 3 * 120, "{} dials, {fate:?}", world.dials.len());
        assert!(world.wakes <= 3000, "{} wakes, {fate:?}", world.wakes);
    }
}

#[test]
fn a_pool_does_not_decay_an_address_is_dialed_again() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&addresses(8));
    world.run(secs(60));
    world.goes_dark(Fate::Fails(DialError::Refused));
    world.run(secs(24 * 3600));
    world.becomes(|_| Fate::Good);
    // After a day of refusals each of the eight rests for ten minutes between two dials.
    world.run(secs(600));
    assert_eq!(world.ready(), 8);
}

#[test]
fn a_world_that_refuses_everything_is_not_walked_through_at_full_speed() {
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::Refused));
    world.learn(&addresses(1000));
    world.run(secs(3600));
    let first_hour = world.dials.len();
    world.run(secs(3600));
    let an_hour = world.dials.len() - first_hour;
    assert!(an_hour <= 6 * 1000, "{an_hour} dials");
    world.becomes(|_| Fate::Good);
    world.run(secs(60));
    assert_eq!(world.ready(), 8);
}

/// An address that looks good must not keep the manager from asking for others.
#[test]
fn a_poisoned_answer_that_looks_good_does_not_keep_the_fixed_seeds_from_being_used() {
    let mut config = with_seeds(1);
    config.seeds.fixed = vec![addr("9.9.9.9:8333")];
    let fixed = config.seeds.fixed.clone();
    let mut world = World::new(config, move |address| if fixed.contains(address) { Fate::Good } else { Fate::Silent });
    world.resolves(|_| Ok(ips(1)));
    world.run(secs(120));
    assert_eq!(world.ready(), 1);
}

#[test]
fn a_changed_network_has_seeds_that_failed_asked_at_once() {
    let mut world = World::new(with_seeds(2), |_| Fate::Good);
    world.resolves(|_| Err(LookupError::Failed));
    world.run(secs(24 * 3600));
    world.resolves(|_| Ok(ips(20)));
    world.tell(Input::NetworkChanged);
    world.run(secs(5));
    assert_eq!(world.ready(), 8);
}

/// A full pool an hour old, with one seed and so many known addresses that it would not starve for long.
fn full_of_a_big_book(answer: Result<Vec<IpAddr>, LookupError>) -> World {
    let config = with_seeds(1);
    let mut world = World::new(config, |_| Fate::Good);
    world.resolves(move |_| answer.clone());
    addresses(5000).chunks(1000).for_each(|chunk| world.learn(chunk));
    world.run(secs(3600));
    assert_eq!(world.ready(), 8);
    world
}

#[test]
fn a_pool_that_has_lost_its_peers_asks_seeds_before_a_big_book_is_walked_through() {
    // The seed has failed before, so it need not wait for the known addresses to have their time.
    let mut world = full_of_a_big_book(Err(LookupError::NotFound));
    let asked_before = world.lookups.len();
    world.goes_dark(Fate::Silent);
    world.run(secs(1));
    assert_eq!(world.lookups.len(), asked_before + 1);
}

#[test]
fn the_wait_before_seeds_are_asked_begins_with_the_loss_that_leaves_too_few() {
    let mut world = full_of_a_big_book(Ok(ips(8)));
    let asked_before = world.lookups.len();
    let one = world.bench.manager.connections()[0].conn;
    world.tell(Input::Closed { conn: one, cause: CloseCause::Eof });
    world.run(secs(290));
    world.goes_dark(Fate::Fails(DialError::Refused));
    // 300 s after the first loss, which left enough.
    world.run(secs(20));
    assert_eq!(world.lookups.len(), asked_before);
}

#[test]
fn a_pool_that_starves_for_ten_seconds_asks_seeds_however_many_peers_are_ready() {
    // Three hosts in three groups, all an attacker's: the pool lacks five, and no address is left to dial.
    let mut bench = Bench::new(with_seeds(9));
    for conn in dials(&bench.learn(&addresses(3))) {
        bench.connect(conn);
        bench.ready(conn);
    }
    assert!(asked(&bench.pass(secs(10))).is_empty());
    assert!(!asked(&bench.pass(secs(30))).is_empty());
}

/// No address is left, and only the block-relay slots are short.
#[test]
fn a_pool_short_of_block_relay_connections_alone_asks_seeds_too() {
    let mut config = with_seeds(9);
    (config.limits.full, config.limits.block_relay) = (2, 2);
    let mut bench = Bench::new(config);
    for conn in dials(&bench.learn(&addresses(2))) {
        bench.connect(conn);
        bench.ready(conn);
    }
    assert!(asked(&bench.pass(secs(10))).is_empty());
    assert!(!asked(&bench.pass(secs(30))).is_empty());
}

#[test]
fn a_seed_whose_lookup_is_dropped_at_rest_is_asked_again_at_work() {
    let mut bench = Bench::new(with_seeds(1));
    let first = asked(&bench.pass(secs(0)));
    bench.tell(Input::SetActive { active: false });
    answer(&mut bench, &first, &Ok(ips(1)));
    let mut actions = bench.tell(Input::SetActive { active: true });
    actions.extend(bench.pass(secs(1)));
    assert_eq!(asked(&actions).len(), 1);
}

#[test]
fn fixed_seeds_wait_for_a_minute_each_time_that_nobody_is_known() {
    let mut config = with_seeds(1);
    config.limits.full = 1;
    config.seeds.fixed = vec![addr("9.9.9.9:8333")];
    let birth = Birth { config, snapshot: None, rng_seed: [7; 32], unix: UNIX, now: Time::from_secs(5000) };
    let mut bench = Bench::born(birth, 1);
    let counts = [59_999, 1].map(|wait| dials(&bench.pass(millis(wait))).len());
    assert_eq!((counts, bench.manager.book().len()), ([0, 1], 1));
    // Its address is ours, so again nobody is known. A day later it may be another's.
    bench.tell(Input::OwnAddress { address: addr("9.9.9.9:8333") });
    assert_eq!(bench.manager.book().len(), 0);
    bench.tell(Input::ForgetOwnAddress { address: addr("9.9.9.9:8333") });
    let known = [59, 121].map(|wait| {
        bench.pass(secs(wait));
        bench.manager.book().len()
    });
    assert_eq!(known, [0, 1]);
}
