//! Worlds in which few of those we know can be reached.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

/// When eight of 1000 known, of which `alive` in a hundred answer, are ready; in order, with how often the network was
/// taken for down.
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
    println!("4 % reachable: full after {:?} in the median, {:?} at worst of 400", times[200], times[399]);
    assert!(downs == 0 && times[399] <= secs(300), "{:?} at worst, {downs} times down", times[399]);
}

#[test]
fn a_world_of_which_a_quarter_answers_fills_in_25_s() {
    let (times, downs) = scarce(25, 400);
    println!(
        "25 % reachable: full after {:?} in the median, {:?} in 99 of 100, {:?} at worst",
        times[200], times[396], times[399]
    );
    assert!(downs == 0 && times[396] <= secs(25), "{:?} in 99 of 100", times[396]);
}

/// Strangers take every place that they are given.
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
