//! The consequences of misbehavior.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::world::*;
use support::*;

const DAY: Duration = secs(24 * 3600);

fn penalty(persistent: u32, transient: u32) -> Penalty {
    Penalty { persistent, transient }
}

fn host(text: &str) -> BanTarget {
    BanTarget::Host(text.parse().expect(text))
}

fn subnet(text: &str) -> BanTarget {
    BanTarget::Subnet(text.parse().expect(text))
}

fn bench() -> Bench {
    Bench::new(with_listener(Config { mode: Mode::ConnectOnly, ..Config::default() }))
}

fn with_permissions(permissions: Permissions) -> Bench {
    let mut config = with_listener(Config::default());
    config.listeners[0].permissions = permissions;
    config.listeners.push(Listener::new(ListenerId(1)));
    Bench::new(config)
}

/// Listener 0 is for an onion service: every remote address is that of the local Tor.
fn on_an_onion_listener() -> Bench {
    let mut config = with_listener(Config::default());
    config.listeners[0].network = Some(NetworkKind::Onion);
    Bench::new(config)
}

fn accepted(bench: &mut Bench, remote: &str) -> ConnId {
    let conn = bench.accept(remote).expect("it is let in");
    bench.actions();
    conn
}

fn misbehaves(bench: &mut Bench, conn: ConnId, persistent: u32, transient: u32) -> Vec<Action> {
    bench.tell(Input::Misbehavior { conn, penalty: penalty(persistent, transient) })
}

fn warnings(actions: &[Action]) -> Vec<u32> {
    let warning = |event: Event| match event {
        Event::ScoreWarning { score, .. } => Some(score),
        _ => None,
    };
    events(actions).into_iter().filter_map(warning).collect()
}

fn is_banned(bench: &Bench, target: &BanTarget) -> bool {
    bench.manager.bans().iter().any(|ban| ban.target == *target)
}

#[test]
fn a_score_above_half_the_threshold_is_warned_of() {
    let mut bench = bench();
    let conn = accepted(&mut bench, "1.2.3.4:5");
    let scores = [50, 1].map(|points| warnings(&misbehaves(&mut bench, conn, points, 0)));
    assert_eq!(scores, [vec![], vec![51]]);
}

#[test]
fn a_score_of_exactly_100_bans_nobody() {
    let mut bench = bench();
    let conn = accepted(&mut bench, "1.2.3.4:5");
    let actions = misbehaves(&mut bench, conn, 100, 0);
    assert_eq!((warnings(&actions), closes(&actions)), (vec![100], vec![]));
}

#[test]
fn a_score_above_100_bans_for_a_day_and_closes() {
    let mut bench = bench();
    let conn = accepted(&mut bench, "1.2.3.4:5");
    let actions = misbehaves(&mut bench, conn, 100, 1);
    let banned = Event::Banned { target: host("1.2.3.4"), until: UNIX.after(DAY) };
    assert!(events(&actions).contains(&banned));
    assert_eq!(closes(&actions), [(conn, CloseReason::Banned)]);
}

#[test]
fn every_connection_of_a_banned_host_is_closed() {
    let mut bench = bench();
    let conns = [1, 2, 3].map(|port| accepted(&mut bench, &format!("1.2.3.4:{port}")));
    let other = accepted(&mut bench, "1.2.4.4:1");
    let closed = closes(&misbehaves(&mut bench, conns[1], 101, 0));
    assert_eq!(closed, conns.map(|conn| (conn, CloseReason::Banned)));
    assert_eq!(bench.manager.connections()[0].conn, other);
}

#[test]
fn points_fade_with_a_half_life_of_a_minute() {
    let mut bench = bench();
    let conn = accepted(&mut bench, "1.2.3.4:5");
    bench.ready(conn);
    misbehaves(&mut bench, conn, 10, 80);
    bench.pass(secs(60));
    assert_eq!(warnings(&misbehaves(&mut bench, conn, 1, 0)), [51]);
}

/// btcd answers with a stale total here, which bans without reason.
#[test]
fn a_penalty_of_nothing_bans_nobody() {
    let mut bench = bench();
    let conn = accepted(&mut bench, "1.2.3.4:5");
    bench.ready(conn);
    misbehaves(&mut bench, conn, 0, 100);
    bench.pass(secs(60));
    assert_eq!(closes(&misbehaves(&mut bench, conn, 40, 0)), []);
}

#[test]
fn a_score_survives_a_reconnect() {
    let mut bench = bench();
    let first = accepted(&mut bench, "1.2.3.4:5");
    misbehaves(&mut bench, first, 60, 0);
    bench.close(first);
    let second = accepted(&mut bench, "1.2.3.4:6");
    assert_eq!(closes(&misbehaves(&mut bench, second, 60, 0)), [(second, CloseReason::Banned)]);
}

#[test]
fn a_penalty_that_comes_after_the_end_still_reaches_its_host() {
    let mut bench = bench();
    let first = accepted(&mut bench, "1.2.3.4:5");
    let second = accepted(&mut bench, "1.2.3.4:6");
    bench.close(first);
    assert_eq!(closes(&misbehaves(&mut bench, first, 101, 0)), [(second, CloseReason::Banned)]);
}

#[test]
fn a_banned_host_is_refused() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    assert_eq!(bench.accept("1.2.3.4:5"), Err(Refusal::Banned));
}

#[test]
fn a_banned_host_in_the_clothes_of_ipv6_is_refused() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    assert_eq!(bench.accept("[::ffff:1.2.3.4]:5"), Err(Refusal::Banned));
}

#[test]
fn a_banned_subnet_is_refused_and_its_neighbour_is_not() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: subnet("1.2.3.0/24"), duration: DAY });
    assert_eq!(bench.accept("1.2.3.200:5"), Err(Refusal::Banned));
    assert!(bench.accept("1.2.4.1:5").is_ok());
}

#[test]
fn a_banned_address_is_not_dialed_from_the_book() {
    let mut world = World::new(Config::default(), |_| Fate::Fails(DialError::Refused));
    world.tell(Input::Ban { target: subnet("11.0.0.0/9"), duration: DAY });
    world.learn(&addresses(200));
    world.run(secs(600));
    let forbidden =
        |address: &PeerAddress| matches!(address.host().ip(), Some(std::net::IpAddr::V4(ip)) if ip.octets()[1] < 128);
    assert!(!world.dials.is_empty() && !world.dials.iter().any(|(_, address)| forbidden(address)));
}

#[test]
fn a_dial_to_a_host_that_gets_banned_is_given_up() {
    let mut bench = bench();
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    let actions = bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    assert_eq!(closes(&actions), [(conn, CloseReason::Banned)]);
}

#[test]
fn a_banned_peer_cannot_be_added() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    let added = bench.apply(&Input::AddPeer { peer: AddedPeer::new(addr("1.2.3.4:8333")) });
    assert_eq!(added, Reply::Added(Err(AddPeerError::Banned)));
}

#[test]
fn an_added_peer_is_dialed_when_its_ban_ends_and_not_before() {
    let mut bench = bench();
    bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    let before = dials(&bench.pass(DAY - millis(1))).len();
    let after = dials(&bench.pass(millis(1))).len();
    assert_eq!((before, after), (0, 1));
}

#[test]
fn an_added_peer_is_dialed_when_its_ban_is_lifted() {
    let mut bench = bench();
    bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    bench.pass(secs(3600));
    assert_eq!(dials(&bench.tell(Input::Unban { target: host("1.2.3.4") })).len(), 1);
}

#[test]
fn an_unban_of_one_of_two_bans_leaves_the_other() {
    let mut bench = bench();
    bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    bench.tell(Input::Ban { target: subnet("1.2.3.0/24"), duration: 2 * DAY });
    bench.pass(secs(3600));
    assert!(dials(&bench.tell(Input::Unban { target: host("1.2.3.4") })).is_empty());
    assert!(dials(&bench.pass(DAY)).is_empty());
    assert_eq!(dials(&bench.pass(DAY - secs(3600))).len(), 1);
}

#[test]
fn a_ban_that_ends_refills_the_slot_at_once() {
    let mut config = Config::default();
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    bench.tell(Input::Ban { target: host("11.0.7.9"), duration: secs(3600) });
    bench.learn(&addresses(1));
    let before = dials(&bench.pass(millis(3_599_999))).len();
    let after = bench.pass(millis(1));
    assert_eq!((before, dials(&after).len()), (0, 1));
    assert!(events(&after).contains(&Event::Unbanned { target: host("11.0.7.9") }));
}

#[test]
fn a_ban_is_listed_with_its_end() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: subnet("1.2.3.0/24"), duration: DAY });
    let expected = BanView::new(subnet("1.2.3.0/24"), UNIX, UNIX.after(DAY));
    assert_eq!(bench.manager.bans(), [expected]);
}

#[test]
fn what_is_not_banned_cannot_be_unbanned() {
    let mut bench = bench();
    let reply = bench.apply(&Input::Unban { target: host("1.2.3.4") });
    assert_eq!(reply, Reply::Done(Err(CommandError::NotBanned)));
}

#[test]
fn a_ban_is_saved_within_a_second() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    assert_eq!(bench.pass(secs(1)), [Action::Save]);
}

#[test]
fn loopback_is_never_banned() {
    let mut bench = bench();
    for target in [host("127.0.0.1"), host("::1"), subnet("127.0.0.0/8"), subnet("127.0.0.1/32")] {
        let reply = bench.apply(&Input::Ban { target: target.clone(), duration: DAY });
        assert_eq!(reply, Reply::Done(Err(CommandError::NotBannable)), "{target}");
    }
}

#[test]
fn who_misbehaves_from_loopback_is_closed_and_nobody_else() {
    let mut bench = bench();
    let [bad, good] = [1, 2].map(|port| accepted(&mut bench, &format!("127.0.0.1:{port}")));
    let closed = closes(&misbehaves(&mut bench, bad, 101, 0));
    assert_eq!(closed, [(bad, CloseReason::Misbehaved)]);
    assert_eq!(closes(&misbehaves(&mut bench, good, 1, 0)), [], "the others have a score of their own");
}

#[test]
fn a_ban_of_everything_spares_loopback() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: subnet("0.0.0.0/0"), duration: DAY });
    assert!(bench.accept("127.0.0.1:5").is_ok());
    assert_eq!(bench.accept("9.9.9.9:5"), Err(Refusal::Banned));
}

#[test]
fn where_loopback_is_public_it_is_banned_like_any_other() {
    let config = Config { ranges: Ranges { loopback: true, ..Ranges::default() }, ..Config::default() };
    let mut bench = Bench::new(with_listener(config));
    let conn = accepted(&mut bench, "127.0.0.1:5");
    misbehaves(&mut bench, conn, 101, 0);
    assert!(is_banned(&bench, &host("127.0.0.1")));
    assert!(bench.accept("127.0.0.2:5").is_ok());
}

#[test]
fn the_proxy_is_never_banned() {
    let proxy = Proxy::new("10.0.0.9:9050".parse().expect("it parses")).isolation(IsolationMode::Off).resolves(false);
    let proxies = Proxies { all: Some(proxy), ..Proxies::default() };
    let mut bench = Bench::new(with_listener(Config { proxies, ..Config::default() }));
    let conn = accepted(&mut bench, "10.0.0.9:5");
    let closed = closes(&misbehaves(&mut bench, conn, 101, 0));
    assert_eq!((closed, bench.manager.bans().len()), (vec![(conn, CloseReason::Misbehaved)], 0));
}

/// Whether the operator may ban this where 10.0.0.0 is the proxy.
fn may_be_banned(target: &BanTarget) -> bool {
    let proxy = Proxy::new("10.0.0.0:9050".parse().expect("it parses")).isolation(IsolationMode::Off);
    let proxies = Proxies { all: Some(proxy), ..Proxies::default() };
    let mut bench = Bench::new(Config { proxies, ..Config::default() });
    match bench.apply(&Input::Ban { target: target.clone(), duration: DAY }) {
        Reply::Done(result) => result.is_ok(),
        other => panic!("not an answer to a ban: {other:?}"),
    }
}

#[test]
fn a_subnet_is_banned_although_the_proxy_or_loopback_is_in_it() {
    let refused = ["10.0.0.0/32", "127.0.0.0/8", "127.1.0.0/16"].map(subnet);
    let banned = ["10.0.0.0/24", "126.0.0.0/7", "10.0.0.1/32", "0.0.0.0/0"].map(subnet);
    assert!(!refused.iter().any(may_be_banned));
    assert!(banned.iter().all(may_be_banned));
}

#[test]
fn on_an_onion_listener_a_score_of_exactly_100_closes_nobody() {
    let mut bench = on_an_onion_listener();
    let conn = accepted(&mut bench, "127.0.0.1:1");
    let actions = misbehaves(&mut bench, conn, 100, 0);
    assert_eq!((warnings(&actions), closes(&actions)), (vec![100], vec![]));
}

#[test]
fn on_an_onion_listener_misbehavior_closes_and_bans_nobody() {
    let mut bench = on_an_onion_listener();
    let [bad, good] = [1, 2].map(|port| accepted(&mut bench, &format!("127.0.0.1:{port}")));
    let actions = misbehaves(&mut bench, bad, 101, 0);
    assert_eq!(closes(&actions), [(bad, CloseReason::Misbehaved)]);
    assert_eq!((bench.manager.bans().len(), bench.manager.connections()[0].conn), (0, good));
}

#[test]
fn an_onion_listener_looks_at_no_ban_of_a_host() {
    let mut bench = on_an_onion_listener();
    bench.tell(Input::Ban { target: subnet("9.9.9.0/24"), duration: DAY });
    assert!(bench.accept("9.9.9.9:5").is_ok());
}

#[test]
fn no_ban_lets_a_banned_host_in() {
    let mut bench = with_permissions(Permissions { no_ban: true, no_limit: false, ..Permissions::default() });
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    assert!(bench.accept("1.2.3.4:5").is_ok());
}

#[test]
fn no_ban_is_warned_of_and_closed_and_never_banned() {
    let mut bench = with_permissions(Permissions { no_ban: true, no_limit: false, ..Permissions::default() });
    let conn = accepted(&mut bench, "1.2.3.4:5");
    let actions = misbehaves(&mut bench, conn, 100, 0);
    assert_eq!((warnings(&actions), closes(&actions)), (vec![100], vec![]));
    let actions = misbehaves(&mut bench, conn, 1, 0);
    assert_eq!(closes(&actions), [(conn, CloseReason::Misbehaved)]);
    assert!(bench.manager.bans().is_empty() && bench.accept("1.2.3.4:6").is_ok());
}

#[test]
fn no_ban_survives_a_ban_of_its_host() {
    let mut bench = with_permissions(Permissions { no_ban: true, no_limit: false, ..Permissions::default() });
    accepted(&mut bench, "1.2.3.4:5");
    let actions = bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    assert_eq!(closes(&actions), []);
}

#[test]
fn no_ban_is_no_no_limit() {
    let mut bench = with_permissions(Permissions { no_ban: true, no_limit: false, ..Permissions::default() });
    (1..=3).for_each(|port| {
        accepted(&mut bench, &format!("1.2.3.4:{port}"));
    });
    assert_eq!(bench.accept("1.2.3.4:9"), Err(Refusal::RateLimit));
}

#[test]
fn no_limit_is_no_no_ban() {
    let mut bench = with_permissions(Permissions { no_ban: false, no_limit: true, ..Permissions::default() });
    (1..=20).for_each(|port| {
        accepted(&mut bench, &format!("1.2.3.4:{port}"));
    });
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: DAY });
    assert_eq!((bench.accept("1.2.3.4:99"), bench.manager.connections().len()), (Err(Refusal::Banned), 0));
}

#[test]
fn a_forgiven_score_starts_over() {
    let mut bench = bench();
    let conn = accepted(&mut bench, "1.2.3.4:5");
    misbehaves(&mut bench, conn, 90, 0);
    bench.tell(Input::ResetScore { host: "1.2.3.4".parse().expect("it parses") });
    assert_eq!(closes(&misbehaves(&mut bench, conn, 90, 0)), []);
}

#[test]
fn an_outbound_peer_that_misbehaves_is_banned_and_its_slot_refilled() {
    let mut config = Config::default();
    config.limits.full = 1;
    let mut bench = Bench::new(config);
    let actions = bench.learn(&addresses(50));
    let conn = dials(&actions)[0];
    bench.connect(conn);
    bench.ready(conn);
    let actions = misbehaves(&mut bench, conn, 101, 0);
    assert_eq!((closes(&actions).len(), dials(&actions).len()), (1, 1));
}

#[test]
fn a_ban_of_hundreds_of_connections_is_carried_out_in_parts() {
    let mut config = with_listener(Config::default());
    config.limits.total = 500;
    config.listeners[0].permissions.no_limit = true;
    let mut bench = Bench::new(config);
    for n in 0..250 {
        accepted(&mut bench, &format!("1.2.3.{n}:5"));
    }
    let at_once = bench.tell(Input::Ban { target: subnet("1.2.0.0/16"), duration: DAY });
    bench.pass(secs(1));
    assert!(at_once.len() <= 256, "{} actions", at_once.len());
    assert!(bench.manager.connections().is_empty());
}

/// The end that the event tells when this is banned.
fn told_until(bench: &mut Bench, target: &BanTarget, duration: Duration) -> UnixTime {
    let actions = bench.tell(Input::Ban { target: target.clone(), duration });
    let until = events(&actions).into_iter().find_map(|event| match event {
        Event::Banned { until, .. } => Some(until),
        _ => None,
    });
    until.expect("it is banned")
}

#[test]
fn a_ban_for_less_than_what_is_left_tells_the_end_that_stands() {
    let mut bench = Bench::new(Config::default());
    for target in [host("1.2.3.4"), subnet("5.6.0.0/16"), subnet("2001:db8::/48")] {
        assert_eq!(told_until(&mut bench, &target, DAY), UNIX.after(DAY), "{target}");
        assert_eq!(told_until(&mut bench, &target, secs(3600)), UNIX.after(DAY), "{target}");
        assert_eq!(told_until(&mut bench, &target, 2 * DAY), UNIX.after(2 * DAY), "{target}");
    }
}

#[test]
fn a_ban_inside_a_banned_subnet_tells_the_end_of_the_wider_one_if_that_is_later() {
    let mut bench = Bench::new(Config::default());
    told_until(&mut bench, &subnet("1.0.0.0/8"), 9 * DAY);
    for inside in [host("1.2.3.4"), subnet("1.2.0.0/16")] {
        assert_eq!(told_until(&mut bench, &inside, DAY), UNIX.after(9 * DAY), "{inside}");
    }
    assert_eq!(told_until(&mut bench, &subnet("0.0.0.0/7"), DAY), UNIX.after(DAY), "it is wider");
}

/// Two connections of a host misbehave; the first closes with the ban, and what it did is told late.
#[test]
fn a_late_penalty_does_not_tell_of_an_earlier_end_than_the_ban_has() {
    let mut bench = Bench::new(with_listener(Config::default()));
    let conn = bench.accept("1.2.3.4:5000").expect("it is let in");
    let for_ever = told_until(&mut bench, &host("1.2.3.4"), Duration::MAX);
    let penalty = Penalty { persistent: 101, transient: 0 };
    let actions = bench.tell(Input::Misbehavior { conn, penalty });
    let until = events(&actions).into_iter().find_map(|event| match event {
        Event::Banned { until, .. } => Some(until),
        _ => None,
    });
    assert_eq!(until, Some(for_ever));
}

#[test]
fn a_part_of_a_banned_subnet_is_let_in_and_dialed_in_this_life_and_the_next() {
    let mut bench = Bench::new(with_listener(Config::default()));
    told_until(&mut bench, &subnet("1.2.0.0/16"), DAY);
    assert_eq!(bench.apply(&Input::Unban { target: host("1.2.3.4") }), Reply::Done(Ok(())));
    assert!(events(&bench.actions()).contains(&Event::Unbanned { target: host("1.2.3.4") }));
    let snapshot = bench.manager.snapshot();
    assert_eq!(bench.manager.bans()[0].exceptions, [host("1.2.3.4")]);
    assert!(bench.pass(secs(1)).contains(&Action::Save), "it is saved");
    let next_life = Bench::with_snapshot(with_listener(Config::default()), Some(snapshot));
    for mut bench in [bench, next_life] {
        assert!(bench.accept("1.2.3.4:5000").is_ok());
        assert_eq!(bench.accept("1.2.3.5:5000"), Err(Refusal::Banned));
        bench.actions();
        assert_eq!(dials(&bench.learn(&[addr("1.2.3.4:8333"), addr("1.2.3.5:8333")])).len(), 1);
        bench.add_peer("1.2.3.4:8334", Keep::Always);
    }
}

#[test]
fn a_let_in_part_that_misbehaves_is_banned_again() {
    let mut bench = Bench::new(with_listener(Config::default()));
    told_until(&mut bench, &subnet("1.2.0.0/16"), 2 * DAY);
    bench.apply(&Input::Unban { target: host("1.2.3.4") });
    let conn = bench.accept("1.2.3.4:5000").expect("it is let in");
    bench.actions();
    let actions = bench.tell(Input::Misbehavior { conn, penalty: Penalty { persistent: 101, transient: 0 } });
    let told = Event::Banned { target: host("1.2.3.4"), until: UNIX.after(2 * DAY) };
    assert!(events(&actions).contains(&told), "the wider ban covers it again");
    assert_eq!(bench.accept("1.2.3.4:5000"), Err(Refusal::Banned));
}

fn is_told_banned(bench: &Bench, host: &str) -> bool {
    let address = addr(&format!("[{host}]:8333"));
    bench.manager.explain(&address, bench.now).banned_until.is_some()
}

#[test]
fn an_ipv6_subnet_that_is_excepted_from_a_ban_of_twice_its_size_is_not_banned() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: subnet("2a00:1:2::/47"), duration: DAY });
    bench.tell(Input::Unban { target: subnet("2a00:1:2::/48") });
    let banned = ["2a00:1:2::1", "2a00:1:3::1"].map(|host| is_told_banned(&bench, host));
    assert_eq!(banned, [false, true]);
}

#[test]
fn a_new_ipv6_ban_ends_the_exceptions_inside_it_and_no_others() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: subnet("2a00::/16"), duration: DAY });
    for excepted in ["2a00:1:1::/48", "2a00:2:1::/48"] {
        bench.tell(Input::Unban { target: subnet(excepted) });
    }
    let banned = |bench: &Bench| ["2a00:1:1::1", "2a00:2:1::1"].map(|host| is_told_banned(bench, host));
    bench.tell(Input::Ban { target: subnet("1.2.0.0/16"), duration: DAY });
    assert_eq!(banned(&bench), [false, false]);
    bench.tell(Input::Ban { target: subnet("2a00:1::/32"), duration: DAY });
    assert_eq!(banned(&bench), [true, false]);
}

#[test]
fn a_lasting_penalty_does_not_lengthen_a_passing_one() {
    let mut score = BanScore::default();
    score.increase(penalty(0, 1 << 31), Time::ZERO);
    score.increase(penalty(1, 0), Time::from_secs(1000));
    let values = [1800, 1801].map(|secs| score.value(Time::from_secs(secs)));
    assert!(values[0] > 1 && values[1] == 1, "{values:?}");
}

#[test]
fn a_ban_without_an_end_wakes_nobody() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: Duration::MAX });
    bench.pass(secs(60));
    assert_eq!(bench.manager.poll_timeout(), None);
}

/// Also before the deadline at that moment is reported.
#[test]
fn at_its_end_a_ban_is_neither_told_nor_saved() {
    let mut bench = bench();
    bench.tell(Input::Ban { target: host("1.2.3.4"), duration: secs(60) });
    bench.pass(secs(60) - millis(1));
    assert_eq!((bench.manager.bans().len(), bench.manager.saved_bans().len()), (1, 1));
    bench.now = bench.now.after(millis(1));
    bench.tell(Input::Clock { unix: UNIX.after(secs(60)) });
    assert_eq!((bench.manager.bans(), bench.manager.saved_bans()), (vec![], vec![]));
}
