//! Worlds in which few known addresses can be reached.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

/// When eight of 1000 known addresses, of which `alive` in a hundred answer, are ready, and how often the network went
/// down; sorted.
fn scarce(alive: u64, seeds: u64) -> (Vec<Duration>, usize) {
    let mut downs = 0;
    let mut times: Vec<Duration> = (0..seeds)
        .map(|seed| {
            let fate = move |address: &PeerAddress| match lot(address, 1009 + 2 * seed) % 100 < alive {
                true => Fate::Good,
                false => Fate::Silent,
            };
            let mut world = World::seeded(Config::default(), seed, fate);
            world.learn(&addresses(1000));
            let time = world.fills(8, secs(3600)).map_or(secs(3600), |(time, _)| time);
            downs += usize::from(world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 }));
            time
        })
        .collect();
    times.sort_unstable();
    (times, downs)
}

#[test]
fn a_world_of_which_a_twenty_fifth_answers_is_never_taken_for_an_outage() {
    let (times, downs) = scarce(4, 400);
    println!(
        "4 % reachable: full after {:?} in the median, {:?} in 99 of 100, {:?} at worst",
        times[200], times[396], times[399]
    );
    assert!(downs == 0 && times[399] <= secs(300), "{:?} at worst, {downs} times down", times[399]);
}

#[test]
fn a_world_of_which_a_quarter_answers_fills_in_25_s() {
    let (times, downs) = scarce(25, 1600);
    println!(
        "25 % reachable: full after {:?} in the median, {:?} in 99 of 100, {:?} at worst",
        times[800], times[1584], times[1599]
    );
    assert!(downs == 0 && times[1584] <= secs(25), "{:?} in 99 of 100", times[1584]);
}

/// Inbound connections take every free place.
#[test]
fn a_full_house_does_not_stop_hedging() {
    let fill = |crowd: u32| {
        let mut times: Vec<Duration> = (0..25)
            .map(|seed| {
                let fate = move |address: &PeerAddress| match lot(address, 1009 + 2 * seed) % 100 < 11 {
                    true => Fate::Good,
                    false => Fate::Silent,
                };
                let mut world = World::seeded(with_listener(Config::default()), seed, fate);
                world.learn(&addresses(1000));
                let mut newcomer = 0;
                for _ in 0..crowd {
                    newcomer += 1;
                    if let Ok(conn) = world.bench.accept(&format!("77.{}.{}.1:5000", newcomer / 200, newcomer % 200)) {
                        world.tell(Input::Ready { conn, info: PeerInfo::default() });
                    }
                }
                let ready = |world: &World| world.bench.manager.count(Kind::Full, ConnState::Ready) == 8;
                let full = world.run_until(Time::from_secs(3600), ready).expect("it fills");
                full.since(Time::ZERO)
            })
            .collect();
        times.sort_unstable();
        times[12]
    };
    let (alone, crowded) = (fill(0), fill(200));
    println!("11 % reachable: full after {alone:?} in the median; with a full house {crowded:?}");
    assert!(crowded <= alone * 3 / 2, "{crowded:?}, alone {alone:?}");
}

fn pool(full: u32, block_relay: u32) -> Config {
    let limits = Limits { full, block_relay, ..Limits::default() };
    Config { limits, ..Config::default() }
}

fn kind_at(world: &World, address: &PeerAddress) -> Option<Kind> {
    let conns = world.bench.manager.connections();
    let at = |view: &&ConnView| view.address.as_ref() == Some(address) && view.state == ConnState::Ready;
    conns.iter().find(at).map(|view| view.kind)
}

/// The first of two peers may be the only one that gossips.
#[test]
fn where_few_are_known_block_relay_waits_for_a_full_connection() {
    let mut bench = Bench::new(pool(1, 1));
    let first = dials(&bench.learn(&addresses(2)));
    assert_eq!(first.len(), 1);
    assert_eq!(dials(&bench.connect(first[0])), []);
    let second = dials(&bench.ready(first[0]));
    assert_eq!(second.len(), 1);
    let kind = |id| bench.manager.connections().iter().find(|view| view.conn == id).map(|view| view.kind);
    assert_eq!((kind(first[0]), kind(second[0])), (Some(Kind::Full), Some(Kind::BlockRelay)));
}

/// One peer that gossips is enough.
#[test]
fn where_few_are_known_block_relay_waits_for_no_second_full_connection() {
    let mut bench = Bench::new(pool(2, 1));
    let full = dials(&bench.learn(&addresses(3)));
    assert_eq!(full.len(), 2);
    bench.connect(full[0]);
    bench.ready(full[0]);
    assert_eq!(bench.manager.count(Kind::BlockRelay, ConnState::Dialing), 1);
}

/// Many addresses are known: no kind waits.
#[test]
fn where_many_are_known_all_kinds_are_dialed_at_once() {
    let mut bench = Bench::new(pool(2, 2));
    assert_eq!(dials(&bench.learn(&addresses(100))).len(), 4);
}

#[test]
fn a_block_relay_connection_makes_room_where_there_is_no_full_one_and_nobody_else() {
    let mut world = World::new(pool(1, 1), |_| Fate::Good);
    world.learn(&addresses(2));
    world.run(secs(30));
    let [full, other]: [PeerAddress; 2] = {
        let of = |kind| addresses(2).into_iter().find(|address| kind_at(&world, address) == Some(kind)).expect("ready");
        [of(Kind::Full), of(Kind::BlockRelay)]
    };
    let gone = full.clone();
    world.becomes(move |address| if *address == gone { Fate::Fails(DialError::Refused) } else { Fate::Good });
    let conns = world.bench.manager.connections();
    let conn = conns.iter().find(|view| view.address.as_ref() == Some(&full)).expect("it is connected").conn;
    world.tell(Input::Closed { conn, cause: CloseCause::Eof });
    world.run(secs(8));
    assert_eq!(kind_at(&world, &other), Some(Kind::BlockRelay), "the other may be back soon");
    world.run(secs(120));
    assert_eq!(kind_at(&world, &other), Some(Kind::Full));
}

/// Four addresses are known, three are needed, and all handshakes are slow: hedges must not take the last addresses.
#[test]
fn full_connections_that_hedge_leave_one_for_block_relay() {
    for seed in 0..25 {
        let mut world = World::seeded(pool(2, 1), seed, |_| Fate::Slow(secs(2), secs(10)));
        world.learn(&addresses(4));
        let (time, _) = world.fills(3, secs(300)).expect("it fills");
        assert!(time <= secs(25), "seed {seed}: full after {time:?}");
    }
}

fn ready_of(world: &World, kind: Kind) -> usize {
    let conns = world.bench.manager.connections();
    conns.iter().filter(|view| view.kind == kind && view.state == ConnState::Ready).count()
}

/// A pool of one full and two block-relay connections loses the full one, and from then on dials end like this.
fn without_the_full_one(known: u32, fate: Fate) -> World {
    let mut world = World::new(pool(1, 2), |_| Fate::Good);
    world.learn(&addresses(known));
    world.run(secs(120));
    assert_eq!((ready_of(&world, Kind::Full), ready_of(&world, Kind::BlockRelay)), (1, 2));
    world.becomes(move |_| fate);
    let conns = world.bench.manager.connections();
    let full = conns.iter().find(|view| view.kind == Kind::Full).expect("it is ready").conn;
    world.tell(Input::Closed { conn: full, cause: CloseCause::Eof });
    world
}

/// Making room would not help: the peer could not be dialed.
#[test]
fn block_relay_connections_make_no_room_while_their_network_is_down() {
    let mut world = without_the_full_one(100, Fate::Fails(DialError::NetworkUnreachable));
    world.run(secs(1800));
    assert!(world.has_happened(&Event::NetworkDown { network: NetworkKind::Ipv4 }));
    assert_eq!(ready_of(&world, Kind::BlockRelay), 2);
}

/// A peer that made room may not accept us again, and the other connections may be all there are.
#[test]
fn block_relay_connections_make_room_one_at_a_time_with_ten_minutes_between() {
    let mut world = without_the_full_one(3, Fate::Fails(DialError::Refused));
    world.run(secs(500));
    assert_eq!(ready_of(&world, Kind::BlockRelay), 1);
    world.run(secs(600));
    assert_eq!(ready_of(&world, Kind::BlockRelay), 0);
}

/// One of forty was ready before. Then all refuse, and only resting addresses are left.
#[test]
fn where_nobody_else_is_left_who_was_once_ready_is_tried_most() {
    let met = addresses(1)[0].clone();
    let other = met.clone();
    let mut world = World::new(pool(8, 0), move |address| match *address == other {
        true => Fate::Leaves(secs(2)),
        false => Fate::Fails(DialError::Refused),
    });
    world.learn(&addresses(40));
    world.run(secs(600));
    world.becomes(|_| Fate::Fails(DialError::Refused));
    let before = world.dials.len();
    world.run(secs(3600));
    let dials = &world.dials[before..];
    let to_met = dials.iter().filter(|(_, address)| *address == met).count();
    println!("{to_met} of {} dials to the one that was once ready", dials.len());
    assert!(to_met >= 20 && to_met <= dials.len() / 2, "{to_met} of {}", dials.len());
}

/// All who are on the preferred port are gone, and there are always enough of them that have rested.
#[test]
fn peers_on_other_ports_are_found_where_the_preferred_one_leads_nowhere() {
    for rng_seed in 0..5 {
        let config = Config { default_port: 8333, ..Config::default() };
        let fate = |address: &PeerAddress| match address.port() {
            8333 => Fate::Fails(DialError::Refused),
            _ => Fate::Good,
        };
        let mut world = World::seeded(config, rng_seed, fate);
        let all = addresses(1050);
        let (gone, moved) = all.split_at(1000);
        world.learn(gone);
        let moved: Vec<_> = moved.iter().map(|address| PeerAddress::new(address.host().clone(), 9999)).collect();
        world.learn(&moved);
        let filled = world.fills(8, secs(3600));
        assert!(filled.is_some_and(|(time, _)| time <= secs(900)), "seed {rng_seed}: {filled:?}");
    }
}
