//! Inbound admission.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::*;

fn bench() -> Bench {
    Bench::new(with_listener(Config { mode: Mode::ConnectOnly, ..Config::default() }))
}

/// Accepts a connection from each remote, 5 s apart so that no rate is exceeded; each becomes ready at once if `ready`.
fn arrive(bench: &mut Bench, remotes: impl IntoIterator<Item = String>, ready: bool) -> Vec<Result<ConnId, Refusal>> {
    let mut arrive_one = |remote: String| {
        let conn = bench.accept(&remote);
        bench.actions();
        if let (Ok(conn), true) = (conn, ready) {
            bench.ready(conn);
        }
        bench.now = bench.now.after(secs(5));
        conn
    };
    remotes.into_iter().map(&mut arrive_one).collect()
}

fn refusals(results: &[Result<ConnId, Refusal>]) -> Vec<Refusal> {
    results.iter().filter_map(|result| result.err()).collect()
}

#[test]
fn who_is_let_in_is_announced_as_connected() {
    let mut bench = bench();
    let conn = bench.accept("1.2.3.4:5").expect("it is let in");
    let events = events(&bench.actions());
    assert!(
        matches!(&events[..], [Event::Connected(Connected { conn: who, kind: Kind::Inbound, .. })] if *who == conn)
    );
}

#[test]
fn one_host_has_five_connections() {
    let mut bench = bench();
    let results = arrive(&mut bench, (1..=6).map(|port| format!("1.2.3.4:{port}")), true);
    assert_eq!((refusals(&results), results[5]), (vec![Refusal::HostLimit], Err(Refusal::HostLimit)));
}

#[test]
fn ipv4_in_the_clothes_of_ipv6_is_the_same_host() {
    let mut bench = bench();
    arrive(&mut bench, (1..=5).map(|port| format!("1.2.3.4:{port}")), true);
    assert_eq!(bench.accept("[::ffff:1.2.3.4]:6"), Err(Refusal::HostLimit));
}

#[test]
fn one_v4_24_has_eight_unfinished_handshakes() {
    let mut bench = bench();
    let results = arrive(&mut bench, (1..=9).map(|n| format!("1.2.3.{n}:5")), false);
    assert_eq!(results[8], Err(Refusal::HalfOpenLimit));
    assert!(bench.accept("1.2.4.1:5").is_ok());
}

#[test]
fn one_v6_64_has_eight_unfinished_handshakes() {
    let mut bench = bench();
    let results = arrive(&mut bench, (1..=9).map(|n| format!("[2a00:1:2:3::{n}]:5")), false);
    assert_eq!(results[8], Err(Refusal::HalfOpenLimit));
    assert!(bench.accept("[2a00:1:2:4::1]:5").is_ok());
}

#[test]
fn finished_handshakes_are_not_half_open() {
    let mut bench = bench();
    let results = arrive(&mut bench, (1..=20).map(|n| format!("1.2.3.{n}:5")), true);
    assert_eq!(refusals(&results), []);
}

#[test]
fn an_unfinished_handshake_ends_after_a_minute_and_makes_room() {
    let mut bench = bench();
    arrive(&mut bench, (1..=8).map(|n| format!("1.2.3.{n}:5")), false);
    let closed = closes(&bench.pass(secs(60)));
    assert_eq!((closed.len(), closed[0].1), (8, CloseReason::HandshakeTimeout));
    assert!(bench.accept("1.2.3.9:5").is_ok());
}

#[test]
fn one_group_connects_three_times_at_once_and_then_every_five_seconds() {
    let mut bench = bench();
    let mut tries = |count: u32| (0..count).filter(|n| bench.accept(&format!("1.2.3.{}:5", n + 1)).is_ok()).count();
    assert_eq!(tries(5), 3);
    bench.now = Time::from_secs(5);
    let mut tries = |count: u32| (0..count).filter(|n| bench.accept(&format!("1.2.3.{}:6", n + 1)).is_ok()).count();
    assert_eq!(tries(5), 1);
}

/// A dial of the v2 transport, whose first bytes the application can't read.
fn junk(bench: &mut Bench, port: u16) -> bool {
    let accepted = bench.accept(&format!("1.2.3.4:{port}"));
    if let Ok(conn) = accepted {
        bench.apply(&Input::Dropped { conn });
    }
    accepted.is_ok()
}

#[test]
fn a_handshake_that_the_application_drops_costs_no_token_of_its_group() {
    let mut bench = bench();
    assert!((0..8).all(|port| junk(&mut bench, port)));
    for (cause, ready) in [(Some(CloseCause::Eof), false), (None, true), (Some(CloseCause::Reset), false)] {
        let conn = bench.accept("1.2.3.4:100").expect("a token of the burst");
        bench.actions();
        if ready {
            bench.ready(conn);
        }
        bench.apply(&cause.map_or(Input::Dropped { conn }, |cause| Input::Closed { conn, cause }));
    }
    assert_eq!(bench.accept("1.2.3.4:101"), Err(Refusal::RateLimit));
}

#[test]
fn seven_nodes_behind_one_address_that_try_v2_first_are_in_within_30_s() {
    let mut config = Config::default();
    config.inbound.per_host = 16;
    let mut bench = Bench::new(with_listener(config));
    let mut outside = 7;
    while outside > 0 {
        // The worst order: all try v2 first, so that a token that is given back goes to the next v2 dial.
        for port in 0..outside {
            junk(&mut bench, port);
        }
        for port in 100..100 + outside {
            if let Ok(conn) = bench.accept(&format!("1.2.3.4:{port}")) {
                bench.ready(conn);
                outside -= 1;
            }
        }
        bench.pass(Duration::from_millis(500));
    }
    assert!(bench.now <= Time::from_secs(30), "{}", bench.now);
}

#[test]
fn who_sends_nothing_but_junk_is_held_to_the_rate() {
    let mut bench = bench();
    let mut let_in = 0;
    for _ in 0..36_000 {
        let_in += u32::from(junk(&mut bench, 1));
        bench.pass(Duration::from_millis(100));
    }
    // An hour of the rate alone is 3 + 720.
    println!("junk let in within an hour: {let_in}");
    assert!((723..=723 + 8 + 60).contains(&let_in), "{let_in}");
}

#[test]
fn who_tries_v2_first_gets_in_within_a_minute_of_junk_from_its_group() {
    let mut bench = bench();
    let let_in = (0..20).filter(|port| junk(&mut bench, *port)).count();
    assert_eq!(let_in, 11, "the burst, and as many as are given back");
    loop {
        junk(&mut bench, 1);
        if bench.accept("1.2.3.4:2").is_ok() {
            break;
        }
        bench.pass(Duration::from_millis(500));
    }
    assert!(bench.now <= Time::from_secs(60), "{}", bench.now);
}

#[test]
fn a_refused_connection_costs_nothing_but_its_rate() {
    let mut bench = bench();
    let results: Vec<_> = (0..100).map(|n| bench.accept(&format!("1.2.3.4:{n}"))).collect();
    assert_eq!((refusals(&results).len(), bench.manager.connections().len()), (97, 3));
}

#[test]
fn the_port_makes_no_other_host() {
    let mut bench = bench();
    let results: Vec<_> = [1, 2, 3, 4].map(|port| bench.accept(&format!("1.2.3.4:{port}"))).into();
    assert_eq!(results[3], Err(Refusal::RateLimit));
}

#[test]
fn the_total_less_what_is_reserved_may_come_in() {
    let mut bench = Bench::new(with_listener(Config::default()));
    let results = arrive(&mut bench, (0..130).map(|n| format!("1.{n}.3.4:5")), true);
    assert_eq!((results.iter().filter(|r| r.is_ok()).count(), results[129]), (117, Err(Refusal::Full)));
}

#[test]
fn no_limit_spares_everything_but_the_total() {
    let mut config = with_listener(Config::default());
    config.listeners[0].permissions.no_limit = true;
    let mut bench = Bench::new(config);
    let results: Vec<_> = (0..130).map(|port| bench.accept(&format!("1.2.3.4:{port}"))).collect();
    assert_eq!((refusals(&results).len(), results[129]), (13, Err(Refusal::Full)));
}

#[test]
fn on_an_onion_listener_hosts_are_not_told_apart_but_the_listener_has_a_limit() {
    let mut config = with_listener(Config::default());
    config.listeners[0].network = Some(NetworkKind::Onion);
    let mut bench = Bench::new(config);
    let ready = arrive(&mut bench, (1..=20).map(|port| format!("127.0.0.1:{port}")), true);
    let half_open = arrive(&mut bench, (21..=29).map(|port| format!("127.0.0.1:{port}")), false);
    assert_eq!((refusals(&ready), refusals(&half_open)), (vec![], vec![Refusal::HalfOpenLimit]));
}

#[test]
fn nobody_comes_in_by_an_unknown_listener() {
    let mut bench = bench();
    let remote = "1.2.3.4:5".parse().expect("it parses");
    let reply = bench.apply(&Input::Accept { remote, listener: ListenerId(7) });
    assert_eq!(reply, Reply::Accepted(Err(Refusal::UnknownListener)));
}

#[test]
fn nobody_comes_in_while_inactive() {
    let mut bench = bench();
    bench.tell(Input::SetActive { active: false });
    assert_eq!(bench.accept("1.2.3.4:5"), Err(Refusal::Inactive));
}

/// The pauses after accept errors, in milliseconds.
fn pauses(bench: &mut Bench, count: usize) -> Vec<u128> {
    let mut pause = || {
        let actions = bench.tell(Input::AcceptError { listener: ListenerId(0) });
        let until = actions.iter().find_map(|action| match action {
            Action::PauseAccept { until, .. } => Some(*until),
            _ => None,
        });
        let wait = until.expect("accepting pauses").since(bench.now);
        bench.now = bench.now.after(wait);
        wait.as_millis()
    };
    (0..count).map(|_| pause()).collect()
}

#[test]
fn accept_errors_pause_accepting_from_50_ms_to_5_s() {
    let waits = pauses(&mut bench(), 10);
    assert_eq!(waits, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
}

#[test]
fn a_connection_that_comes_in_ends_the_growth_of_pauses() {
    let mut bench = bench();
    pauses(&mut bench, 5);
    bench.accept("1.2.3.4:5").expect("it is let in");
    bench.actions();
    assert_eq!(pauses(&mut bench, 1), [50]);
}
