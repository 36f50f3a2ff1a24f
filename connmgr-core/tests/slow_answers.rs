//! A pool fills however long its peers take to answer.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

/// A pool of `target` among 200 addresses in 200 groups, all of which answer after `answer`.
fn slow(mut config: Config, target: u32, answer: Duration, all: &[PeerAddress]) -> Option<(Duration, usize)> {
    config.limits.full = target;
    config.limits.total = 125.max(4 * target);
    let mut world = World::new(config, move |_| Fate::Slow(answer, millis(20)));
    world.learn(all);
    let full = world.fills(target as usize, secs(600))?;
    // They stay: no connection is closed for another.
    world.run(secs(60));
    assert_eq!(world.ready(), target as usize);
    assert!(world.most_open <= 3 * target as usize);
    Some((full.0, world.dials.len()))
}

fn check_slow(config: &Config, target: u32, answer: Duration, all: &[PeerAddress]) {
    let full = slow(config.clone(), target, answer, all);
    let (within, most) = (3 * answer + secs(1), 3 * target as usize);
    let fits = full.is_some_and(|(time, dials)| time <= within && dials <= most);
    assert!(fits, "target {target}, answers after {answer:?}: {full:?}, of {within:?} and {most} dials");
}

#[test]
fn a_pool_fills_however_slow_the_answers_of_direct_dials() {
    for answer in [1, 200, 900, 1000, 1100, 1500, 1900, 2000, 2500, 3000, 4500, 4900].map(millis) {
        for target in 1..=20 {
            check_slow(&Config::default(), target, answer, &addresses(200));
        }
    }
}

#[test]
fn a_pool_fills_however_slow_the_answers_through_a_proxy() {
    let config = support::with_proxy(Config::default());
    for answer in 1..=25 {
        for target in 1..=20 {
            check_slow(&config, target, secs(answer), &onions(200));
        }
    }
}

/// The same with slow handshakes.
#[test]
fn a_pool_fills_however_slow_the_handshakes() {
    for shakes in [100, 900, 1100, 1500, 1900, 2500, 4900, 20_000].map(millis) {
        for target in [1, 2, 8, 20] {
            let mut config = Config::default();
            config.limits.full = target;
            let mut world = World::new(config, move |_| Fate::Slow(millis(50), shakes));
            world.learn(&addresses(200));
            let full = world.fills(target as usize, secs(600));
            let fits = full.is_some_and(|(time, dials)| time <= shakes + secs(1) && dials <= 3 * target as usize);
            assert!(fits, "target {target}, handshakes of {shakes:?}: {full:?}");
        }
    }
}

/// Onion services answer after 2 to 12 s, or never within 30 s. Returns the median and the 90th percentile over
/// `seeds`.
fn onion_pool(alive: u64, seeds: u64) -> (Duration, Duration) {
    let mut times: Vec<Duration> = (0..seeds)
        .map(|seed| {
            let config = support::with_proxy(Config::default());
            let mut world = World::seeded(config, seed, move |address| match lot(address, 100) < alive {
                true => Fate::Slow(millis(2000 + lot(address, 10_007) % 10_000), millis(500)),
                false => Fate::Silent,
            });
            world.learn(&onions(1000));
            world.fills(8, secs(3600)).map_or(secs(3600), |(time, _)| time)
        })
        .collect();
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 9 / 10])
}

#[test]
fn a_pool_of_onions_fills() {
    for (alive, median, tenth) in [(100, 13, 60), (50, 30, 60), (25, 65, 125)] {
        let (seen_median, seen_tenth) = onion_pool(alive, 45);
        println!("{alive} % of onions alive: full after {seen_median:?} in the median, {seen_tenth:?} in nine of ten");
        assert!(seen_median <= secs(median) && seen_tenth <= secs(tenth), "{alive}: {seen_median:?} {seen_tenth:?}");
    }
}

#[test]
fn a_pool_fills_where_nine_in_ten_accept_and_never_speak() {
    let times = (0..15).map(|seed| {
        let mut config = Config::default();
        config.limits.full = 16;
        let fate = |address: &PeerAddress| if lot(address, 10) == 0 { Fate::Good } else { Fate::Mute };
        let mut world = World::seeded(config, seed, fate);
        world.learn(&addresses(1000));
        world.fills(16, secs(7200)).map_or(secs(7200), |(time, _)| time)
    });
    let seen = median(times.collect());
    println!("nine in ten accept and never speak: 16 are ready after {seen:?} in the median");
    assert!(seen <= secs(300), "{seen:?}");
}
