//! A dead network never slows a living one; one that is routed in part is not dead.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

/// When a pool of eight among 40 IPv4 addresses is full, with the fate of all others, in each of nine seeds.
fn fill_times(config: &Config, others: &[PeerAddress], dead: Fate) -> Vec<Duration> {
    let known = [addresses(40), others.to_vec()].concat();
    (0..9)
        .map(|seed| {
            let config = Config { book: BookConfig { max_per_call: 100_000, ..config.book }, ..config.clone() };
            let mut world = World::seeded(config, seed, move |address| match is_v4(address) {
                true => Fate::Slow(millis(80), millis(80)),
                false => dead,
            });
            world.learn(&known);
            world.fills(8, secs(600)).expect("it fills").0
        })
        .collect()
}

fn check_dead(config: &Config, others: &[PeerAddress], dead: Fate) {
    let alone = fill_times(config, &[], dead).into_iter().max().expect("nine");
    let beside = fill_times(config, others, dead).into_iter().max().expect("nine");
    println!("{} addresses like {}, {dead:?}: full after {beside:?}, alone {alone:?}", others.len(), others[0]);
    assert!(beside <= alone + secs(2), "{dead:?}: {beside:?}, alone {alone:?}");
}

#[test]
fn a_dead_ipv6_never_slows_a_living_ipv4_from_the_first_second() {
    for dead in [
        Fate::Silent,
        Fate::Fails(DialError::HostUnreachable),
        Fate::FailsAfter(DialError::NetworkUnreachable, Duration::ZERO),
        Fate::FailsAfter(DialError::HostUnreachable, secs(3)),
        Fate::Fails(DialError::Refused),
        Fate::Mute,
        Fate::Leaves(millis(10)),
    ] {
        check_dead(&Config::default(), &v6_addresses(2000), dead);
    }
}

#[test]
fn onions_behind_a_dead_tor_never_slow_ipv4() {
    for dead in [
        Fate::Silent,
        Fate::FailsAfter(DialError::ProxyFailed, secs(5)),
        Fate::FailsAfter(DialError::HostUnreachable, secs(10)),
        Fate::FailsAfter(DialError::ServiceUnreachable, secs(10)),
        Fate::FailsAfter(DialError::ProxyUnreachable, Duration::ZERO),
    ] {
        check_dead(&with_proxy(Config::default()), &onions(2000), dead);
    }
}

/// A network that dies in the middle of life holds the other up no longer.
#[test]
fn a_network_that_dies_later_does_not_either() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&[addresses(100), v6_addresses(100)].concat());
    world.run(secs(300));
    assert_eq!(world.ready(), 8);
    world.becomes(|address| if is_v4(address) { Fate::Good } else { Fate::Silent });
    for view in world.bench.manager.connections() {
        world.tell(Input::Closed { conn: view.conn, cause: CloseCause::Reset });
    }
    let (time, _) = world.fills(8, secs(600)).expect("it fills");
    assert!(time <= secs(5), "{time:?}");
}

/// Two living networks share the pool, however many addresses of each are known.
#[test]
fn living_networks_take_turns() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&[addresses(20), v6_addresses(800)].concat());
    world.run(secs(60));
    let v4 = world.bench.manager.connections().iter().filter(|view| view.address.as_ref().is_some_and(is_v4)).count();
    assert!((3..=5).contains(&v4), "{v4} of 8");
}

/// Two hours of a full pool of IPv4 beside onions of this fate: every five minutes a connection ends. How many onions
/// were dialed, how many are connected at the end, and the longest that the pool was not full.
fn beside_onions(onions_are: Fate, time: Duration) -> (usize, usize, Duration) {
    let quick = Fate::Slow(millis(80), millis(80));
    let mut world = World::new(with_proxy(Config::default()), move |address| match is_v4(address) {
        true => quick,
        false => onions_are,
    });
    world.learn(&[addresses(400), onions(400)].concat());
    world.fills(8, secs(60)).expect("it fills");
    let (begin, mut longest) = (world.bench.now, Duration::ZERO);
    while world.bench.now.since(begin) < time {
        world.run(secs(300));
        let conns = world.bench.manager.connections();
        let v4 = conns.iter().find(|view| view.address.as_ref().is_some_and(is_v4)).expect("most are").conn;
        world.tell(Input::Closed { conn: v4, cause: CloseCause::Reset });
        let (short, _) = world.fills(8, secs(600)).expect("it fills again");
        longest = longest.max(short);
    }
    let conns = world.bench.manager.connections();
    let is_onion = |address: &PeerAddress| address.network() == Some(NetworkKind::Onion);
    let is_ready = |view: &&ConnView| view.state == ConnState::Ready && view.address.as_ref().is_some_and(is_onion);
    let dials = world.dials.iter().filter(|(_, address)| is_onion(address)).count();
    (dials, conns.iter().filter(is_ready).count(), longest)
}

/// Its answers come after another would have had the slot: it has a trial.
#[test]
fn a_network_that_is_slower_than_all_others_is_connected_all_the_same() {
    let (dials, ready, longest) = beside_onions(Fate::Slow(secs(20), secs(20)), secs(3600));
    println!("slow onions: {dials} dials, {ready} connected; short for {longest:?} at the most");
    assert!(ready >= 1 && longest <= secs(45), "{ready} connected, short for {longest:?}");
}

/// Nobody knows that it is dead: it takes more than these dials to notice.
#[test]
fn the_trials_of_a_dead_network_become_rare() {
    for dead in [Fate::Silent, Fate::Mute] {
        let (dials, _, longest) = beside_onions(dead, secs(86_400));
        println!("onions, {dead:?}, for a day: {dials} dials, short for {longest:?} at the most");
        assert!(dials <= 8 + 12 && longest <= secs(95), "{dials} dials, short for {longest:?}");
    }
}

/// Where no slot can be taken back, each turn of a few addresses that are dead would hold one up.
#[test]
fn with_hedging_off_the_network_of_which_more_is_known_is_dialed_more() {
    let mut config = Config::default();
    config.dial.max_hedged = Some(0);
    let to_the_few = |seed| {
        let mut world = World::seeded(config.clone(), seed, |_| Fate::Silent);
        world.learn(&[addresses(990), v6_addresses(10)].concat());
        world.dials.iter().filter(|(_, address)| !is_v4(address)).count()
    };
    let all: usize = (0..25).map(to_the_few).sum();
    assert!(all <= 10, "{all} of the first 200 dials to one address in a hundred");
}

/// The routed tenth answers; the others fail at once.
#[test]
fn a_network_that_is_routed_in_part_is_not_down() {
    let (mut times, mut downs, mut dials) = (Vec::new(), 0, 0);
    for seed in 0..25 {
        let unrouted = Fate::FailsAfter(DialError::NetworkUnreachable, Duration::ZERO);
        let fate = move |address: &PeerAddress| if lot(address, 10) == 0 { Fate::Good } else { unrouted };
        let mut world = World::seeded(Config::default(), seed, fate);
        world.learn(&addresses(1000));
        times.push(world.fills(8, secs(600)).map_or(secs(600), |(time, _)| time));
        world.run(secs(3600));
        downs += world.events.iter().filter(|(_, event)| matches!(event, Event::NetworkDown { .. })).count();
        dials = dials.max(world.dials.len());
    }
    times.sort_unstable();
    println!(
        "a tenth is routed: full after {:?} in the median, {:?} at worst; {downs} times down, {dials} dials",
        times[12], times[24]
    );
    assert!(times[24] <= secs(60) && dials <= 1500 && downs == 0, "{times:?}, {downs} times down, {dials} dials");
}
