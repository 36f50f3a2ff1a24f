//! Limits: dials per second, actions per input, wake-ups per hour.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

/// The most dials in any window of this length.
fn busiest(dials: &[(Time, PeerAddress)], window: std::time::Duration) -> usize {
    let within = |at: Time| dials.iter().filter(|(other, _)| *other >= at && other.since(at) < window).count();
    dials.iter().map(|(at, _)| within(*at)).max().unwrap_or(0)
}

fn refusing(count: u32) -> World {
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::Refused));
    world.learn(&addresses(count));
    world
}

#[test]
fn automatic_dials_keep_to_their_rate() {
    let mut world = refusing(1000);
    world.run(secs(30));
    let most = busiest(&world.dials, secs(1));
    assert!(most <= 64 + 10, "{most} dials in a second");
    assert!(world.dials.len() <= 64 + 300, "{} dials in 30 s", world.dials.len());
}

#[test]
fn no_address_is_dialed_again_within_30_s() {
    let mut world = refusing(20);
    world.run(secs(600));
    let mut last = std::collections::BTreeMap::new();
    for (at, address) in &world.dials {
        let before = last.insert(address.clone(), *at);
        assert!(before.is_none_or(|before| at.since(before) >= secs(30)), "{address} at {at}");
    }
}

#[test]
fn while_others_are_known_no_address_is_dialed_again_within_10_minutes() {
    let mut world = refusing(1000);
    world.run(secs(50));
    let mut all: Vec<&PeerAddress> = world.dials.iter().map(|(_, address)| address).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert!(all.len() == count && count > 500, "{} of {count} dials went to an address never dialed before", all.len());
}

#[test]
fn the_default_port_is_preferred() {
    let mut config = Config { default_port: 8333, ..Config::default() };
    config.dial.max_hedged = Some(0);
    let mut bench = Bench::new(config);
    let odd = |n: u32| addr(&format!("{}.{}.1.1:1234", 50 + n / 200, n % 200));
    let all: Vec<PeerAddress> = addresses(100).into_iter().chain((0..100).map(odd)).collect();
    let actions = bench.learn(&all);
    assert!(dials(&actions).iter().all(|conn| dialed_address(&actions, *conn).port() == 8333));
}

#[test]
fn another_port_is_better_than_none() {
    let mut world = World::new(Config { default_port: 8333, ..Config::default() }, |_| Fate::Good);
    world.learn(&[addr("1.2.3.4:1234")]);
    world.run(secs(60));
    assert_eq!(world.ready(), 1);
}

#[test]
fn one_input_causes_no_more_actions_than_allowed() {
    let mut config = Config { max_actions_per_input: 16, ..Config::default() };
    config.limits.full = 100;
    let mut bench = Bench::new(config);
    let mut most = bench.learn(&addresses(500)).len();
    for _ in 0..200 {
        bench.now = bench.manager.poll_timeout().expect("there is work").max(bench.now);
        most = most.max(bench.tell(Input::Timeout).len());
    }
    assert!(most <= 16, "{most} actions");
}

#[test]
fn work_that_exceeds_one_call_is_done_all_the_same() {
    let mut config = Config { max_actions_per_input: 16, ..Config::default() };
    config.limits.full = 60;
    let mut bench = Bench::new(config);
    let first = dials(&bench.learn(&addresses(500))).len();
    let rest = dials(&bench.pass(millis(20))).len();
    assert_eq!(first + rest, 60);
}

#[test]
fn a_full_pool_is_silent() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&addresses(500));
    world.run(secs(3600));
    let wakes = world.wakes;
    world.run(secs(24 * 3600));
    assert!(world.wakes - wakes <= 1, "{} wakes in a day", world.wakes - wakes);
}

#[test]
fn a_peer_may_tell_a_thousand_addresses_and_then_one_in_ten_seconds() {
    let mut config = Config { mode: Mode::Automatic, ..with_listener(Config::default()) };
    config.limits.full = 0;
    let mut bench = Bench::new(config);
    let conn = bench.accept("9.9.9.9:5").expect("it is let in");
    bench.ready(conn);
    let tell = |bench: &mut Bench, from: u32| {
        let info = |address| AddressInfo::new(address).services(Services::NETWORK).last_seen(UNIX);
        let told = addresses(2000)[from as usize..].iter().take(1000).cloned().map(info).collect();
        bench.tell(Input::Addresses { source: Source::Peer(conn), addresses: told });
        bench.manager.book().len()
    };
    let first = tell(&mut bench, 0);
    let second = tell(&mut bench, 1000);
    bench.pass(secs(100));
    let third = tell(&mut bench, 1000);
    assert_eq!((first, second, third), (1000, 1000, 1010));
}

#[test]
fn a_peer_ready_without_what_we_need_is_closed_and_not_dialed_again() {
    let mut config = Config::bitcoin(Chain::Mainnet);
    config.seeds.names.clear();
    let mut bench = Bench::new(config);
    let actions = bench.learn(&addresses(1));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    let info = PeerInfo { services: Services::NETWORK, ..PeerInfo::default() };
    let actions = bench.tell(Input::Ready { conn, info });
    assert_eq!(closes(&actions), [(conn, CloseReason::MissingServices)]);
    assert!(dials(&bench.pass(secs(24 * 3600))).is_empty());
}

#[test]
fn an_answer_to_getaddr_holds_at_most_a_quarter_of_the_book() {
    let mut bench = Bench::new(Config::default());
    bench.learn(&addresses(1000));
    let Reply::Addresses(sample) = bench.apply(&Input::SampleAddresses { network: None, count: 5000 }) else {
        panic!("not an answer")
    };
    assert_eq!(sample.len(), 230);
}

#[test]
fn the_first_addresses_are_saved_within_a_minute_whatever_is_banned() {
    let mut bench = Bench::new(Config::default());
    bench.tell(Input::Addresses { source: Source::Application, addresses: Vec::new() });
    assert!(!bench.pass(secs(3600)).contains(&Action::Save), "nothing was learnt");
    bench.learn(&addresses(1));
    let target = BanTarget::Host("9.9.9.9".parse().expect("it parses"));
    bench.tell(Input::Ban { target, duration: secs(86_400) });
    assert!(bench.pass(secs(1)).contains(&Action::Save));
    assert!(!bench.manager.saves_book(), "that was for the ban");
    assert!(!bench.pass(millis(58_999)).contains(&Action::Save));
    assert!(bench.pass(millis(1)).contains(&Action::Save));
    assert!(bench.manager.saves_book());
}

#[test]
fn at_the_end_everything_is_saved_and_where_there_is_no_book_none() {
    for (mode, has_book) in [(Mode::Automatic, true), (Mode::ConnectOnly, false)] {
        let mut bench = Bench::new(Config { mode, ..Config::default() });
        bench.learn(&addresses(1));
        let saved = bench.tell(Input::Shutdown).contains(&Action::Save) || bench.pass(secs(1)).contains(&Action::Save);
        assert_eq!((saved, bench.manager.saves_book()), (true, has_book));
    }
}

#[test]
fn saves_for_the_books_sake_are_a_quarter_of_an_hour_apart() {
    let mut world = World::new(Config::default(), |_| Fate::HangsUp);
    let mut saves = Vec::new();
    for n in 0..240 {
        let actions = world.bench.learn(&addresses(n + 1)[n as usize..]);
        let at = world.bench.now;
        saves.extend(actions.iter().filter(|action| **action == Action::Save).map(|_| at));
        let later = world.bench.pass(secs(15));
        saves.extend(later.iter().filter(|action| **action == Action::Save).map(|_| world.bench.now));
    }
    assert!((3..=4).contains(&saves.len()), "{saves:?}");
}
