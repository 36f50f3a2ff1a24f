//! Silent dials give their slots to others.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

fn pool(target: u32, max_hedged: Option<u32>) -> Config {
    let mut config = Config::default();
    config.limits.full = target;
    config.dial.max_hedged = max_hedged;
    config
}

fn live(bench: &Bench) -> usize {
    bench.count(ConnState::Handshaking) + bench.count(ConnState::Ready)
}

fn state(bench: &Bench, conn: ConnId) -> Option<ConnState> {
    bench.manager.connections().iter().find(|view| view.conn == conn).map(|view| view.state)
}

#[test]
fn a_dial_that_is_silent_for_a_second_has_another_made_in_its_stead() {
    let mut bench = Bench::new(pool(1, None));
    bench.learn(&addresses(10));
    let counts = [999, 1].map(|wait| dials(&bench.pass(millis(wait))).len());
    assert_eq!((counts, bench.count(ConnState::Silent)), ([0, 1], 1));
}

#[test]
fn a_dial_through_a_proxy_has_five_seconds() {
    let mut bench = Bench::new(with_proxy(pool(1, None)));
    bench.learn(&onions(10));
    let counts = [4999, 1].map(|wait| dials(&bench.pass(millis(wait))).len());
    assert_eq!((counts, bench.count(ConnState::Silent)), ([0, 1], 1));
}

#[test]
fn an_added_peer_behind_a_proxy_has_its_next_address_dialed_after_five_seconds() {
    let mut bench = Bench::new(with_proxy(Config { mode: Mode::ConnectOnly, ..Config::default() }));
    let [first, second] = onions(2).try_into().expect("two");
    bench.tell(Input::AddPeer { peer: AddedPeer::new(first).or(second) });
    assert_eq!([4999, 1].map(|wait| dials(&bench.pass(millis(wait))).len()), [0, 1]);
}

#[test]
fn a_dial_whose_patience_outlasts_it_keeps_its_slot_to_its_end() {
    let mut config = pool(1, None);
    config.dial.direct = Patience::new(secs(5), secs(6));
    let mut bench = Bench::new(config);
    let first = dials(&bench.learn(&addresses(10)))[0];
    assert!(dials(&bench.pass(millis(4999))).is_empty());
    let actions = bench.pass(millis(1));
    assert_eq!((closes(&actions), dials(&actions).len()), (vec![(first, CloseReason::DialTimeout)], 1));
    let second = dials(&actions)[0];
    bench.connect(second);
    // Handshakes may take longer, and are hedged all the same.
    assert_eq!([5999, 1].map(|wait| dials(&bench.pass(millis(wait))).len()), [0, 1]);
}

#[test]
fn a_silent_dial_that_succeeds_takes_a_free_slot() {
    let mut bench = Bench::new(pool(1, None));
    let slow = dials(&bench.learn(&addresses(10)))[0];
    let fast = dials(&bench.pass(secs(1)))[0];
    bench.fail(fast, DialError::Refused);
    let third = bench.manager.connections().iter().find(|conn| conn.state == ConnState::Dialing).map(|conn| conn.conn);
    // The dial after the refused one holds the slot now. When that ends, no address is left, and the slow dial gets it.
    let all: Vec<BanTarget> = addresses(10).iter().map(|address| BanTarget::Host(address.host().clone())).collect();
    let slow_host =
        bench.manager.connections().iter().find(|conn| conn.conn == slow).and_then(|conn| conn.address.clone());
    for target in all {
        if slow_host.as_ref().is_some_and(|address| BanTarget::Host(address.host().clone()) != target) {
            bench.tell(Input::Ban { target, duration: secs(60) });
        }
    }
    assert!(third.is_some());
    let actions = bench.connect(slow);
    assert!(matches!(&events(&actions)[0], Event::Connected(info) if info.conn == slow));
}

#[test]
fn a_silent_dial_that_succeeds_without_a_slot_is_closed_unannounced() {
    let mut bench = Bench::new(pool(1, None));
    let slow = dials(&bench.learn(&addresses(10)))[0];
    let fast = dials(&bench.pass(secs(1)))[0];
    bench.connect(fast);
    bench.ready(fast);
    let actions = bench.connect(slow);
    assert_eq!(closes(&actions), [(slow, CloseReason::Surplus)]);
    assert!(!events(&actions).iter().any(|event| matches!(event, Event::Connected(_))));
}

/// The first to open may never send anything: both go on, and the first to be ready has the slot.
#[test]
fn a_silent_dial_that_opens_beside_a_handshake_goes_on_without_a_slot() {
    for slow_is_first in [true, false] {
        let mut bench = Bench::new(pool(1, None));
        let slow = dials(&bench.learn(&addresses(10)))[0];
        let fast = dials(&bench.pass(secs(1)))[0];
        bench.connect(fast);
        let actions = bench.connect(slow);
        assert!(matches!(&events(&actions)[..], [Event::Connected(info)] if info.conn == slow));
        assert_eq!((state(&bench, slow), bench.count(ConnState::Handshaking)), (Some(ConnState::Stalled), 1));
        let (first, second) = if slow_is_first { (slow, fast) } else { (fast, slow) };
        assert_eq!(closes(&bench.ready(first)), []);
        assert_eq!(closes(&bench.ready(second)), [(second, CloseReason::Surplus)]);
        assert_eq!(state(&bench, first), Some(ConnState::Ready));
    }
}

#[test]
fn a_surplus_is_no_failure_of_its_address() {
    let mut bench = Bench::new(pool(1, None));
    let actions = bench.learn(&addresses(10));
    let slow = dials(&actions)[0];
    let address = dialed_address(&actions, slow);
    let fast = dials(&bench.pass(secs(1)))[0];
    bench.connect(fast);
    bench.ready(fast);
    bench.connect(slow);
    assert_eq!(bench.manager.book().get(&address).map(|entry| entry.failures), Some(0));
}

#[test]
fn no_more_dials_are_silent_than_allowed() {
    let mut bench = Bench::new(pool(8, Some(3)));
    bench.learn(&addresses(100));
    let mut most = (0, 0);
    for _ in 0..100 {
        bench.pass(millis(100));
        let (silent, dialing) = (bench.count(ConnState::Silent), bench.count(ConnState::Dialing));
        most = (most.0.max(silent), most.1.max(dialing));
    }
    assert_eq!(most, (3, 8));
}

/// A pool with room for one silent dial: one dial is silent; the other is as old, and holds its slot.
fn one_silent_one_overdue(target: u32) -> (Bench, ConnId, ConnId) {
    let mut bench = Bench::new(pool(target, Some(1)));
    let mut made = dials(&bench.learn(&addresses(50)));
    made.extend(dials(&bench.pass(secs(1))));
    made.extend(dials(&bench.pass(secs(1))));
    assert_eq!((made.len(), bench.count(ConnState::Silent)), (target as usize + 1, 1));
    (bench, made[0], made[1])
}

#[test]
fn a_dial_silent_for_long_gives_its_slot_back_once_there_is_room() {
    let (mut bench, silent, overdue) = one_silent_one_overdue(2);
    let actions = bench.fail(silent, DialError::Refused);
    assert_eq!((dials(&actions).len(), state(&bench, overdue)), (1, Some(ConnState::Silent)));
}

#[test]
fn a_dial_silent_for_long_that_was_answered_gives_no_slot_back() {
    let (mut bench, silent, overdue) = one_silent_one_overdue(2);
    bench.connect(overdue);
    bench.fail(silent, DialError::Refused);
    assert_eq!(state(&bench, overdue), Some(ConnState::Handshaking));
}

#[test]
fn room_for_more_silent_dials_is_used_when_limits_rise() {
    let mut bench = Bench::new(pool(1, None));
    bench.learn(&addresses(50));
    (0..3).for_each(|_| drop(bench.pass(secs(1))));
    let before = bench.count(ConnState::Silent);
    bench.tell(Input::SetLimits { limits: Limits { full: 2, ..Limits::default() } });
    assert_eq!((before, bench.count(ConnState::Silent)), (2, 3));
}

#[test]
fn a_silent_dial_that_succeeds_takes_the_slot_of_one_as_silent() {
    let (mut bench, silent, overdue) = one_silent_one_overdue(1);
    let actions = bench.connect(silent);
    assert!(matches!(&events(&actions)[0], Event::Connected(info) if info.conn == silent));
    assert_eq!((live(&bench), state(&bench, overdue)), (1, Some(ConnState::Silent)));
}

#[test]
fn of_two_dials_that_hold_slots_the_younger_one_makes_room() {
    let mut bench = Bench::new(pool(2, None));
    let silent = dials(&bench.learn(&addresses(50)))[0];
    let made = dials(&bench.pass(secs(1)));
    bench.pass(millis(500));
    let younger = dials(&bench.fail(made[0], DialError::Refused))[0];
    bench.connect(silent);
    let states = [silent, made[1], younger].map(|conn| state(&bench, conn));
    assert_eq!(states, [ConnState::Handshaking, ConnState::Dialing, ConnState::Silent].map(Some));
}

#[test]
fn a_dial_makes_room_for_a_slow_handshake_that_is_done_before_another_handshake_does() {
    let mut bench = Bench::new(pool(2, None));
    let stalled = dials(&bench.learn(&addresses(50)))[0];
    bench.connect(stalled);
    let made = dials(&bench.pass(secs(1)));
    bench.connect(made[0]);
    let before = state(&bench, stalled);
    bench.ready(stalled);
    let states = [stalled, made[0], made[1]].map(|conn| state(&bench, conn));
    assert_eq!(before, Some(ConnState::Stalled));
    assert_eq!(states, [ConnState::Ready, ConnState::Handshaking, ConnState::Silent].map(Some));
}

#[test]
fn with_hedging_off_a_dial_keeps_its_slot_until_it_ends() {
    let mut bench = Bench::new(pool(8, Some(0)));
    bench.learn(&addresses(100));
    let before = dials(&bench.pass(millis(4999))).len();
    let after = dials(&bench.pass(millis(1))).len();
    assert_eq!((before, after), (0, 8));
}

#[test]
fn the_total_holds_for_live_and_all_dials_together() {
    let mut config = pool(8, None);
    config.limits.total = 10;
    let mut bench = Bench::new(config);
    bench.learn(&addresses(100));
    let mut most = 0;
    for _ in 0..100 {
        bench.pass(millis(100));
        most = most.max(bench.manager.connections().len());
    }
    assert_eq!(most, 10);
}

/// Ten connections are lost at once, where half of the dials are silent for long and succeed in the end.
fn lose_ten(max_hedged: Option<u32>) -> (usize, usize, usize) {
    let mut bench = Bench::new(pool(10, max_hedged));
    for conn in dials(&bench.learn(&addresses(300))) {
        bench.connect(conn);
        bench.ready(conn);
    }
    bench.pass(secs(3600));
    let mut replacements = Vec::new();
    let (mut most_live, mut most_held) = (0, 0);
    for conn in bench.manager.connections() {
        replacements.extend(dials(&bench.close(conn.conn)));
        most_held = most_held.max(bench.count(ConnState::Dialing) + live(&bench));
    }
    let first = replacements.len();
    replacements.extend(dials(&bench.pass(millis(2500))));
    for conn in replacements {
        bench.connect(conn);
        bench.ready(conn);
        most_live = most_live.max(live(&bench));
        most_held = most_held.max(bench.count(ConnState::Dialing) + live(&bench));
    }
    (first, most_live, most_held)
}

#[test]
fn ten_lost_at_once_are_ten_replacements_and_never_more_than_ten() {
    assert_eq!(lose_ten(Some(0)), (10, 10, 10));
}

#[test]
fn with_hedging_on_there_are_never_more_than_ten_live_either() {
    assert_eq!(lose_ten(None), (10, 10, 10));
}

#[test]
fn added_peers_are_not_hedged() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.pass(secs(4));
    assert_eq!((bench.count(ConnState::Dialing), bench.count(ConnState::Silent)), (1, 0));
}

/// 4 to 25 % of gossiped addresses are reachable. Core and btcd, one dial at a time with 5 s each, take about 160 s.
#[test]
fn a_book_of_which_a_ninth_is_reachable_fills_eight_slots_within_a_minute() {
    let fate = |address: &PeerAddress| if lot(address, 9) == 0 { Fate::Good } else { Fate::Silent };
    let mut world = World::new(Config::default(), fate);
    world.learn(&addresses(1000));
    let full = world.run_until(Time::from_secs(600), |world| world.ready() == 8).expect("it fills");
    println!("8 slots from a book of which 11 % is reachable: full after {full}, {} dials", world.dials.len());
    assert!(full <= Time::from_secs(60), "{full}");
}
