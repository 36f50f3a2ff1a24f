//! Two clocks: one that decides, one that tells.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

const DAY: std::time::Duration = secs(24 * 3600);
const YEAR: std::time::Duration = secs(365 * 24 * 3600);

/// A manager in the middle of everything.
fn busy() -> Bench {
    let mut bench = Bench::new(with_listener(Config::default()));
    let actions = bench.learn(&addresses(200));
    dials(&actions).into_iter().take(3).for_each(|conn| {
        bench.connect(conn);
        bench.ready(conn);
    });
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.fail(dials(&actions)[0], DialError::Refused);
    bench.accept("9.9.9.9:5").expect("it is let in");
    bench.tell(Input::Ban { target: BanTarget::Subnet("5.5.0.0/16".parse().expect("it parses")), duration: DAY });
    bench
}

fn step(bench: &mut Bench, to: UnixTime) -> Vec<Action> {
    bench.tell(Input::Clock { unix: to })
}

#[test]
fn a_step_of_the_wall_clock_moves_no_deadline_and_drops_nobody() {
    for to in [UNIX.after(YEAR), UNIX.before(YEAR), UnixTime::from_secs(0), UnixTime::from_secs(u64::MAX)] {
        let mut bench = busy();
        let before = (bench.manager.poll_timeout(), bench.manager.connections());
        let actions = step(&mut bench, to);
        assert_eq!((bench.manager.poll_timeout(), bench.manager.connections(), actions), (before.0, before.1, vec![]));
    }
}

/// What happens in the five minutes after the clock was stepped is what happens without the step.
#[test]
fn a_step_of_the_wall_clock_changes_nothing_that_follows() {
    for to in [UNIX.after(YEAR), UNIX.before(YEAR)] {
        let (mut stepped, mut plain) = (busy(), busy());
        step(&mut stepped, to);
        let dialed = [&mut stepped, &mut plain].map(|bench| {
            let actions = bench.pass(secs(300));
            actions.into_iter().filter(|action| matches!(action, Action::Dial { .. } | Action::Close { .. })).count()
        });
        assert_eq!(dialed[0], dialed[1]);
    }
}

#[test]
fn a_ban_lasts_its_time_whatever_the_wall_clock_does() {
    let mut bench = busy();
    step(&mut bench, UNIX.after(YEAR));
    bench.pass(DAY - millis(1));
    assert_eq!(bench.accept("5.5.5.5:5"), Err(Refusal::Banned));
    bench.pass(millis(1));
    assert!(bench.accept("5.5.5.5:5").is_ok());
}

#[test]
fn a_ban_is_shown_by_the_wall_clock_of_today() {
    let mut bench = busy();
    step(&mut bench, UNIX.after(YEAR));
    assert_eq!(bench.manager.bans()[0].until, UNIX.after(YEAR).after(DAY));
}

#[test]
fn a_loaded_ban_ends_at_most_its_own_duration_from_now() {
    let target = BanTarget::Host("5.5.5.5".parse().expect("it parses"));
    let ban = SavedBan { target, since: UNIX.after(YEAR), until: UNIX.after(YEAR).after(DAY) };
    let snapshot = Snapshot { bans: vec![ban], ..Snapshot::default() };
    let mut bench = Bench::with_snapshot(with_listener(Config::default()), Some(snapshot));
    bench.pass(DAY - millis(1));
    assert_eq!(bench.accept("5.5.5.5:5"), Err(Refusal::Banned));
    bench.pass(millis(1));
    assert!(bench.accept("5.5.5.5:5").is_ok());
}

/// The wall clock was a year ahead when the ban was given, and is right again. The ban is in every snapshot until it ends.
#[test]
fn a_ban_given_by_a_clock_that_was_ahead_outlives_every_restart() {
    let target = BanTarget::Host("5.5.5.5".parse().expect("it parses"));
    let mut bench = Bench::new(with_listener(Config::default()));
    step(&mut bench, UNIX.after(YEAR));
    bench.tell(Input::Ban { target, duration: DAY });
    step(&mut bench, UNIX);
    for _ in 0..3 {
        bench = Bench::with_snapshot(with_listener(Config::default()), Some(bench.manager.snapshot()));
        assert_eq!(bench.manager.bans()[0].until, UNIX.after(DAY));
    }
}

#[test]
fn a_loaded_ban_that_has_ended_is_none() {
    let target = BanTarget::Host("5.5.5.5".parse().expect("it parses"));
    let ban = SavedBan { target, since: UNIX.before(2 * DAY), until: UNIX.before(DAY) };
    let snapshot = Snapshot { bans: vec![ban], ..Snapshot::default() };
    let bench = Bench::with_snapshot(Config::default(), Some(snapshot));
    assert!(bench.manager.bans().is_empty());
}

#[test]
fn a_loaded_last_seen_in_the_future_counts_as_five_days_ago() {
    let mut first_life = Bench::new(Config::default());
    first_life.learn(&addresses(1));
    let mut snapshot = first_life.manager.snapshot();
    snapshot.addresses[0].last_seen = UNIX.after(secs(60));
    let bench = Bench::with_snapshot(Config::default(), Some(snapshot));
    let seen = bench.manager.book().iter().next().map(|entry| entry.last_seen);
    assert_eq!(seen, Some(UNIX.before(5 * DAY)));
}

/// The monotonic clock goes on during suspend, and nobody calls.
#[test]
fn after_a_suspend_what_is_due_is_done_once() {
    let mut config = Config { mode: Mode::ConnectOnly, ..Config::default() };
    config.limits.added = 200;
    config.limits.total = 300;
    let mut bench = Bench::new(config);
    for address in addresses(100) {
        let (_, actions) = bench.add_peer(&address.to_string(), Keep::Always);
        bench.fail(dials(&actions)[0], DialError::Refused);
    }
    bench.now = Time::from_secs(8 * 3600);
    let mut dialed = dials(&bench.tell(Input::Timeout));
    dialed.extend(dials(&bench.pass(secs(1))));
    assert_eq!(dialed.len(), 100);
}

#[test]
fn waking_after_a_suspend_is_no_burst() {
    let mut world = World::new(Config::default(), |_| Fate::Good);
    world.learn(&addresses(500));
    world.run(secs(60));
    world.bench.now = world.bench.now.after(secs(8 * 3600));
    world.goes_dark(Fate::Good);
    world.run(secs(10));
    assert_eq!((world.dials.len(), world.ready()), (16, 8));
}

#[test]
fn an_earlier_now_counts_as_the_latest() {
    let mut bench = Bench::new(Config { mode: Mode::ConnectOnly, ..Config::default() });
    bench.pass(secs(1000));
    let (_, actions) = bench.add_peer("1.2.3.4:8333", Keep::Always);
    bench.now = Time::ZERO;
    let actions = bench.fail(dials(&actions)[0], DialError::Refused);
    assert!(retries(&actions)[0].1 >= Time::from_secs(1000));
}
