//! A manager born with a wrong wall clock, which is set later: then the book is as if the clock had been right from the
//! start, in this life and in the next.

mod support;

use connmgr_core::*;
use support::*;

const HOUR: std::time::Duration = secs(3600);
const DAY: std::time::Duration = secs(24 * 3600);
const YEAR: std::time::Duration = secs(365 * 24 * 3600);

const NEVER: UnixTime = UnixTime::from_secs(0);

/// What a machine may say that has no clock, or a wrong one: long ago, or long after.
fn wrong_clocks() -> Vec<UnixTime> {
    let dates = [0, 86_400, 946_684_800, 1_262_304_000, 1_577_836_800].map(UnixTime::from_secs);
    let behind = [10 * YEAR, YEAR, 61 * DAY, 60 * DAY, 59 * DAY, 30 * DAY, 10 * DAY].map(|wrong| UNIX.before(wrong));
    let ahead = [61 * DAY, YEAR, 10 * YEAR].map(|wrong| UNIX.after(wrong));
    [&dates[..], &behind, &ahead, &[UnixTime::from_secs(u64::MAX - 1)]].concat()
}

/// A node that ran for a hundred days has written this: some addresses are too old to be told, some were dialed, of
/// these some with success.
fn file() -> Snapshot {
    let saved = |(n, address): (u32, PeerAddress)| {
        let ago = |hours: u32| UNIX.before(HOUR * hours);
        let was_tried = n % 3 != 0;
        SavedAddress {
            address,
            services: Services::NETWORK,
            last_seen: ago(1 + n * 6),
            last_try: if was_tried { ago(1 + n * 12) } else { NEVER },
            last_success: if n % 3 == 1 { ago(1 + n * 12) } else { NEVER },
            failures: if n % 3 == 2 { n % 5 } else { 0 },
            v1_only: n % 7 == 0,
            source: SourceGroup::UNKNOWN,
            placement: Placement::Anew,
        }
    };
    let target = BanTarget::Host("5.5.5.5".parse().expect("it parses"));
    let ban = SavedBan { target, since: UNIX.before(HOUR), until: UNIX.after(DAY), exceptions: vec![] };
    Snapshot {
        addresses: (0..).zip(addresses(200)).map(saved).collect(),
        anchors: vec![],
        book_secret: None,
        bans: vec![ban],
    }
}

/// A manager that dials nobody but added peers.
fn life(snapshot: Option<&Snapshot>, unix: UnixTime) -> Bench {
    let mut config = with_listener(Config::default());
    config.limits.full = 0;
    Bench::born(Birth { config, snapshot: snapshot.cloned(), rng_seed: [7; 32], unix, now: Time::ZERO }, 1)
}

fn set(bench: &mut Bench, unix: UnixTime) {
    bench.tell(Input::Clock { unix });
}

fn seen(bench: &Bench, address: &PeerAddress) -> UnixTime {
    bench.manager.book().get(address).expect("it is known").last_seen
}

fn sample(bench: &mut Bench) -> Vec<AddressInfo> {
    match bench.apply(&Input::SampleAddresses { network: None, count: 1000 }) {
        Reply::Addresses(told) => told,
        other => panic!("not an answer to getaddr: {other:?}"),
    }
}

fn told(address: &PeerAddress, last_seen: UnixTime) -> AddressInfo {
    AddressInfo::new(address.clone()).services(Services::NETWORK | Services::WITNESS).last_seen(last_seen)
}

fn hear(bench: &mut Bench, source: Source, addresses: &[AddressInfo]) {
    bench.tell(Input::Addresses { source, addresses: addresses.to_vec() });
}

/// How many places a source's word earned an address depends on chance.
fn in_one_place(mut view: AddressView) -> AddressView {
    view.places = 1;
    view
}

/// A snapshot as one that says nothing about places.
fn nowhere(mut snapshot: Snapshot) -> Snapshot {
    snapshot.book_secret = None;
    snapshot.addresses.iter_mut().for_each(|saved| saved.placement = Placement::Anew);
    snapshot
}

/// Both know the same, tell the same and save the same.
#[track_caller]
fn assert_alike(left: &mut Bench, right: &mut Bench, born: UnixTime) {
    let books = [&*left, &*right].map(|bench| bench.manager.book());
    assert!(!books[1].is_empty());
    assert_eq!(books[0].len(), books[1].len(), "born {born}");
    for (left, right) in books[0].iter().zip(books[1].iter()) {
        assert_eq!(in_one_place(left), in_one_place(right), "born {born}");
    }
    assert_eq!(sample(left), sample(right), "born {born}");
    let saved = [left, right].map(|bench| nowhere(bench.manager.snapshot()));
    for (left, right) in saved[0].addresses.iter().zip(&saved[1].addresses) {
        assert_eq!(left, right, "born {born}");
    }
    assert_eq!(saved[0], saved[1], "born {born}");
}

#[test]
fn once_the_clock_is_set_the_book_is_as_if_it_had_been_right() {
    for born in wrong_clocks() {
        let (mut wrong, mut right) = (life(Some(&file()), born), life(Some(&file()), UNIX));
        wrong.pass(secs(100));
        right.pass(secs(100));
        set(&mut wrong, UNIX.after(secs(100)));
        assert_alike(&mut wrong, &mut right, born);
    }
}

#[test]
fn a_clock_that_is_set_wrong_first_and_right_later_is_right() {
    for born in wrong_clocks() {
        for first in wrong_clocks() {
            let (mut wrong, mut right) = (life(Some(&file()), born), life(Some(&file()), UNIX));
            set(&mut wrong, first);
            wrong.pass(secs(100));
            right.pass(secs(100));
            set(&mut wrong, UNIX.after(secs(100)));
            assert_alike(&mut wrong, &mut right, born);
        }
    }
}

/// Reports about known and new addresses, by the application and by a peer; a dial that fails and one that succeeds.
fn busy_minute(bench: &mut Bench, now: UnixTime) {
    let known = file().addresses;
    let newcomers = addresses(300).split_off(200);
    let source = Source::Peer(bench.accept("9.9.9.9:9").expect("it is let in"));
    let fresh = [0, 1, 50, 101].map(|n: usize| told(&known[n].address, now.before(HOUR)));
    hear(bench, Source::Application, &fresh);
    let aged = [2, 3, 51, 102].map(|n: usize| told(&known[n].address, now.before(3 * DAY)));
    hear(bench, source, &aged);
    let ages = [secs(0), HOUR, 2 * DAY, 20 * DAY, 40 * DAY, 50 * YEAR, 60 * YEAR];
    let new: Vec<_> = newcomers.iter().zip(ages).map(|(address, ago)| told(address, now.before(ago))).collect();
    hear(bench, Source::Application, &new);
    hear(bench, source, &[told(&newcomers[20], now), told(&newcomers[21], now.before(DAY))]);
    for (n, works) in [(7, true), (8, false)] {
        let (_, actions) = bench.add_peer(&known[n].address.to_string(), Keep::Once);
        let conn = dials(&actions)[0];
        if works {
            bench.connect(conn);
            bench.ready(conn);
            bench.close(conn);
        } else {
            bench.fail(conn, DialError::Refused);
        }
    }
}

#[test]
fn what_happens_before_the_clock_is_set_counts_as_with_a_right_one() {
    for born in wrong_clocks() {
        let (mut wrong, mut right) = (life(Some(&file()), born), life(Some(&file()), UNIX));
        for bench in [&mut wrong, &mut right] {
            busy_minute(bench, UNIX);
            bench.pass(secs(60));
        }
        set(&mut wrong, UNIX.after(secs(60)));
        assert_alike(&mut wrong, &mut right, born);
    }
}

#[test]
fn without_a_file_what_is_learnt_before_the_clock_is_set_has_its_age() {
    for born in [0, 86_400, 946_684_800, 1_262_304_000].map(UnixTime::from_secs) {
        let (mut wrong, mut right) = (life(None, born), life(None, UNIX));
        for bench in [&mut wrong, &mut right] {
            busy_minute(bench, UNIX);
            bench.pass(secs(60));
        }
        set(&mut wrong, UNIX.after(secs(60)));
        assert_alike(&mut wrong, &mut right, born);
    }
}

/// They are given an age, not a date.
#[test]
fn answers_of_seeds_are_as_old_as_with_a_right_clock() {
    let seeded = |unix| {
        let mut config = Config::default();
        config.seeds.names = vec![Seed::new(HostName::new("seed.example").expect("a name"))];
        config.default_port = 8333;
        let mut bench = Bench::born(Birth { config, snapshot: None, rng_seed: [7; 32], unix, now: Time::ZERO }, 1);
        let actions = bench.pass(secs(1));
        let lookup = actions.iter().find_map(|action| match action {
            Action::ResolveSeed { lookup, .. } => Some(*lookup),
            _ => None,
        });
        let ips = (1..=20).map(|n| ResolvedIp::from([11, n, 0, 1])).collect();
        bench.tell(Input::LookupResult { lookup: lookup.expect("the seed is asked"), result: Ok(ips) });
        bench
    };
    let (mut wrong, right) = (seeded(UnixTime::from_secs(0)), seeded(UNIX));
    set(&mut wrong, UNIX.after(secs(1)));
    let seen = |bench: &Bench| bench.manager.book().iter().map(|view| view.last_seen).collect::<Vec<_>>();
    assert_eq!(seen(&right).len(), 20);
    assert_eq!(seen(&wrong), seen(&right));
}

/// The power goes before the clock is set.
#[test]
fn a_life_that_ends_before_the_clock_is_set_loses_nothing_for_the_next() {
    for born in wrong_clocks() {
        let mut wrong = life(Some(&file()), born);
        wrong.pass(secs(100));
        let saved = nowhere(wrong.manager.snapshot());
        for (saved, on_file) in saved.addresses.iter().zip(&file().addresses) {
            assert_eq!(saved, on_file, "born {born}");
        }
        assert_eq!(saved, file(), "born {born}");
    }
}

#[test]
fn what_is_learnt_before_the_clock_is_set_keeps_its_date_on_file() {
    for born in [UnixTime::from_secs(0), UNIX.before(YEAR), UNIX.after(10 * YEAR)] {
        let mut wrong = life(Some(&file()), born);
        let new = addresses(201).pop().expect("one more");
        hear(&mut wrong, Source::Application, &[told(&new, UNIX.before(HOUR))]);
        let next = life(Some(&wrong.manager.snapshot()), UNIX.after(DAY));
        assert_eq!(seen(&next, &new), UNIX.before(HOUR), "born {born}");
    }
}

/// By the clock of 1970 its end would be long past in the next life.
#[test]
fn what_is_done_before_the_clock_is_set_is_not_before_all_else_on_file() {
    let target = BanTarget::Host("6.6.6.6".parse().expect("it parses"));
    let mut wrong = life(Some(&file()), UnixTime::from_secs(0));
    wrong.tell(Input::Ban { target: target.clone(), duration: DAY });
    let known = file().addresses[7].address.clone();
    let (_, actions) = wrong.add_peer(&known.to_string(), Keep::Once);
    wrong.connect(dials(&actions)[0]);
    wrong.ready(dials(&actions)[0]);
    wrong.pass(secs(60));
    let mut next = life(Some(&wrong.manager.snapshot()), UNIX.after(HOUR));
    assert_eq!(next.accept("6.6.6.6:6"), Err(Refusal::Banned));
    let success = next.manager.book().get(&known).and_then(|view| view.last_success);
    // An hour before now is the latest date on file.
    assert_eq!(success, Some(UNIX.before(HOUR)));
}

#[test]
fn a_wrong_clock_that_is_set_to_another_wrong_date_judges_the_book_by_that() {
    for to in [UNIX.before(YEAR), UNIX.after(YEAR)] {
        let (mut set_to_it, mut born_with_it) = (life(Some(&file()), NEVER), life(Some(&file()), to));
        set(&mut set_to_it, to);
        assert_alike(&mut set_to_it, &mut born_with_it, to);
    }
}

#[test]
fn a_date_in_the_future_is_not_saved_where_the_clock_fits() {
    let mut bench = life(Some(&file()), UNIX);
    let newcomer = addr("9.9.7.9:8333");
    hear(&mut bench, Source::Application, &[told(&newcomer, UNIX.after(10 * YEAR))]);
    let saved = bench.manager.snapshot().addresses;
    let saved = saved.iter().find(|saved| saved.address == newcomer).expect("it is known");
    assert!(saved.last_seen <= UNIX, "{}", saved.last_seen);
}

#[test]
fn once_it_was_right_a_step_of_the_clock_moves_no_age() {
    for to in [UNIX.after(YEAR), UNIX.before(YEAR), UNIX.after(8 * HOUR)] {
        let mut bench = life(Some(&file()), UnixTime::from_secs(0));
        set(&mut bench, UNIX);
        let ages = |bench: &Bench, unix: UnixTime| -> Vec<_> {
            bench.manager.book().iter().map(|view| unix.since(view.last_seen)).collect()
        };
        let before = ages(&bench, UNIX);
        set(&mut bench, to);
        assert_eq!(ages(&bench, to), before, "{to}");
    }
}

/// A machine without a battery goes on where it was switched off.
#[test]
fn a_clock_that_went_on_where_it_was_switched_off_is_mended() {
    let mut snapshot = file();
    snapshot.bans.clear();
    for off in [60 * DAY, 100 * DAY, 10 * YEAR] {
        let now = UNIX.after(off);
        let (mut stale, mut right) = (life(Some(&snapshot), UNIX), life(Some(&snapshot), now));
        for bench in [&mut stale, &mut right] {
            busy_minute(bench, now);
            bench.pass(secs(60));
        }
        set(&mut stale, now.after(secs(60)));
        assert_alike(&mut stale, &mut right, UNIX);
    }
}

#[test]
fn a_right_clock_that_is_set_moves_no_age() {
    let file = file();
    for (lived, to) in [(secs(0), 8 * HOUR), (secs(0), 50 * DAY), (HOUR, YEAR), (DAY, 10 * YEAR)] {
        let mut bench = life(Some(&file), UNIX);
        bench.pass(lived);
        let (before, after) = (UNIX.after(lived), UNIX.after(lived).after(to));
        let ages = |bench: &Bench, unix: UnixTime| -> Vec<_> {
            bench.manager.book().iter().map(|view| unix.since(view.last_seen)).collect()
        };
        let old = ages(&bench, before);
        set(&mut bench, after);
        assert_eq!(ages(&bench, after), old, "by {to:?} after {lived:?}");
        set(&mut bench, before);
        assert_eq!(ages(&bench, before), old, "back by {to:?}");
    }
}

/// It was off for three months, so its clock is in doubt; but it is right.
#[test]
fn what_a_node_hears_after_three_months_off_is_told_and_saved() {
    let now = UNIX.after(90 * DAY);
    let mut bench = life(Some(&file()), now);
    let known = file().addresses[4].address.clone();
    hear(&mut bench, Source::Application, &[told(&known, now.before(HOUR))]);
    assert_eq!(seen(&bench, &known), now.before(HOUR));
    let saved = bench.manager.snapshot().addresses;
    assert_eq!(saved.iter().find(|saved| saved.address == known).expect("it is saved").last_seen, now.before(HOUR));
}

/// A date that no clock would believe, told before the clock is set.
#[test]
fn a_lie_told_before_the_clock_is_set_takes_no_known_address_away() {
    let mut wrong = life(Some(&file()), UnixTime::from_secs(0));
    let known = file().addresses[4].clone();
    hear(&mut wrong, Source::Application, &[told(&known.address, UNIX.after(10 * YEAR))]);
    let on_file = wrong.manager.snapshot().addresses[4].last_seen;
    assert_eq!(on_file, known.last_seen);
    set(&mut wrong, UNIX);
    assert_eq!(seen(&wrong, &known.address), known.last_seen);
}

/// After a start in 1970 all that was dialed on the day before seems to be dialed just now.
#[test]
fn once_the_clock_is_set_addresses_that_have_rested_are_dialed() {
    let mut snapshot = file();
    snapshot.addresses.iter_mut().for_each(|saved| {
        (saved.last_try, saved.failures) = (UNIX.before(DAY), 5);
    });
    let birth = |unix| Birth {
        config: with_listener(Config::default()),
        snapshot: Some(snapshot.clone()),
        rng_seed: [7; 32],
        unix,
        now: Time::ZERO,
    };
    let mut bench = Bench::born(birth(UnixTime::from_secs(0)), 1);
    assert_eq!(dials(&bench.pass(secs(1))), []);
    let mut actions = bench.tell(Input::Clock { unix: UNIX });
    actions.extend(bench.pass(millis(100)));
    assert!(!dials(&actions).is_empty());
}

#[test]
fn once_the_clock_is_set_the_book_is_saved() {
    let mut bench = life(Some(&file()), UnixTime::from_secs(0));
    assert!(!bench.pass(HOUR).contains(&Action::Save), "nothing has changed");
    set(&mut bench, UNIX.after(HOUR));
    assert!(bench.pass(HOUR).contains(&Action::Save));
}
