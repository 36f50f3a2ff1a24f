//! Dials that a rule forbids, and successes thrown away.

use std::time::Duration;

use connmgr_check::Property;
use connmgr_core::*;

use crate::bench::*;

#[test]
fn a_dial_to_an_address_in_use() {
    let mut bench = dialing(&pool(), &pool());
    let view = bench.manager.connections().remove(0);
    let now = bench.now;
    let again = dial(100, &view.address.expect("we dialed it").to_string(), now);
    breaks(Property::AddressInUse, bench.forge_actions(&[again]));
}

/// Dialed as `[fc00::1]:8333`: only the view tells that it is CJDNS.
fn cjdns() -> PeerAddress {
    PeerAddress::new(Host::Cjdns("fc00::1".parse().expect("an address")), 8333)
}

#[test]
fn a_dial_to_a_cjdns_address_in_use() {
    let mut bench = Bench::new(&pool());
    bench.tell(Input::AddPeer { peer: AddedPeer::new(cjdns()) }).expect("nothing is broken yet");
    let again = dial(100, "[fc00::1]:8333", bench.now);
    breaks(Property::AddressInUse, bench.forge_actions(&[again]));
}

#[test]
fn a_dial_to_our_own_cjdns_address() {
    let ours = Config { own_addresses: vec![cjdns()], ..pool() };
    let mut bench = Bench::new(&ours);
    let dial = dial(100, "[fc00::1]:8333", bench.now);
    breaks(Property::OwnAddress, bench.forge_actions(&[dial]));
}

#[test]
fn a_dial_to_ourselves() {
    let ours = Config { own_addresses: addresses(100), ..pool() };
    let mut bench = Bench::mismatched(&pool(), &ours);
    breaks(Property::OwnAddress, bench.learn(&addresses(100)));
}

#[test]
fn a_dial_to_the_banned() {
    let mut bench = Bench::new(&pool());
    let ban = Input::Ban { target: BanTarget::Subnet("11.0.0.0/8".parse().expect("a subnet")), duration: secs(100) };
    let banned = Action::Emit(Event::Banned {
        target: BanTarget::Subnet("11.0.0.0/8".parse().expect("a subnet")),
        until: UNIX.after(secs(100)),
    });
    bench.forge(ban, Reply::Done(Ok(())), &[banned]).expect("nothing is broken yet");
    breaks(Property::BannedDial, bench.learn(&addresses(100)));
}

#[test]
fn a_group_taken_twice() {
    let crowd: Vec<PeerAddress> = (0..100).map(|n| addr(&format!("11.1.{n}.1:8333"))).collect();
    let lax = Config {
        groups: GroupRule { max_per_group: Some(2), exempt_overlays: false, ..GroupRule::default() },
        ..pool()
    };
    let mut bench = Bench::mismatched(&lax, &pool());
    breaks(Property::GroupTaken, bench.learn(&crowd));
}

#[test]
fn more_connections_of_a_kind_than_slots() {
    let mut few = pool();
    few.limits.full = 4;
    let mut bench = Bench::mismatched(&pool(), &few);
    bench.pass(secs(1)).expect("nothing is broken yet");
    breaks(Property::SlotLimits, bench.learn(&addresses(100)));
}

#[test]
fn more_silent_dials_than_may_be() {
    let mut strict = pool();
    strict.dial.max_hedged = Some(0);
    let mut bench = dialing(&pool(), &strict);
    breaks(Property::SlotLimits, bench.pass(secs(2)));
}

#[test]
fn a_success_that_is_thrown_away_for_dials() {
    let mut bench = dialing(&pool(), &pool());
    let conn = bench.in_state(ConnState::Dialing)[0];
    let input = Input::DialResult { conn, result: Ok(()) };
    let close = Action::Close { conn, reason: CloseReason::Surplus };
    breaks(Property::SuccessKept, bench.forge(input, Reply::Noted, &[close]));
}

/// They lost their slots: eight more are dialed, and one of those opens.
#[test]
fn a_success_that_is_thrown_away_for_handshakes_that_have_stalled() {
    let mut bench = dialing(&pool(), &pool());
    bench.connect().and_then(|()| bench.pass(secs(2))).expect("eight more are dialed");
    assert_eq!(bench.in_state(ConnState::Stalled).len(), 8);
    let conn = bench.in_state(ConnState::Dialing)[0];
    let close = Action::Close { conn, reason: CloseReason::Surplus };
    breaks(Property::SuccessKept, bench.forge(Input::DialResult { conn, result: Ok(()) }, Reply::Noted, &[close]));
}

#[test]
fn a_handshake_that_is_done_late_and_thrown_away_for_others_that_are_not() {
    let mut bench = dialing(&pool(), &pool());
    bench.connect().and_then(|()| bench.pass(secs(2))).and_then(|()| bench.connect()).expect("sixteen are open");
    let conn = bench.in_state(ConnState::Stalled)[0];
    let ready = Input::Ready { conn, info: PeerInfo::default() };
    let close = Action::Close { conn, reason: CloseReason::Surplus };
    breaks(Property::SuccessKept, bench.forge(ready, Reply::Noted, &[close]));
}

#[test]
fn a_dial_that_is_surplus_though_nobody_told_of_its_success() {
    let mut bench = dialing(&pool(), &pool());
    let conn = bench.in_state(ConnState::Dialing)[0];
    breaks(Property::SuccessKept, bench.forge_actions(&[Action::Close { conn, reason: CloseReason::Surplus }]));
}

#[test]
fn a_success_is_surplus_once_the_pool_is_full_of_open_connections() {
    let mut bench = dialing(&pool(), &pool());
    let now = bench.now;
    bench.pass(secs(2)).expect("eight more are dialed");
    let dials = bench.in_state(ConnState::Dialing);
    let late = bench.in_state(ConnState::Silent)[0];
    dials.into_iter().try_for_each(|conn| bench.tell(Input::DialResult { conn, result: Ok(()) })).expect("eight open");
    bench.tell(Input::DialResult { conn: late, result: Ok(()) }).expect("one more is surplus");
    assert!(bench.now > now && bench.in_state(ConnState::Handshaking).len() == 8);
}

#[test]
fn more_connections_than_the_total() {
    // Each kind is within its share, but with a silent dial the total is exceeded.
    let (mut real, mut believed) = (pool(), pool());
    (real.limits.total, believed.limits.total) = (9, 8);
    let mut bench = dialing(&real, &believed);
    breaks(Property::TotalLimit, bench.pass(secs(2)));
}

/// Twenty dials are silent after a second. Those that take their slots are not all dialed in one step.
#[test]
fn a_dial_beyond_the_total_while_work_is_left() {
    let few_actions = |total| {
        let limits = Limits { full: 20, total, ..Limits::default() };
        Config { limits, max_actions_per_input: 16, ..pool() }
    };
    let mut bench = dialing(&few_actions(125), &few_actions(24));
    bench.pass(Duration::from_millis(10)).expect("nothing is broken yet");
    assert_eq!(bench.in_state(ConnState::Dialing).len(), 20);
    let judged = bench.pass(secs(2));
    assert!(bench.has_work_left());
    breaks(Property::TotalLimit, judged);
}

#[test]
fn a_dial_without_a_slot_while_work_is_left() {
    let few_actions =
        |full| Config { limits: Limits { full, ..Limits::default() }, max_actions_per_input: 16, ..pool() };
    let mut bench = Bench::mismatched(&few_actions(40), &few_actions(4));
    bench.pass(secs(1)).expect("nothing is broken yet");
    let judged = bench.learn(&addresses(100));
    assert!(bench.has_work_left());
    breaks(Property::SlotLimits, judged);
}

#[test]
fn a_direct_dial_where_a_proxy_is_configured() {
    let proxy =
        Proxy::new("127.0.0.1:9050".parse().expect("an address")).isolation(IsolationMode::Required).resolves(true);
    let private = Config { proxies: Proxies { all: Some(proxy), ..Proxies::default() }, ..pool() };
    let mut bench = Bench::mismatched(&pool(), &private);
    breaks(Property::Route, bench.learn(&addresses(100)));
}

#[test]
fn a_dial_into_a_disabled_network() {
    let only_v6 = Config { networks: NetworkSet::EMPTY.with(NetworkKind::Ipv6), ..pool() };
    let mut bench = Bench::mismatched(&pool(), &only_v6);
    breaks(Property::Route, bench.learn(&addresses(100)));
}

#[test]
fn an_automatic_dial_though_connect_only() {
    let connect_only = Config { mode: Mode::ConnectOnly, limits: Limits { full: 8, ..Limits::default() }, ..pool() };
    let mut bench = Bench::mismatched(&pool(), &connect_only);
    let judged = bench.pass(secs(1)).and_then(|()| bench.learn(&addresses(100)));
    let violation = judged.expect_err("it asks for addresses");
    assert_eq!(violation.property, Property::ConnectOnly, "{violation}");
}

#[test]
fn a_dial_outside_of_all_ranges() {
    let lan = Config { ranges: Ranges { private: true, ..Ranges::default() }, ..pool() };
    let mut bench = Bench::mismatched(&lan, &pool());
    breaks(Property::Route, bench.learn(&["10.0.0.1:8333".parse().expect("an address")]));
}

#[test]
fn a_dial_where_nobody_can_be() {
    let mut bench = Bench::new(&pool());
    let dial = dial(100, "224.0.0.1:8333", bench.now);
    breaks(Property::Route, bench.forge_actions(&[dial]));
}
