//! A dead network never slows a living one. A network that is partly routed is not down.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

/// When a pool of eight among 40 IPv4 addresses is full, with this fate for all other addresses, for each of nine
/// seeds.
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

/// A network that fails later does not delay the other any more.
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

/// Two hours of a full pool of IPv4 and known onions with this fate; every five minutes a connection ends. Returns how
/// many onions were dialed, how many are connected at the end, and the longest time that the pool was not full.
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

/// Its answers come too late to win a slot from another network, so it has trials.
#[test]
fn a_network_that_is_slower_than_all_others_is_connected_all_the_same() {
    let (dials, ready, longest) = beside_onions(Fate::Slow(secs(20), secs(20)), secs(3600));
    println!("slow onions: {dials} dials, {ready} connected; short for {longest:?} at the most");
    assert!(ready >= 1 && longest <= secs(45), "{ready} connected, short for {longest:?}");
}

/// It takes more dials than these to find out that it is dead.
#[test]
fn the_trials_of_a_dead_network_become_rare() {
    for dead in [Fate::Silent, Fate::Mute] {
        let (dials, _, longest) = beside_onions(dead, secs(86_400));
        println!("onions, {dead:?}, for a day: {dials} dials, short for {longest:?} at the most");
        assert!(dials <= 8 + 12 && longest <= secs(95), "{dials} dials, short for {longest:?}");
    }
}

/// No slot can be taken back, so each turn of a network with a few dead addresses would block a slot.
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

/// One tenth is routed and answers; the others fail at once.
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

fn is_onion(address: &PeerAddress) -> bool {
    address.network() == Some(NetworkKind::Onion)
}

/// A full pool of long-lived IPv4 connections that knows `count` onions and has dialed none.
fn pool_beside_onions(count: u32, onions_are: Fate) -> World {
    let fate = move |address: &PeerAddress| if is_onion(address) { onions_are } else { Fate::Good };
    let mut world = World::new(with_proxy(Config::default()), fate);
    world.learn(&addresses(400));
    world.run(secs(120));
    world.learn(&onions(count));
    world
}

/// An IPv4 connection ends in a quiet pool. Returns whether an onion is dialed in its place.
fn tries_an_onion(world: &mut World) -> bool {
    world.run(secs(120));
    let before = world.dials.len();
    let conns = world.bench.manager.connections();
    let v4 = conns.iter().find(|view| view.address.as_ref().is_some_and(is_v4)).expect("most are").conn;
    world.tell(Input::Closed { conn: v4, cause: CloseCause::Reset });
    world.run(secs(1));
    world.dials[before..].iter().any(|(_, address)| is_onion(address))
}

#[test]
fn a_network_with_nobody_to_dial_keeps_its_trial_for_later() {
    let mut world = pool_beside_onions(1, Fate::Fails(DialError::Refused));
    let target = BanTarget::Host(onions(1)[0].host().clone());
    world.tell(Input::Ban { target: target.clone(), duration: secs(86_400) });
    assert!(!tries_an_onion(&mut world));
    world.tell(Input::Unban { target });
    assert!(tries_an_onion(&mut world));
}

/// A slow network gets no slot by an ordinary turn.
#[test]
fn a_change_of_network_gives_each_its_trial_again() {
    let mut world = pool_beside_onions(400, Fate::Fails(DialError::Refused));
    assert!(tries_an_onion(&mut world) && !tries_an_onion(&mut world));
    let slow = Fate::Slow(secs(20), secs(20));
    world.becomes(move |address| if is_onion(address) { slow } else { Fate::Good });
    world.tell(Input::NetworkChanged);
    assert!(tries_an_onion(&mut world));
    world.run(secs(60));
    let conns = world.bench.manager.connections();
    let is_ready = |view: &ConnView| view.state == ConnState::Ready && view.address.as_ref().is_some_and(is_onion);
    assert!(conns.iter().any(is_ready), "it kept its slot for 40 s");
}

/// Fruitless trials made the waits long. After a connection that lasted they are short again.
#[test]
fn a_stable_connection_makes_trials_frequent_again() {
    let mut world = pool_beside_onions(400, Fate::Fails(DialError::Refused));
    let trials = |world: &mut World, count: usize| (0..count).filter(|_| tries_an_onion(world)).count();
    assert_eq!(trials(&mut world, 20), 3, "at once, after 10 minutes and after 20 more");
    world.becomes(|_| Fate::Good);
    assert!(trials(&mut world, 30) > 0);
    world.run(secs(120));
    world.becomes(|address| if is_onion(address) { Fate::Fails(DialError::Refused) } else { Fate::Good });
    let conns = world.bench.manager.connections();
    for view in conns.iter().filter(|view| view.address.as_ref().is_some_and(is_onion)) {
        world.tell(Input::Closed { conn: view.conn, cause: CloseCause::Reset });
    }
    assert!(trials(&mut world, 60) >= 3, "in two hours: otherwise one has 80 minutes between, and then 160");
}

/// The repeated dial still counts as the network's trial.
#[test]
fn a_trial_that_is_repeated_with_the_old_transport_keeps_its_slot() {
    let limits = Limits { full: 3, ..Limits::default() };
    let mut bench = Bench::new(with_proxy(Config { limits, transport: Transport::V2, ..Config::default() }));
    let v4 = dials(&bench.learn(&addresses(40)));
    for conn in v4.iter().copied() {
        bench.connect(conn);
        bench.ready(conn);
    }
    bench.pass(secs(120));
    bench.learn(&onions(1));
    let trial = dials(&bench.close(v4[0]))[0];
    bench.connect(trial);
    let actions = bench.tell(Input::Closed { conn: trial, cause: CloseCause::Unheard });
    let [again] = dials(&actions)[..] else { panic!("one dial in its place: {actions:?}") };
    assert!(is_onion(&dialed_address(&actions, again)));
    bench.pass(secs(20));
    let state = bench.manager.connections().iter().find(|view| view.conn == again).map(|view| view.state);
    assert_eq!(state, Some(ConnState::Dialing));
}

/// Without hedging, a small network of mute peers would be drawn most of the time, instead of a large one in which one
/// in twenty answers.
#[test]
fn with_hedging_off_a_few_that_hold_slots_up_do_not_outweigh_many_of_whom_some_answer() {
    let mut config = Config::default();
    config.dial.max_hedged = Some(0);
    let fill = |seed| {
        let fate = move |address: &PeerAddress| match is_v4(address) {
            false => Fate::Mute,
            true if lot(address, 20) == 0 => Fate::Good,
            true => Fate::Fails(DialError::Refused),
        };
        let mut world = World::seeded(config.clone(), seed, fate);
        world.learn(&[addresses(900), v6_addresses(40)].concat());
        world.fills(8, secs(3600)).map_or(secs(3600), |(time, _)| time)
    };
    let mut times: Vec<Duration> = (0..600).map(fill).collect();
    times.sort_unstable();
    println!("beside 40 mutes, without hedging: full after {:?} in the median", times[300]);
    // Each mute holds its slot for the 60 s of a handshake.
    // Each mute that takes a slot costs 60 s, so few seeds show steps of that size.
    assert!(times[300] <= secs(305), "{times:?}");
}

/// Whether each dial after the first `before` went to an IPv4 address.
fn to_v4(world: &World, before: usize) -> Vec<bool> {
    world.dials[before..].iter().map(|(_, address)| is_v4(address)).collect()
}

#[test]
fn beside_a_network_of_two_ready_peers_an_unknown_one_has_a_third_of_the_dials() {
    let mut config = Config::default();
    config.limits.full = 2;
    let mut world = World::new(config, |to| if is_v4(to) { Fate::Good } else { Fate::Silent });
    world.learn(&addresses(60));
    world.learn(&v6_addresses(60));
    world.run(secs(60));
    assert_eq!(to_v4(&world, 0), [true, true]);
    // Eighteen more, at the same moment. Those that are ready are no load: it is IPv4's turn.
    world.tell(Input::SetLimits { limits: Limits { full: 20, ..Limits::default() } });
    assert_eq!(to_v4(&world, 2)[..9], [true, true, false, true, true, false, true, true, false]);
}

#[test]
fn a_network_whose_dials_make_no_progress_is_dialed_after_one_whose_dials_are_refused() {
    const LATE: Fate = Fate::FailsAfter(DialError::Refused, millis(900));
    let mut config = Config::default();
    config.limits.full = 6;
    let mut world = World::new(config, |to| if is_v4(to) { LATE } else { Fate::Silent });
    world.learn(&addresses(60));
    world.learn(&v6_addresses(60));
    // Six refusals, six dials to IPv6 in their place, and a second later another address for each of these.
    world.run(millis(1899));
    assert_eq!((world.dials.len(), to_v4(&world, 6)), (12, vec![false; 6]));
    world.run(millis(1));
    assert_eq!(to_v4(&world, 12).first(), Some(&true));
}

/// A pool of eight, of which nobody answers but some that refuse: the dials to IPv6 after a few seconds, what `explain`
/// says of one more, and how often addresses were wanted.
fn silent_beside(refusing: &[PeerAddress], added: Option<&str>) -> (usize, Vec<DialRule>, usize) {
    const REFUSES: Fate = Fate::Fails(DialError::Refused);
    let mut world = World::new(Config::default(), |to| if is_v4(to) { REFUSES } else { Fate::Silent });
    added.map(|peer| world.add_peer(peer));
    world.learn(refusing);
    world.run(millis(100));
    world.learn(&v6_addresses(60));
    world.run(secs(4));
    let is_dialed = |address: &PeerAddress| world.dials.iter().any(|(_, other)| other == address);
    let (dialed, left): (Vec<_>, Vec<_>) = v6_addresses(60).into_iter().partition(is_dialed);
    let told = world.bench.manager.explain(&left[0], world.bench.now).full;
    let wanted = world.events.iter().filter(|(_, event)| matches!(event, Event::AddressesWanted { .. })).count();
    (dialed.len(), told.into_iter().map(|found| found.rule).collect(), wanted)
}

#[test]
fn a_network_that_yields_nothing_leaves_a_quarter_of_what_may_go_on_to_one_that_answers_and_yields_not_much_less() {
    // Twice eight may be silent, so three quarters are twelve.
    assert_eq!(silent_beside(&addresses(6), None), (12, vec![DialRule::NetworkShare], 1));
    // Seven refusals are less than a sixteenth of the yield of a network of which nothing is known.
    assert_eq!(silent_beside(&addresses(7), None).0, 24);
    // Where no address is known of the network that answers, there is nobody to leave it to.
    assert_eq!(silent_beside(&[], Some("1.2.3.4:8333")).0, 24);
}

#[test]
fn with_hedging_off_the_network_of_which_most_is_known_is_dialed_most_whichever_it_is() {
    let mut config = with_proxy(Config::default());
    config.dial.max_hedged = Some(0);
    let to_onions = |seed| {
        let mut world = World::seeded(config.clone(), seed, |_| Fate::Silent);
        world.learn(&[addresses(20), v6_addresses(20), onions(960)].concat());
        world.dials.iter().filter(|(_, address)| is_onion(address)).count()
    };
    let all: usize = (0..25).map(to_onions).sum();
    assert!((181..200).contains(&all), "{all} of the first 200 dials to 96 addresses in a hundred");
}

#[test]
fn with_hedging_off_a_network_that_yields_less_is_dialed_less() {
    let mut config = Config::default();
    config.dial.max_hedged = Some(0);
    let dials = |seed| {
        const REFUSES: Fate = Fate::Fails(DialError::Refused);
        let mut world = World::seeded(config.clone(), seed, |to| if is_v4(to) { REFUSES } else { Fate::Silent });
        world.learn(&addresses(200));
        world.run(secs(1));
        let before = world.dials.len();
        world.learn(&v6_addresses(200));
        world.run(secs(1));
        let to_v4 = to_v4(&world, before);
        (to_v4.iter().filter(|is_v4| **is_v4).count(), to_v4.len())
    };
    let (to_v4, all) = (0..20).map(dials).fold((0, 0), |(some, all), (v4, both)| (some + v4, all + both));
    assert!(all >= 160 && to_v4 * 8 < all, "{to_v4} of {all} to a network that refused everything");
}

#[test]
fn a_network_that_yields_takes_a_slot_of_one_that_does_not_only_where_the_total_has_room() {
    for (total, added, dialed) in
        [(4, None, 0), (5, None, 1), (5, Some("node.example:8333"), 0), (6, Some("node.example:8333"), 1)]
    {
        let mut config = Config::default();
        (config.limits.full, config.limits.total) = (4, total);
        config.dial.direct.hedge_after = secs(4);
        let mut bench = Bench::new(config);
        let conn = dials(&bench.learn(&addresses(1)))[0];
        bench.connect(conn);
        bench.ready(conn);
        assert_eq!(dials(&bench.learn(&v6_addresses(3))).len(), 3);
        // A name that is being looked up takes the room of a connection.
        added.map(|name| bench.add_peer(name, Keep::Always));
        bench.pass(secs(2));
        let found = dials(&bench.learn(&addresses(3)[2..])).len();
        assert_eq!(found, dialed, "of {total} connections, with {added:?}");
    }
}

#[test]
fn a_network_that_yields_leaves_no_dial_to_another_however_many_it_has_under_way() {
    let mut config = Config::default();
    (config.limits.full, config.dial.max_hedged) = (1, Some(0));
    let mut world = World::new(config, |to| if is_v4(to) { Fate::Good } else { Fate::Fails(DialError::Refused) });
    world.learn(&v6_addresses(1));
    world.run(secs(1));
    world.learn(&addresses(60));
    world.run(secs(1));
    assert_eq!((to_v4(&world, 0), world.ready()), (vec![false, true], 1));
    world.tell(Input::SetLimits { limits: Limits { full: 17, ..Limits::default() } });
    // Three quarters of the slots are twelve.
    assert_eq!(to_v4(&world, 2), [true; 16]);
}

#[test]
fn a_pool_whose_dials_have_slowed_down_says_so_when_it_asks_for_addresses() {
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::Refused));
    world.learn(&addresses(1000));
    world.run(secs(3600));
    let slowed = |(_, event): &(Time, Event)| match event {
        Event::AddressesWanted { held_back, .. } => held_back.network_pace > 0,
        _ => false,
    };
    assert!(world.events.iter().any(slowed));
}
