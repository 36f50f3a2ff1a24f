//! When an added peer is dialed again.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

fn config(retry: Backoff) -> Config {
    Config { mode: Mode::ConnectOnly, retry, ..Config::default() }
}

fn plain(growth: Growth) -> Backoff {
    Backoff { growth, jitter: false, ..Backoff::default() }
}

/// Lets `count` dials of one added peer fail in a row, and returns the waits in seconds.
fn waits_after_failures(retry: Backoff, count: usize) -> Vec<u64> {
    let mut bench = Bench::new(config(retry));
    let (_, mut actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let mut all = Vec::new();
    for _ in 0..count {
        actions = bench.fail(dials(&actions)[0], DialError::Refused);
        let wait = waits(&actions, bench.now)[0];
        all.push(wait.as_secs());
        actions = bench.pass(wait);
    }
    all
}

#[test]
fn exponential_waits_double_up_to_the_cap() {
    assert_eq!(waits_after_failures(plain(Growth::Exponential), 9), [5, 10, 20, 40, 80, 160, 300, 300, 300]);
}

#[test]
fn linear_waits_are_those_of_btcd_and_the_60th_is_the_first_of_300_s() {
    let waits = waits_after_failures(plain(Growth::Linear), 62);
    assert_eq!((&waits[..3], &waits[57..]), (&[5, 10, 15][..], &[290, 295, 300, 300, 300][..]));
}

#[test]
fn jitter_spreads_waits_over_their_upper_half() {
    let plain = [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000].map(millis);
    let mut bench = Bench::new(config(Backoff::default()));
    let (_, mut actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    for most in plain {
        actions = bench.fail(dials(&actions)[0], DialError::Refused);
        let wait = waits(&actions, bench.now)[0];
        assert!(wait >= most / 2 && wait < most, "{wait:?} of {most:?}");
        actions = bench.pass(wait);
    }
}

#[test]
fn the_back_off_counts_from_the_end_of_the_attempt() {
    let mut bench = Bench::new(config(plain(Growth::Exponential)));
    bench.add_peer("1.2.3.4:8333", Keep::Always);
    let actions = bench.pass(secs(5));
    assert_eq!(retries(&actions)[0].1, Time::from_secs(5 + 5), "the dial took 5 s to time out");
}

#[test]
fn a_peer_that_accepts_and_closes_is_backed_off_from_like_any_other() {
    let mut world = World::new(config(plain(Growth::Exponential)), |_| Fate::HangsUp);
    world.add_peer("1.2.3.4:8333");
    world.run(secs(3600));
    // 0, 5, 15, 35, 75, 155, 315, then every 300 s.
    assert!((16..=18).contains(&world.dials.len()), "{} dials in an hour", world.dials.len());
}

/// Connects, stays ready for this long, and is lost, five times. Returns the last wait in seconds.
fn wait_after_lives_of(life: std::time::Duration) -> u64 {
    let mut bench = Bench::new(config(plain(Growth::Exponential)));
    let (_, mut actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let mut last = 0;
    for _ in 0..5 {
        let conn = dials(&actions)[0];
        bench.connect(conn);
        bench.ready(conn);
        bench.pass(life);
        actions = bench.close(conn);
        let wait = waits(&actions, bench.now)[0];
        last = wait.as_secs();
        actions = bench.pass(wait);
    }
    last
}

#[test]
fn a_minute_of_a_ready_connection_forgets_the_back_off() {
    assert_eq!(wait_after_lives_of(secs(60)), 5);
}

#[test]
fn less_than_a_minute_does_not() {
    assert_eq!(wait_after_lives_of(millis(59_999)), 80);
}

#[test]
fn a_minute_of_unfinished_handshake_does_not() {
    let mut config = config(plain(Growth::Exponential));
    config.handshake_timeout = secs(600);
    let mut bench = Bench::new(config);
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let actions = bench.fail(dials(&actions)[0], DialError::Refused);
    let wait = waits(&actions, bench.now)[0];
    let conn = dials(&bench.pass(wait))[0];
    bench.connect(conn);
    bench.pass(secs(300));
    assert_eq!(retries(&bench.close(conn))[0].2, 2);
}

#[test]
fn a_handshake_that_takes_a_minute_ends_the_connection() {
    let mut bench = Bench::new(config(Backoff::default()));
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    bench.connect(conn);
    assert!(closes(&bench.pass(millis(59_999))).is_empty());
    assert_eq!(closes(&bench.pass(millis(1))), [(conn, CloseReason::HandshakeTimeout)]);
}

#[test]
fn a_dial_takes_5_s_direct_at_the_most() {
    let mut bench = Bench::new(config(Backoff::default()));
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let conn = dials(&actions)[0];
    assert_eq!(closes(&bench.pass(secs(5))), [(conn, CloseReason::DialTimeout)]);
}

#[test]
fn the_id_of_a_peer_stays_the_same_and_its_connections_differ() {
    let mut bench = Bench::new(config(plain(Growth::Exponential)));
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let first = dials(&actions)[0];
    bench.fail(first, DialError::Refused);
    let second = dials(&bench.pass(secs(5)))[0];
    let view = bench.manager.added_peer(peer).expect("it is still added");
    assert!(second > first && view.state == PeerState::Dialing(second));
}

#[test]
fn a_waiting_peer_is_listed_with_its_next_retry() {
    let mut bench = Bench::new(config(plain(Growth::Exponential)));
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.fail(dials(&actions)[0], DialError::Refused);
    let view = bench.manager.added_peer(peer).expect("it is still added");
    let expected = (PeerState::Waiting, 1, Some(Time::from_secs(5)));
    assert_eq!((view.state, view.attempt, view.next_retry), expected);
}

#[test]
fn dial_now_ends_the_wait() {
    let mut bench = Bench::new(config(Backoff::default()));
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.fail(dials(&actions)[0], DialError::Refused);
    let now = dials(&bench.tell(Input::DialNow { peer })).len();
    let doubled = dials(&bench.tell(Input::DialNow { peer })).len();
    assert_eq!((now, doubled), (1, 0));
}

#[test]
fn thousands_of_requests_are_one_dial() {
    let mut bench = Bench::new(config(Backoff::default()));
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.fail(dials(&actions)[0], DialError::Refused);
    let count: usize = (0..5000).map(|_| dials(&bench.tell(Input::DialNow { peer })).len()).sum();
    assert_eq!(count, 1);
}

#[test]
fn reconnect_closes_and_dials_at_once() {
    for keep in [Keep::Always, Keep::Once] {
        let mut bench = Bench::new(config(Backoff::default()));
        let (_, actions) = bench.add_peer("1.2.3.4:8333", keep);
        let conn = dials(&actions)[0];
        bench.connect(conn);
        bench.ready(conn);
        let actions = bench.tell(Input::Reconnect { conn });
        assert_eq!((closes(&actions).len(), dials(&actions).len(), retries(&actions).len()), (1, 1, 0), "{keep:?}");
    }
}

#[test]
fn a_hundred_lost_at_once_do_not_come_back_in_one_instant() {
    let mut config = config(Backoff::default());
    config.limits.added = 100;
    let mut world = World::new(config, |_| Fate::Good);
    addresses(100).iter().for_each(|address| {
        world.add_peer(&address.to_string());
    });
    world.run(secs(120));
    world.goes_dark(Fate::Fails(DialError::Refused));
    let before = world.dials.len();
    world.run(secs(6));
    let instants: std::collections::BTreeSet<Time> = world.dials[before..].iter().map(|(at, _)| *at).collect();
    assert!(instants.len() > 90, "{} instants", instants.len());
}

#[test]
fn a_peer_may_have_a_back_off_of_its_own() {
    let mut bench = Bench::new(config(plain(Growth::Linear)));
    let (peer, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let retry = Backoff { base: secs(1), cap: secs(2), ..plain(Growth::Exponential) };
    assert_eq!(bench.apply(&Input::SetRetry { peer, retry: Some(retry) }), Reply::Done(Ok(())));
    let mut waits = Vec::new();
    let mut conn = dials(&actions)[0];
    for _ in 0..3 {
        let (_, at, _) = retries(&bench.fail(conn, DialError::Refused))[0];
        waits.push(at.since(bench.now).as_secs());
        conn = dials(&bench.pass(secs(2)))[0];
    }
    assert_eq!(waits, [1, 2, 2]);
}

#[test]
fn a_back_off_that_never_waits_is_refused() {
    let mut bench = Bench::new(config(plain(Growth::Linear)));
    let (peer, _) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    let retry = Backoff { base: secs(0), ..Backoff::default() };
    let reply = bench.apply(&Input::SetRetry { peer, retry: Some(retry) });
    assert_eq!(reply, Reply::Done(Err(CommandError::BadBackoff)));
}
