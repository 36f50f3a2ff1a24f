//! Outages of a network, or of all, and recovery.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

const HOUR: std::time::Duration = secs(3600);

/// An hour in which every dial has the fate `dark`: few dials, few wake-ups, and all `full` connections again within a
/// minute.
fn check_outage(mut world: World, dark: Fate, full: usize) {
    world.run(secs(120));
    assert_eq!(world.ready(), full, "full before the outage");
    world.goes_dark(dark);
    world.run_until_down(NetworkKind::Ipv4, secs(1200));
    let (dials, wakes) = (world.dials.len(), world.wakes);
    world.run(HOUR);
    let (dials, wakes) = (world.dials.len() - dials, world.wakes - wakes);
    assert!(dials <= 120, "{dials} dials in an hour of outage");
    assert!(dials >= 60, "only {dials} probes in an hour of outage");
    assert!(wakes <= 1000, "{wakes} wakes in an hour of outage");
    world.becomes(|_| Fate::Good);
    world.run(secs(60));
    assert_eq!(world.ready(), full, "full within a minute of recovery");
}

fn pool_of_eight() -> World {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&addresses(500));
    world
}

fn with_added_peers(config: Config, count: u32) -> World {
    let mut world = World::new(config, |_| Fate::Good);
    for address in addresses(count) {
        world.add_peer(&address.to_string());
    }
    world
}

fn connect_only() -> Config {
    Config { mode: Mode::ConnectOnly, ..Config::default() }
}

#[test]
fn a_silent_hour_is_survived() {
    check_outage(pool_of_eight(), Fate::Silent, 8);
}

#[test]
fn an_hour_without_a_route_is_survived() {
    check_outage(pool_of_eight(), Fate::Fails(DialError::NetworkUnreachable), 8);
}

#[test]
fn a_silent_hour_is_survived_with_added_peers_only() {
    check_outage(with_added_peers(connect_only(), 8), Fate::Silent, 8);
}

#[test]
fn a_silent_hour_is_survived_with_three_added_peers_only() {
    check_outage(with_added_peers(connect_only(), 3), Fate::Silent, 3);
}

#[test]
fn an_hour_without_a_route_is_survived_with_one_added_peer() {
    check_outage(with_added_peers(connect_only(), 1), Fate::Fails(DialError::NetworkUnreachable), 1);
}

#[test]
fn an_hour_without_a_route_is_survived_with_added_peers_in_an_automatic_pool() {
    let mut world = with_added_peers(Config::default(), 4);
    world.learn(&addresses(500)[100..]);
    check_outage(world, Fate::Fails(DialError::NetworkUnreachable), 12);
}

/// Whether the network goes down when five dials find no route, after these dials began.
fn five_without_a_route_are_an_outage(before: &[&str]) -> bool {
    let mut bench = Bench::new(connect_only());
    for address in before {
        bench.add_peer(address, Keep::Always);
    }
    let is_down = |actions: &[Action]| events(actions).contains(&Event::NetworkDown { network: NetworkKind::Ipv4 });
    (1..=5).any(|n| {
        let (_, actions) = bench.add_peer(&format!("12.{n}.1.1:8333"), Keep::Always);
        is_down(&bench.fail(dials(&actions)[0], DialError::NetworkUnreachable))
    })
}

#[test]
fn addresses_without_a_route_are_no_outage_while_an_older_dial_is_under_way() {
    assert!(!five_without_a_route_are_an_outage(&["11.1.1.1:8333"]));
    assert!(five_without_a_route_are_an_outage(&[]));
    assert!(five_without_a_route_are_an_outage(&["[2a00:1::1]:8333"]));
}

#[test]
fn two_hundred_added_peers_are_all_dialed_within_15_s_of_a_changed_network() {
    let limits = Limits { added: 200, total: 400, ..Limits::default() };
    let mut world = with_added_peers(Config { limits, ..connect_only() }, 200);
    world.run(secs(60));
    world.goes_dark(Fate::Fails(DialError::NetworkUnreachable));
    world.run(secs(60));
    world.becomes(|_| Fate::Good);
    world.tell(Input::NetworkChanged);
    world.run(millis(15_200));
    assert_eq!(world.ready(), 200);
}

/// Names still resolve (from a cache), but no peer can be reached.
#[test]
fn an_hour_without_a_route_is_survived_by_peers_that_have_names_only() {
    let mut world = World::new(connect_only(), |_| Fate::Good);
    world.resolves(|name| {
        Ok(vec![if name.to_string().starts_with('a') { [11, 1, 1, 1] } else { [12, 1, 1, 1] }.into()])
    });
    world.add_peer("a.example:8333");
    world.add_peer("b.example:8333");
    check_outage(world, Fate::Fails(DialError::NetworkUnreachable), 2);
}

/// All addresses of a name but the last are dead, before the outage and after.
#[test]
fn after_an_outage_all_answers_of_a_name_are_tried_again() {
    let mut world = World::new(connect_only(), |address| match address.to_string().as_str() {
        "13.1.1.1:8333" => Fate::Good,
        _ => Fate::Fails(DialError::Refused),
    });
    world.resolves(|_| Ok([11, 12, 13].map(|n| [n, 1, 1, 1].into()).to_vec()));
    world.add_peer("a.example:8333");
    world.run(secs(10));
    assert_eq!(world.ready(), 1);
    world.goes_dark(Fate::Fails(DialError::NetworkUnreachable));
    world.run(HOUR);
    world.becomes(|address| match address.to_string().as_str() {
        "13.1.1.1:8333" => Fate::Good,
        _ => Fate::Fails(DialError::Refused),
    });
    world.run(secs(60));
    assert_eq!(world.ready(), 1);
}

#[test]
fn a_dead_ipv6_never_slows_a_live_ipv4() {
    let mut world = World::new(Config::default(), |address| if is_v4(address) { Fate::Good } else { Fate::Silent });
    world.learn(&[addresses(100), v6_addresses(100)].concat());
    let full = world.run_until(Time::from_secs(60), |world| world.ready() == 8);
    assert!(full.is_some_and(|at| at < Time::from_secs(20)), "{full:?}");
}

#[test]
fn an_ipv6_that_is_known_to_be_dead_does_not_slow_ipv4_either() {
    let dead = Fate::Fails(DialError::NetworkUnreachable);
    let mut world = World::new(Config::default(), move |address| if is_v4(address) { Fate::HangsUp } else { dead });
    world.learn(&[addresses(400), v6_addresses(100)].concat());
    world.run_until_down(NetworkKind::Ipv6, secs(60));
    world.becomes(move |address| if is_v4(address) { Fate::Good } else { dead });
    world.run(secs(20));
    assert_eq!(world.ready(), 8);
}

#[test]
fn a_dead_ipv6_beside_a_live_ipv4_costs_only_probes() {
    let mut world = World::new(Config::default(), |address| {
        if is_v4(address) { Fate::HangsUp } else { Fate::Fails(DialError::NetworkUnreachable) }
    });
    world.learn(&[addresses(40), v6_addresses(100)].concat());
    world.run_until_down(NetworkKind::Ipv6, secs(60));
    let before = world.dials.iter().filter(|(_, address)| !is_v4(address)).count();
    world.run(HOUR);
    let dials = world.dials.iter().filter(|(_, address)| !is_v4(address)).count() - before;
    assert!((60..=120).contains(&dials), "{dials} dials");
    assert!(!world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 }));
}

#[test]
fn a_network_that_comes_back_has_the_others_probed_at_once() {
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::NetworkUnreachable));
    world.learn(&[addresses(100), v6_addresses(100)].concat());
    world.run_until_down(NetworkKind::Ipv4, secs(60));
    world.run_until_down(NetworkKind::Ipv6, secs(60));
    world.run(HOUR);
    world.becomes(|_| Fate::Good);
    let up = |network| move |world: &World| world.has_happened(&Event::NetworkUp { network });
    let v4 = world.run_until(Time::MAX, up(NetworkKind::Ipv4)).expect("it comes back");
    let v6 = world.run_until(Time::MAX, up(NetworkKind::Ipv6)).expect("it comes back");
    assert!(v4.max(v6).since(v4.min(v6)) <= LATENCY, "{v4} and {v6}");
}

/// With 11 % of the addresses alive, runs of 25 failures are common; refusals and silence are mixed.
#[test]
fn a_book_that_is_mostly_dead_is_no_outage() {
    let mut world = World::new(Config::default(), |address| match lot(address, 9) {
        0 => Fate::Good,
        1..5 => Fate::Fails(DialError::Refused),
        _ => Fate::Silent,
    });
    world.learn(&addresses(1000));
    world.run(HOUR);
    assert_eq!((world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 }), world.ready()), (false, 8));
}

/// No one accepts, but some answer with a refusal.
#[test]
fn machines_that_refuse_show_that_their_network_is_up() {
    let fate = |address: &PeerAddress| match lot(address, 3) {
        0 => Fate::Fails(DialError::Refused),
        _ => Fate::Silent,
    };
    let mut world = World::new(Config::default(), fate);
    world.learn(&addresses(1000));
    world.run(HOUR);
    assert!(!world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 }));
}

#[test]
fn a_refusal_ends_an_outage() {
    let mut world = World::new(Config::default(), |_| Fate::Silent);
    world.learn(&addresses(500));
    world.run_until_down(NetworkKind::Ipv4, secs(1200));
    world.becomes(|_| Fate::Fails(DialError::Refused));
    world.run(secs(60));
    assert!(world.has_happened(&Event::NetworkUp { network: NetworkKind::Ipv4 }));
}

#[test]
fn an_outage_poisons_no_statistics() {
    let mut world = World::new(Config::default(), |_| Fate::Silent);
    world.learn(&addresses(500));
    world.run(HOUR);
    let blamed = world.bench.manager.book().iter().filter(|entry| entry.failures > 0).count();
    assert_eq!(blamed, 0);
}

#[test]
fn failures_that_are_ours_are_not_the_addresses_fault() {
    for error in [DialError::NetworkUnreachable, DialError::OutOfResources, DialError::AddressFamilyUnsupported] {
        let mut world = World::new(Config::default(), move |_| Fate::Fails(error));
        world.learn(&addresses(500));
        world.run(secs(600));
        assert!(world.bench.manager.book().iter().all(|entry| entry.failures == 0), "{error}");
    }
}

/// The next dial, into whatever network, tests every half minute whether the shortage is over.
#[test]
fn a_machine_out_of_descriptors_takes_no_network_for_down_and_tries_one_dial_at_a_time() {
    let mut world = World::new(Config::default(), |_| Fate::FailsAfter(DialError::OutOfResources, secs(0)));
    world.learn(&[addresses(100), v6_addresses(100)].concat());
    world.run(HOUR);
    let dials = world.dials.len();
    let downs = world.events.iter().filter(|(_, event)| matches!(event, Event::NetworkDown { .. })).count();
    assert!(downs == 0 && (100..=130).contains(&dials), "{downs} times down, {dials} dials in an hour");
    world.becomes(|_| Fate::Good);
    world.run(secs(60));
    assert_eq!(world.ready(), 8, "full within a minute of recovery");
}

/// A probe that goes out shows that there is a route, answered or not.
#[test]
fn a_route_that_is_back_is_noticed_though_nobody_answers_the_probe() {
    let network = NetworkKind::Ipv4;
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::NetworkUnreachable));
    world.learn(&addresses(500));
    world.run(HOUR);
    assert!(!world.has_happened(&Event::NetworkUp { network }));
    world.becomes(|_| Fate::Silent);
    world.run(secs(60));
    assert!(world.has_happened(&Event::NetworkUp { network }));
}

#[test]
fn a_changed_network_is_tried_at_full_speed_at_once() {
    let mut world = with_added_peers(Config::default(), 3);
    world.becomes(|_| Fate::Fails(DialError::NetworkUnreachable));
    world.learn(&addresses(500)[100..]);
    world.run(HOUR);
    world.becomes(|_| Fate::Good);
    world.tell(Input::NetworkChanged);
    world.run(secs(1));
    assert_eq!(world.ready(), 11);
}

/// The silence of one added peer alone is never an outage, and it waits its back-off, unless the machine's network is
/// known to have changed.
#[test]
fn a_changed_network_ends_the_wait_of_a_peer_that_gave_no_answer() {
    let mut world = with_added_peers(connect_only(), 1);
    world.becomes(|_| Fate::Silent);
    world.goes_dark(Fate::Silent);
    world.run(secs(900));
    world.becomes(|_| Fate::Good);
    world.tell(Input::NetworkChanged);
    world.run(secs(1));
    assert_eq!(world.ready(), 1);
}

/// Whether the network of two or fewer added peers without an answer is down within three hours, beside others that are
/// dialed once.
fn silence_is_an_outage(silent: &[&str], others: &[(&'static str, Fate)]) -> bool {
    let fates = others.to_vec();
    let fate =
        move |to: &PeerAddress| fates.iter().find(|(at, _)| addr(at) == *to).map_or(Fate::Silent, |(_, fate)| *fate);
    let mut world = World::new(connect_only(), fate);
    let day = secs(24 * 3600);
    for (address, _) in others {
        let retry = Backoff { base: day, cap: day, ..Backoff::default() };
        world.tell(Input::AddPeer { peer: AddedPeer::new(addr(address)).retry(retry) });
    }
    world.run(secs(1));
    for address in silent {
        world.add_peer(address);
    }
    world.run(secs(3 * 3600));
    world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 })
}

#[test]
fn the_silence_of_one_group_is_no_outage_and_that_of_all_two_is() {
    assert!(!silence_is_an_outage(&["11.1.1.1:8333"], &[]));
    assert!(silence_is_an_outage(&["11.1.1.1:8333", "12.1.1.1:8333"], &[]));
}

#[test]
fn the_silence_of_two_groups_is_no_outage_where_a_third_may_answer() {
    let third = [("13.1.1.1:8333", Fate::Fails(DialError::Refused))];
    assert!(!silence_is_an_outage(&["11.1.1.1:8333", "12.1.1.1:8333"], &third));
}

/// Peers of another network, and those that are connected and not heard.
#[test]
fn groups_that_cannot_be_silent_in_this_network_do_not_count() {
    let v6 = ["[2a00:1::1]:8333", "[2a01:1::1]:8333", "[2a02:1::1]:8333"].map(|at| (at, Fate::Good));
    let mute = ["13.1.1.1:8333", "14.1.1.1:8333", "15.1.1.1:8333"].map(|at| (at, Fate::Good));
    for others in [v6, mute] {
        assert!(silence_is_an_outage(&["11.1.1.1:8333", "12.1.1.1:8333"], &others), "{others:?}");
    }
}

/// Whether a pool without any answer finds its network down within ten minutes, beside a visitor that sends for so long.
fn is_down_beside_a_visitor_that_sends_for(time: std::time::Duration) -> bool {
    let mut world = World::new(with_listener(Config::default()), |_| Fate::Silent);
    let visitor = world.bench.accept("99.1.1.1:5000").expect("room");
    world.bench.ready(visitor);
    world.learn(&addresses(100));
    let end = world.bench.now.after(secs(600));
    while world.bench.now < end {
        if world.bench.now < Time::ZERO.after(time) {
            world.tell(Input::Activity { conn: visitor, activity: Activity::default() });
        }
        world.run(secs(30));
    }
    world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 })
}

#[test]
fn a_visitor_by_whom_bytes_come_keeps_the_network_up() {
    assert!(!is_down_beside_a_visitor_that_sends_for(secs(600)));
    assert!(is_down_beside_a_visitor_that_sends_for(secs(60)));
}

/// Whether a pool of two, with one connection left and no other answers, finds its network down within 10 minutes, if
/// that connection receives bytes this often.
fn is_down_though_bytes_come_every(wait: std::time::Duration) -> bool {
    let mut config = Config::default();
    config.limits.full = 2;
    let mut world = World::new(config, |_| Fate::Good);
    world.learn(&addresses(500));
    world.run(secs(60));
    world.becomes(|_| Fate::Silent);
    let conns: Vec<ConnId> = world.bench.manager.connections().iter().map(|view| view.conn).collect();
    let [left, lost] = conns[..] else { panic!("not a pool of two: {conns:?}") };
    world.tell(Input::Closed { conn: lost, cause: CloseCause::Reset });
    let end = world.bench.now.after(secs(600));
    while world.bench.now < end {
        world.tell(Input::Activity { conn: left, activity: Activity::default() });
        world.run(wait);
    }
    world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 })
}

#[test]
fn one_connection_by_which_bytes_come_keeps_its_network_up() {
    assert!(!is_down_though_bytes_come_every(secs(30)));
}

#[test]
fn one_connection_by_which_nothing_comes_is_no_proof_that_its_network_is_up() {
    assert!(is_down_though_bytes_come_every(secs(600)));
}

#[test]
fn a_peer_on_this_machine_is_no_proof_that_the_internet_is_up() {
    let local = |address: &PeerAddress| address.host().is_loopback();
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&addresses(500));
    world.add_peer("127.0.0.1:8333");
    world.run(secs(60));
    world.goes_dark(Fate::Silent);
    world.becomes(move |address| if local(address) { Fate::Good } else { Fate::Silent });
    for _ in 0..300 {
        world.run(secs(1));
        if let Some(conn) = world.bench.manager.connections().iter().find(|conn| conn.state == ConnState::Ready) {
            world.tell(Input::Activity { conn: conn.conn, activity: Activity::default() });
        }
    }
    assert!(world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 }));
}

#[test]
fn a_peer_on_this_machine_is_dialed_all_the_same_during_an_outage() {
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::NetworkUnreachable));
    world.learn(&addresses(500));
    world.run_until_down(NetworkKind::Ipv4, secs(60));
    world.becomes(|_| Fate::Good);
    world.fate = Box::new(|address| if address.host().is_loopback() { Fate::Good } else { Fate::Silent });
    world.add_peer("127.0.0.1:8333");
    world.run(millis(200));
    assert_eq!(world.ready(), 1);
}

#[test]
fn while_down_probes_take_turns() {
    let mut world = with_added_peers(Config::default(), 2);
    world.learn(&addresses(500)[100..]);
    world.run(secs(60));
    world.goes_dark(Fate::Fails(DialError::NetworkUnreachable));
    world.run_until_down(NetworkKind::Ipv4, secs(60));
    let before = world.dials.len();
    world.run(secs(1800));
    let probed: std::collections::BTreeSet<_> =
        world.dials[before..].iter().map(|(_, address)| address.clone()).collect();
    let added = addresses(2);
    assert!(added.iter().all(|address| probed.contains(address)), "added peers have their turn");
    assert!(probed.len() > 15, "so does the book: {}", probed.len());
}

#[test]
fn while_down_the_addresses_that_answered_have_their_turns_beside_a_large_book() {
    let good = addresses(3);
    let mut config = Config::default();
    config.limits.full = 3;
    let mut world = World::new(config, |_| Fate::Good);
    world.learn(&good);
    world.run(secs(60));
    world.learn(&addresses(500)[100..]);
    world.goes_dark(Fate::Fails(DialError::NetworkUnreachable));
    world.run_until_down(NetworkKind::Ipv4, secs(60));
    let before = world.dials.len();
    world.run(secs(1800));
    let probes = |address: &PeerAddress| world.dials[before..].iter().filter(|(_, to)| to == address).count();
    let of_each: Vec<_> = good.iter().map(probes).collect();
    assert!(of_each.iter().all(|probes| (4..=12).contains(probes)), "{of_each:?}");
}

/// An inbound connection is cheap for an attacker: each would cause all dials that the outage holds back.
#[test]
fn a_stranger_who_connects_does_not_end_an_outage() {
    for dark in [Fate::Silent, Fate::Fails(DialError::NetworkUnreachable)] {
        let mut world = World::new(with_listener(Config::default()), move |_| dark);
        world.learn(&addresses(500));
        world.run_until_down(NetworkKind::Ipv4, secs(600));
        let before = world.dials.len();
        for minute in 0..60 {
            let conn = world.bench.accept(&format!("99.1.1.{minute}:5000")).expect("it is let in");
            world.tell(Input::Ready { conn, info: PeerInfo::default() });
            world.tell(Input::Activity { conn, activity: Activity::default() });
            world.run(secs(60));
        }
        let dials = world.dials.len() - before;
        assert!(dials <= 120, "{dials} dials in an hour of {dark:?}");
        assert!(!world.has_happened(&Event::NetworkUp { network: NetworkKind::Ipv4 }));
    }
}

/// When each of 100 added peers, lost together, is dialed again.
fn crowd(mode: Fate, ill: std::time::Duration) -> (usize, std::time::Duration) {
    let mut config = Config { mode: Mode::ConnectOnly, ..Config::default() };
    (config.limits.added, config.limits.total) = (100, 200);
    let mut world = with_added_peers(config, 100);
    world.run(secs(300));
    assert_eq!(world.ready(), 100);
    world.goes_dark(mode);
    world.run(ill);
    world.becomes(|_| Fate::Good);
    let begun = world.bench.now;
    let first = world.run_until(Time::MAX, |world| world.ready() > 0).expect("somebody is back");
    let before = world.dials.iter().filter(|(at, _)| *at < first).count();
    let last = world.run_until(begun.after(HOUR), |world| world.ready() == 100).expect("all are back");
    let dials = &world.dials[before..];
    let busiest = dials
        .iter()
        .map(|(at, _)| dials.iter().filter(|(other, _)| *other >= *at && other.since(*at) < secs(1)).count());
    (busiest.max().unwrap_or(0), last.since(first))
}

#[test]
fn after_an_outage_a_hundred_added_peers_come_back_one_after_another() {
    for mode in [Fate::Silent, Fate::Fails(DialError::NetworkUnreachable)] {
        let (busiest, within) = crowd(mode, HOUR);
        println!("after an hour of {mode:?}: {busiest} dials in the busiest second, all back within {within:?}");
        assert!(busiest <= 10 && within <= secs(60), "{mode:?}: {busiest} in a second, all within {within:?}");
    }
}

#[test]
fn a_hundred_added_peers_that_were_refused_for_a_day_are_back_soon_after_the_first() {
    for mode in [Fate::Fails(DialError::Refused), Fate::HangsUp] {
        let (busiest, within) = crowd(mode, 24 * HOUR);
        println!("after a day of {mode:?}: {busiest} dials in the busiest second, all back within {within:?}");
        assert!(busiest <= 10 && within <= secs(60), "{mode:?}: {busiest} in a second, all within {within:?}");
    }
}

/// Lets time pass until the network is found down, or up again.
fn run_until_told(world: &mut World, event: &Event) {
    let count = |world: &World| world.events.iter().filter(|(_, other)| other == event).count();
    let (before, end) = (count(world), world.bench.now.after(HOUR));
    world.run_until(end, |world| count(world) > before).expect("it is told within an hour");
}

/// The second outage comes before any connection is stable, so its end lends no dials. Yet what was silent by then may
/// have been silent because of the outage.
#[test]
fn the_end_of_an_outage_forgives_rests_each_time() {
    let network = NetworkKind::Ipv4;
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&addresses(40));
    for _ in 0..2 {
        world.run(secs(20));
        assert_eq!(world.ready(), 8);
        world.goes_dark(Fate::Silent);
        run_until_told(&mut world, &Event::NetworkDown { network });
        world.becomes(|_| Fate::Good);
        run_until_told(&mut world, &Event::NetworkUp { network });
    }
    let (time, _) = world.fills(8, secs(600)).expect("it fills");
    println!("full {time:?} after the second outage in a row was over");
    assert!(time < secs(1), "{time:?}: not all eight were dialed at once");
}

/// The dials until Tor counts as down, if the proxy refuses all.
fn dials_until_tor_is_down(failures: u32) -> usize {
    let mut config = with_proxy(Config::default());
    config.health.own_failures = failures;
    let mut bench = Bench::new(config);
    let mut due = dials(&bench.learn(&onions(60)));
    let mut failed = 0;
    while let Some(conn) = due.pop() {
        failed += 1;
        let actions = bench.fail(conn, DialError::ProxyUnreachable);
        if events(&actions).contains(&Event::NetworkDown { network: NetworkKind::Onion }) {
            break;
        }
        due.extend(dials(&actions));
    }
    failed
}

#[test]
fn a_proxy_that_fails_for_so_many_dials_in_a_row_takes_its_network_down() {
    assert_eq!([3, 7].map(dials_until_tor_is_down), [3, 7]);
}

/// Whether IPv6, which stays down, is probed at the moment of each recovery of IPv4, which is down so long before.
fn probed_at_recoveries(waits: &[Duration]) -> Vec<bool> {
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::NetworkUnreachable));
    world.learn(&[addresses(100), v6_addresses(100)].concat());
    world.run_until_down(NetworkKind::Ipv4, secs(60));
    world.run_until_down(NetworkKind::Ipv6, secs(60));
    let is_down = |world: &World| {
        let of_v4 = |event: &&(Time, Event)| {
            let network = NetworkKind::Ipv4;
            event.1 == Event::NetworkDown { network } || event.1 == Event::NetworkUp { network }
        };
        world.events.iter().rfind(of_v4).is_some_and(|(_, event)| matches!(event, Event::NetworkDown { .. }))
    };
    // Until both are probed once in 30 s.
    world.run(HOUR);
    let recovers = |wait: &Duration| {
        world.run(*wait);
        world.becomes(|to| if is_v4(to) { Fate::Good } else { Fate::Fails(DialError::NetworkUnreachable) });
        world.run_until(Time::MAX, |world| !is_down(world)).expect("it comes back");
        let now = world.bench.now;
        let probed = world.dials.iter().rev().take_while(|(at, _)| *at == now).any(|(_, to)| !is_v4(to));
        world.goes_dark(Fate::Fails(DialError::NetworkUnreachable));
        world.run_until(Time::MAX, is_down).expect("the outage is noticed");
        probed
    };
    waits.iter().map(recovers).collect()
}

#[test]
fn a_network_is_probed_at_once_when_another_comes_back_but_not_twice_in_half_an_hour() {
    let probed = probed_at_recoveries(&[secs(0), secs(60), secs(300), secs(1800)]);
    assert_eq!(probed, [true, false, false, true]);
}

/// How many dials in a row must fail on our side until the network is down, after a run of two that an answer ended.
fn own_failures_until_down(change: Option<Input>) -> usize {
    let mut config = Config { mode: Mode::ConnectOnly, ..Config::default() };
    (config.limits.added, config.health.own_failures) = (20, 3);
    let mut bench = Bench::new(config);
    let peers: Vec<_> = addresses(20).iter().map(ToString::to_string).collect();
    let mut due: Vec<ConnId> = peers.iter().flat_map(|peer| dials(&bench.add_peer(peer, Keep::Always).1)).collect();
    due.reverse();
    for error in [DialError::NetworkUnreachable, DialError::NetworkUnreachable, DialError::Refused] {
        bench.fail(due.pop().expect("one of twenty"), error);
    }
    change.map(|change| bench.tell(change));
    let mut fail = |conn| events(&bench.fail(conn, DialError::NetworkUnreachable));
    let is_down = |events: &Vec<Event>| events.contains(&Event::NetworkDown { network: NetworkKind::Ipv4 });
    due.into_iter().rev().map(&mut fail).position(|events| is_down(&events)).expect("it goes down") + 1
}

#[test]
fn in_another_network_it_is_forgotten_how_many_routes_were_missing_in_the_last_one() {
    assert_eq!([None, Some(Input::NetworkChanged)].map(own_failures_until_down), [8, 3]);
}
