//! The two clocks: decisions use the monotonic one, dates the wall clock.

mod support;

use connmgr_core::*;
use support::world::*;
use support::*;

const DAY: std::time::Duration = secs(24 * 3600);
const YEAR: std::time::Duration = secs(365 * 24 * 3600);

/// A manager with connections, dials, bans and waits.
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

/// The five minutes after a step of the wall clock are the same as without the step.
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
    let ban = SavedBan { target, since: UNIX.after(YEAR), until: UNIX.after(YEAR).after(DAY), exceptions: vec![] };
    let snapshot = Snapshot { bans: vec![ban], ..Snapshot::default() };
    let mut bench = Bench::with_snapshot(with_listener(Config::default()), Some(snapshot));
    bench.pass(DAY - millis(1));
    assert_eq!(bench.accept("5.5.5.5:5"), Err(Refusal::Banned));
    bench.pass(millis(1));
    assert!(bench.accept("5.5.5.5:5").is_ok());
}

/// The wall clock was a year ahead when the ban began, and is corrected later. Every snapshot has the ban until it
/// ends.
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

/// A life that begins with these bans, while the wall clock says `unix`.
fn life(bans: &[SavedBan], unix: UnixTime) -> Bench {
    let snapshot = Some(Snapshot { bans: bans.to_vec(), ..Snapshot::default() });
    let config = with_listener(Config::default());
    Bench::born(Birth { config, snapshot, rng_seed: [7; 32], unix, now: Time::ZERO }, 1)
}

/// Bans of a day, of ten years and for ever, as a file has them.
fn bans_on_file() -> Vec<SavedBan> {
    let target = |text: &str| BanTarget::Host(text.parse().expect("it parses"));
    let since = UNIX.before(secs(3600));
    vec![
        SavedBan { target: target("5.5.5.5"), since, until: since.after(DAY), exceptions: vec![] },
        SavedBan { target: target("6.6.6.6"), since, until: since.after(10 * YEAR), exceptions: vec![] },
        SavedBan { target: target("7.7.7.7"), since, until: UnixTime::from_secs(u64::MAX), exceptions: vec![] },
    ]
}

#[test]
fn a_boot_without_a_clock_loses_no_ban() {
    let file = bans_on_file();
    for unix in [UnixTime::from_secs(0), UnixTime::from_secs(86_400), UNIX.before(61 * DAY), UNIX.before(YEAR)] {
        let mut bench = life(&file, unix);
        assert_eq!(bench.accept("5.5.5.5:5"), Err(Refusal::Banned), "{unix}");
        assert_eq!(bench.manager.saved_bans(), file, "{unix}");
        // The clock is set, and the next life begins with what was saved.
        step(&mut bench, UNIX);
        let next = life(&bench.manager.saved_bans(), UNIX);
        assert_eq!(next.manager.saved_bans(), file, "{unix}");
        assert_eq!(next.manager.bans().len(), 3, "{unix}");
    }
}

#[test]
fn a_clock_that_is_set_while_running_changes_no_date_on_file() {
    for to in [UNIX.after(YEAR), UNIX.before(YEAR), UnixTime::from_secs(0)] {
        let mut bench = life(&bans_on_file(), UNIX);
        step(&mut bench, to);
        assert_eq!(bench.manager.saved_bans(), bans_on_file(), "{to}");
    }
}

/// An address that was dialed an hour ago: who starts with it knows that the clock may be right.
fn recent() -> SavedAddress {
    let mut bench = Bench::new(Config::default());
    let conn = dials(&bench.learn(&addresses(1)))[0];
    bench.connect(conn);
    bench.ready(conn);
    let mut saved = bench.manager.snapshot().addresses.remove(0);
    (saved.last_seen, saved.last_try, saved.last_success) = (UNIX, UNIX, UNIX);
    saved
}

#[test]
fn once_the_clock_is_set_a_restored_ban_ends_as_its_file_says() {
    let mut bench = life(&bans_on_file(), UnixTime::from_secs(0));
    bench.pass(secs(7200));
    step(&mut bench, UNIX.after(secs(7200)));
    let ends: Vec<_> = bench.manager.bans().iter().map(|ban| ban.until).collect();
    assert_eq!(ends[..2], [bans_on_file()[0].until, bans_on_file()[1].until]);
    bench.pass(DAY - secs(3 * 3600) - millis(1));
    assert_eq!(bench.accept("5.5.5.5:5"), Err(Refusal::Banned));
    bench.pass(millis(1));
    assert!(bench.accept("5.5.5.5:5").is_ok());
}

#[test]
fn a_boot_with_a_clock_far_ahead_loses_no_ban() {
    let file = bans_on_file();
    for unix in [UNIX.after(61 * DAY), UNIX.after(11 * YEAR), UnixTime::from_secs(u64::MAX - 1)] {
        let mut bench = life(&file, unix);
        assert_eq!(bench.manager.saved_bans(), file, "{unix}");
        bench.accept("5.5.5.5:5").expect("by this clock its ban is over");
        let closed = closes(&step(&mut bench, UNIX));
        assert!(closed.iter().any(|(_, reason)| *reason == CloseReason::Banned), "{unix}: {closed:?}");
        assert_eq!(bench.accept("5.5.5.5:5"), Err(Refusal::Banned), "{unix}");
        assert_eq!(bench.manager.saved_bans(), file, "{unix}");
    }
}

#[test]
fn a_ban_that_has_ended_leaves_the_file_where_the_clock_may_be_right() {
    let ended = SavedBan { until: UNIX.before(secs(60)), ..bans_on_file()[0].clone() };
    // What says that the clock may be right: an address, or the ban itself.
    for addresses in [vec![recent()], vec![]] {
        let snapshot = Snapshot { bans: vec![ended.clone()], addresses, ..Snapshot::default() };
        let bench = Bench::with_snapshot(Config::default(), Some(snapshot));
        assert_eq!(bench.manager.saved_bans(), []);
    }
}

#[test]
fn of_bans_that_have_ended_by_a_doubtful_clock_no_more_stay_on_file_than_allowed() {
    let snapshot = Some(Snapshot { bans: bans_on_file()[..2].to_vec(), ..Snapshot::default() });
    let (config, unix) = (Config { max_bans: 1, ..Config::default() }, UnixTime::from_secs(u64::MAX - 1));
    let bench = Bench::born(Birth { config, snapshot, rng_seed: [7; 32], unix, now: Time::ZERO }, 1);
    assert_eq!(bench.manager.saved_bans().len(), 1);
}

/// It began in 2036, by the clock of then: where that of today may be right, it ends a day later however often the node
/// starts.
#[test]
fn a_ban_given_by_a_clock_that_was_ahead_does_not_begin_anew_at_each_start() {
    let since = UNIX.after(10 * YEAR);
    let target = bans_on_file()[0].target.clone();
    let mut snapshot = Snapshot {
        bans: vec![SavedBan { target, since, until: since.after(DAY), exceptions: vec![] }],
        addresses: vec![recent()],
        ..Snapshot::default()
    };
    for hours in [0, 10, 20] {
        let unix = UNIX.after(secs(hours * 3600));
        let config = with_listener(Config::default());
        let birth = Birth { config, snapshot: Some(snapshot), rng_seed: [7; 32], unix, now: Time::ZERO };
        let bench = Bench::born(birth, 1);
        assert_eq!(bench.manager.bans()[0].until, UNIX.after(DAY), "{hours}");
        snapshot = bench.manager.snapshot();
    }
}

/// Also one that was made in this life.
#[test]
fn the_exceptions_of_a_restored_ban_stand_when_the_clock_is_set() {
    let subnet = BanTarget::Subnet("5.5.0.0/16".parse().expect("a subnet"));
    let part = |text: &str| BanTarget::Host(text.parse().expect("it parses"));
    let since = UNIX.before(secs(3600));
    let ban = SavedBan { target: subnet, since, until: since.after(YEAR), exceptions: vec![part("5.5.5.5")] };
    let mut bench = life(&[ban], UnixTime::from_secs(0));
    bench.tell(Input::Unban { target: part("5.5.6.6") });
    step(&mut bench, UNIX);
    let answers = ["5.5.5.5:5", "5.5.6.6:5", "5.5.7.7:5"].map(|remote| bench.accept(remote).err());
    assert_eq!(answers, [None, None, Some(Refusal::Banned)]);
    assert_eq!(bench.manager.saved_bans()[0].exceptions, [part("5.5.5.5"), part("5.5.6.6")]);
}

#[test]
fn a_lapsed_ban_that_is_given_anew_does_not_come_back() {
    let target = bans_on_file()[0].target.clone();
    let mut bench = life(&bans_on_file()[..1], UNIX.after(YEAR));
    bench.tell(Input::Ban { target, duration: secs(60) });
    bench.pass(secs(61));
    step(&mut bench, UNIX);
    assert!(bench.accept("5.5.5.5:5").is_ok());
}

#[test]
fn a_restored_ban_that_is_prolonged_is_saved_with_its_new_dates() {
    let mut bench = life(&bans_on_file()[..1], UNIX);
    let target = bans_on_file()[0].target.clone();
    bench.tell(Input::Ban { target: target.clone(), duration: 2 * DAY });
    assert_eq!(
        bench.manager.saved_bans(),
        [SavedBan { target, since: UNIX, until: UNIX.after(2 * DAY), exceptions: vec![] }]
    );
}

#[test]
fn a_loaded_ban_that_has_ended_is_none() {
    let target = BanTarget::Host("5.5.5.5".parse().expect("it parses"));
    let ban = SavedBan { target, since: UNIX.before(2 * DAY), until: UNIX.before(DAY), exceptions: vec![] };
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

/// The monotonic clock goes on during suspend, without any call.
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

fn ten_years_either_way() -> [UnixTime; 2] {
    [UNIX.after(10 * YEAR), UNIX.before(10 * YEAR)]
}

/// A hundred addresses, each last seen an hour before the one before it.
fn seen_hour_by_hour() -> Vec<AddressInfo> {
    let hours = (0..100).map(|hours| secs(hours * 3600));
    let info = |(address, ago)| AddressInfo::new(address).services(Services::NETWORK).last_seen(UNIX.before(ago));
    addresses(100).into_iter().zip(hours).map(info).collect()
}

/// A manager that dials no one.
fn quiet() -> Bench {
    let mut config = Config::default();
    config.limits.full = 0;
    Bench::new(config)
}

fn sample(bench: &mut Bench) -> Vec<AddressInfo> {
    match bench.apply(&Input::SampleAddresses { network: None, count: 1000 }) {
        Reply::Addresses(told) => told,
        other => panic!("not an answer to getaddr: {other:?}"),
    }
}

#[test]
fn a_step_of_the_wall_clock_empties_no_sample() {
    for to in [ten_years_either_way().as_slice(), &[UnixTime::from_secs(0), UnixTime::from_secs(u64::MAX)]].concat() {
        let mut bench = quiet();
        bench.tell(Input::Addresses { source: Source::Application, addresses: seen_hour_by_hour() });
        step(&mut bench, to);
        assert_eq!(sample(&mut bench).len(), 23, "{to}");
        bench.pass(secs(31 * 24 * 3600));
        assert!(sample(&mut bench).is_empty(), "{to}: a month later they are as old as without a step");
    }
}

#[test]
fn a_step_of_the_wall_clock_leaves_every_address_as_old_as_it_was() {
    for to in ten_years_either_way() {
        let mut bench = quiet();
        let known = seen_hour_by_hour();
        bench.tell(Input::Addresses { source: Source::Application, addresses: known.clone() });
        bench.pass(millis(700));
        step(&mut bench, to);
        bench.pass(millis(700));
        let (unix, told) = (to.after(secs(1)), sample(&mut bench));
        assert_eq!(told.len(), 23);
        for info in told {
            let before = known.iter().find(|other| other.address == info.address).expect("it is known");
            assert_eq!(unix.since(info.last_seen), UNIX.since(before.last_seen) + secs(1));
        }
    }
}

#[test]
fn gossip_that_comes_after_a_step_is_dated_by_the_clock_of_then() {
    for to in ten_years_either_way() {
        let mut bench = quiet();
        step(&mut bench, to);
        let last_seen = to.before(secs(7200));
        let info = AddressInfo::new(addr("1.2.3.4:8333")).services(Services::NETWORK).last_seen(last_seen);
        bench.tell(Input::Addresses { source: Source::Application, addresses: vec![info.clone()] });
        let seen = |bench: &Bench| bench.manager.book().get(&info.address).map(|known| known.last_seen);
        assert_eq!(seen(&bench), Some(last_seen));
        // It moves with the clock when that is corrected.
        step(&mut bench, UNIX);
        assert_eq!(seen(&bench), Some(UNIX.before(secs(7200))));
    }
}

#[test]
fn what_is_saved_is_dated_by_the_clock_of_the_saving() {
    for to in ten_years_either_way() {
        let mut bench = Bench::new(Config::default());
        let conn = dials(&bench.learn(&addresses(1)))[0];
        bench.connect(conn);
        bench.ready(conn);
        bench.pass(secs(100));
        step(&mut bench, to);
        let saved = bench.manager.snapshot();
        let ago = to.before(secs(100));
        let times = |saved: &Snapshot| {
            let address = &saved.addresses[0];
            (address.last_seen, address.last_try, address.last_success)
        };
        // It is connected, so it needs no rest.
        assert_eq!(times(&saved), (ago, UnixTime::default(), ago));
        let again = ConnManager::new(Birth {
            config: Config::default(),
            snapshot: Some(saved.clone()),
            rng_seed: [7; 32],
            unix: to,
            now: Time::from_millis(1500),
        });
        assert_eq!(times(&again.expect("a good configuration").snapshot()), times(&saved));
    }
}

/// A machine without a hardware clock starts in 1970 and learns the time later.
#[test]
fn what_was_learnt_before_the_clock_was_right_is_none_the_older_for_it() {
    let config = quiet().manager.config().clone();
    let unix = UnixTime::from_secs(0);
    let mut bench = Bench::born(Birth { config, snapshot: None, rng_seed: [7; 32], unix, now: Time::ZERO }, 1);
    bench.learn(&addresses(100));
    bench.pass(secs(60));
    step(&mut bench, UNIX);
    let told = sample(&mut bench);
    assert_eq!(told.len(), 23);
    assert!(told.iter().all(|info| info.last_seen == UNIX), "as it was told");
}

/// The clock was ten years ahead when the state was saved, and is right after the restart.
#[test]
fn a_ban_that_was_saved_after_a_step_lasts_its_own_time_in_the_next_life() {
    let target = BanTarget::Host("5.5.5.5".parse().expect("it parses"));
    let mut bench = Bench::new(with_listener(Config::default()));
    bench.tell(Input::Ban { target, duration: DAY });
    step(&mut bench, UNIX.after(10 * YEAR));
    let again = Bench::with_snapshot(with_listener(Config::default()), Some(bench.manager.snapshot()));
    assert_eq!(again.manager.bans()[0].until, UNIX.after(DAY));
}
