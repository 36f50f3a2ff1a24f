use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::*;
use crate::host::Host;

const UNIX: UnixTime = UnixTime::from_secs(1_700_000_000);
const NOW: Time = Time::from_secs(1_000_000);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const SOURCE: SourceGroup = SourceGroup(7);

const ANY: Choice = Choice {
    networks: NetworkSet::ALL,
    services: Services::NONE,
    default_port: 0,
    spacing: Duration::from_secs(600),
    min_spacing: Duration::from_secs(30),
};

/// A book, its clocks and its chances.
struct Desk {
    book: Book,
    rng: Rng,
    unix: UnixTime,
    now: Time,
}

impl Desk {
    fn new(max_addresses: u32) -> Self {
        let config = BookConfig { max_addresses, ..BookConfig::default() };
        Self { book: Book::new(&config, (1, 2)), rng: Rng::new([3; 32], 0), unix: UNIX, now: NOW }
    }

    /// A book of the first `count` IPv4 addresses, seen an hour ago.
    fn with(count: u32) -> Self {
        let mut desk = Self::new(100_000);
        for n in 0..count {
            assert!(desk.hear(&ipv4(n), UNIX.before(HOUR)), "address {n} is new");
        }
        desk
    }

    fn hear(&mut self, address: &PeerAddress, last_seen: UnixTime) -> bool {
        self.hear_of(address, Services::NONE, last_seen)
    }

    fn hear_of(&mut self, address: &PeerAddress, services: Services, last_seen: UnixTime) -> bool {
        let info = AddressInfo { address: address.clone(), services, last_seen };
        self.book.add(&info, SOURCE, self.unix, self.now, &mut self.rng)
    }

    fn wait(&mut self, wait: Duration) {
        self.unix = self.unix.after(wait);
        self.now = self.now.after(wait);
    }

    fn fail(&mut self, address: &PeerAddress) {
        self.book.record_try(address, self.now);
        self.book.record_failure(address, self.now);
    }

    fn succeed(&mut self, address: &PeerAddress, services: Services) {
        self.book.record_try(address, self.now);
        self.book.record_success(address, services, self.unix, self.now);
    }

    fn pick(&mut self, choice: &Choice) -> Option<PeerAddress> {
        self.book.pick(&mut self.rng, choice, self.now, |_| true)
    }

    /// What comes out of so many choices.
    fn picks(&mut self, choice: &Choice, count: u32) -> BTreeSet<PeerAddress> {
        (0..count).filter_map(|_| self.pick(choice)).collect()
    }

    fn view(&self, address: &PeerAddress) -> AddressView {
        self.book.get(address).expect("the address is known")
    }

    fn sample(&mut self, network: Option<NetworkKind>, count: u32) -> Vec<PeerAddress> {
        let infos = self.book.sample(&mut self.rng, network, count, self.unix);
        infos.into_iter().map(|info| info.address).collect()
    }

    /// The same address again, restored from what was saved of a book that holds nothing else.
    fn restored(saved: SavedAddress) -> Self {
        let mut desk = Self::new(10);
        desk.book.restore(&[saved], UNIX, NOW);
        desk
    }
}

fn ipv4(n: u32) -> PeerAddress {
    PeerAddress::new(Host::from(Ipv4Addr::from(0x0a00_0000 + n)), 8333)
}

fn ipv4_on_port(n: u32, port: u16) -> PeerAddress {
    PeerAddress::new(ipv4(n).host().clone(), port)
}

fn onion(n: u8) -> PeerAddress {
    PeerAddress::new(Host::Onion([n; 32]), 8333)
}

fn one_of_each_network() -> [PeerAddress; 5] {
    let ipv6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    [
        ipv4(1),
        PeerAddress::new(Host::Ip(ipv6.into()), 1),
        onion(1),
        PeerAddress::new(Host::I2p([1; 32]), 0),
        PeerAddress::new(Host::Cjdns(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1)), 8333),
    ]
}

fn saved(address: PeerAddress) -> SavedAddress {
    SavedAddress {
        address,
        services: Services::NETWORK,
        last_seen: UNIX.before(HOUR),
        last_try: UnixTime::default(),
        last_success: UnixTime::default(),
        failures: 0,
        v1_only: false,
    }
}

// ── what is kept

#[test]
fn an_address_is_new_once() {
    let mut desk = Desk::with(1);
    assert!(!desk.hear(&ipv4(0), UNIX));
    assert_eq!(desk.book.len(), 1);
}

#[test]
fn every_network_is_kept_and_names_are_not() {
    let mut desk = Desk::new(10);
    for (address, network) in one_of_each_network().into_iter().zip(NetworkKind::ALL) {
        assert!(desk.hear(&address, UNIX));
        assert_eq!(desk.view(&address).address, address);
        assert_eq!(desk.book.len_of(network), 1, "{network}");
    }
    assert!(!desk.hear(&"node.example:8333".parse().expect("a name"), UNIX));
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn the_same_bytes_in_two_networks_are_two_addresses() {
    let mut desk = Desk::new(10);
    assert!(desk.hear(&onion(9), UNIX));
    assert!(desk.hear(&PeerAddress::new(Host::I2p([9; 32]), 8333), UNIX));
}

#[test]
fn an_unbelievable_time_counts_as_five_days_ago() {
    let mut desk = Desk::new(10);
    for (n, (told, kept)) in [
        (UNIX.after(10 * MINUTE), UNIX.after(10 * MINUTE)),
        (UNIX.after(10 * MINUTE + SECOND), UNIX.before(5 * DAY)),
        (UnixTime::from_secs(u64::MAX), UNIX.before(5 * DAY)),
        (UnixTime::from_secs(99_999_999), UNIX.before(5 * DAY)),
        (UnixTime::from_secs(100_000_000), UnixTime::from_secs(100_000_000)),
    ]
    .into_iter()
    .enumerate()
    {
        let address = ipv4(u32::try_from(n).expect("few"));
        desk.hear(&address, told);
        assert_eq!(desk.view(&address).last_seen, kept, "told {told}");
    }
}

#[test]
fn hearsay_is_believed_to_be_two_hours_older() {
    assert_eq!(hearsay(UNIX, UNIX), UNIX.before(2 * HOUR));
    assert_eq!(hearsay(UNIX.after(HOUR), UNIX), UNIX.before(5 * DAY + 2 * HOUR));
}

#[test]
fn gossip_moves_a_time_forward_by_hours_or_days_only() {
    let check = |known: Duration, told: Duration, moves: bool| {
        let mut desk = Desk::new(10);
        desk.hear(&ipv4(0), UNIX.before(known));
        desk.hear(&ipv4(0), UNIX.before(told));
        let expected = if moves { told } else { known };
        assert_eq!(desk.view(&ipv4(0)).last_seen, UNIX.before(expected), "{told:?} told, {known:?} known");
    };
    check(2 * HOUR, HOUR, false);
    check(2 * HOUR + SECOND, HOUR, true);
    check(3 * DAY, 2 * DAY, false);
    check(3 * DAY + SECOND, 2 * DAY, true);
    check(HOUR, 2 * DAY, false);
}

#[test]
fn services_add_up_until_the_peer_tells_its_own() {
    let mut desk = Desk::new(10);
    desk.hear_of(&ipv4(0), Services::NETWORK, UNIX);
    desk.hear_of(&ipv4(0), Services::WITNESS, UNIX);
    assert_eq!(desk.view(&ipv4(0)).services, Services::NETWORK | Services::WITNESS);
    desk.succeed(&ipv4(0), Services::NETWORK_LIMITED);
    assert_eq!(desk.view(&ipv4(0)).services, Services::NETWORK_LIMITED);
}

#[test]
fn what_happened_is_kept_with_the_address() {
    let mut desk = Desk::with(1);
    desk.fail(&ipv4(0));
    assert_eq!((desk.view(&ipv4(0)).failures, desk.view(&ipv4(0)).last_try), (1, Some(NOW)));
    desk.wait(HOUR);
    desk.book.record_try(&ipv4(0), desk.now);
    desk.book.record_answered(&ipv4(0), desk.now);
    assert_eq!(desk.view(&ipv4(0)).failures, 1, "an answer alone clears nothing");
    desk.succeed(&ipv4(0), Services::NETWORK);
    let view = desk.view(&ipv4(0));
    assert_eq!((view.failures, view.last_success), (0, Some(UNIX.after(HOUR))));
}

#[test]
fn a_peer_that_knows_no_v2_is_remembered() {
    let mut desk = Desk::with(2);
    desk.book.set_v1_only(&ipv4(0));
    assert!(desk.book.is_v1_only(&ipv4(0)));
    assert!(!desk.book.is_v1_only(&ipv4(1)));
}

#[test]
fn an_unknown_address_is_no_trouble() {
    let mut desk = Desk::with(1);
    let before = desk.book.clone();
    desk.fail(&ipv4(9));
    desk.succeed(&ipv4(9), Services::NETWORK);
    desk.book.forgive(&ipv4(9));
    desk.book.set_v1_only(&ipv4(9));
    assert!(!desk.book.forget(&ipv4(9)));
    assert_eq!(desk.book, before);
}

#[test]
fn a_forgotten_address_is_gone() {
    let mut desk = Desk::with(3);
    assert!(desk.book.forget(&ipv4(1)));
    assert!(!desk.book.contains(&ipv4(1)));
    assert_eq!(desk.picks(&ANY, 100), BTreeSet::from([ipv4(0), ipv4(2)]));
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn an_outage_is_forgiven_but_dials_keep_their_distance() {
    let mut desk = Desk::with(1);
    desk.fail(&ipv4(0));
    desk.wait(HOUR);
    desk.fail(&ipv4(0));
    desk.book.forgive(&ipv4(0));
    desk.book.forgive(&ipv4(0));
    assert_eq!(desk.view(&ipv4(0)).failures, 1, "only the last failure, once");
    desk.wait(29 * SECOND);
    assert_eq!(desk.pick(&ANY), None);
    desk.wait(SECOND);
    assert_eq!(desk.pick(&ANY), Some(ipv4(0)));
}

#[test]
fn a_forgiven_address_is_no_worse_than_others() {
    let mut desk = Desk::with(2);
    desk.fail(&ipv4(0));
    desk.book.forgive(&ipv4(0));
    desk.wait(MINUTE);
    assert_eq!(desk.picks(&ANY, 30).len(), 2);
}

#[test]
fn forgiving_a_dial_that_goes_on_takes_back_no_earlier_failure() {
    let mut desk = Desk::with(1);
    desk.fail(&ipv4(0));
    desk.book.record_try(&ipv4(0), desk.now);
    desk.book.forgive(&ipv4(0));
    assert_eq!(desk.view(&ipv4(0)).failures, 1);
}

// ── a full book

#[test]
fn a_full_book_stays_full() {
    let mut desk = Desk::new(100);
    for n in 0..1000 {
        desk.hear(&ipv4(n), UNIX.before(DAY).after(SECOND * n));
        assert_eq!(desk.book.check(), Ok(()));
    }
    assert_eq!(desk.book.len(), 100);
}

#[test]
fn a_book_without_room_keeps_nothing() {
    let mut desk = Desk::new(0);
    assert!(!desk.hear(&ipv4(0), UNIX));
    desk.book.restore(&[saved(ipv4(0))], UNIX, NOW);
    assert!(desk.book.is_empty());
}

#[test]
fn a_terrible_address_makes_room_first() {
    let mut desk = Desk::new(3);
    desk.hear(&ipv4(0), UNIX.before(2 * DAY));
    desk.hear(&ipv4(1), UNIX);
    desk.hear(&ipv4(2), UNIX.before(HOUR));
    for _ in 0..3 {
        desk.fail(&ipv4(1));
    }
    desk.wait(2 * MINUTE);
    assert!(desk.hear(&ipv4(3), UNIX));
    assert!(!desk.book.contains(&ipv4(1)));
}

#[test]
fn a_newcomer_that_is_worth_no_more_is_refused() {
    let mut desk = Desk::new(2);
    desk.hear(&ipv4(0), UNIX.before(HOUR));
    desk.hear(&ipv4(1), UNIX.before(HOUR));
    assert!(!desk.hear(&ipv4(2), UNIX.before(HOUR)));
    assert!(desk.hear(&ipv4(3), UNIX));
}

#[test]
fn fresh_gossip_throws_out_no_good_peer() {
    let mut desk = Desk::new(8);
    for n in 0..8 {
        desk.hear(&ipv4(n), UNIX.before(20 * DAY));
        desk.succeed(&ipv4(n), Services::NETWORK);
    }
    desk.wait(HOUR);
    for n in 100..1000 {
        assert!(!desk.hear(&ipv4(n), desk.unix));
    }
}

#[test]
fn an_address_being_dialed_is_not_thrown_out() {
    let mut desk = Desk::new(1);
    desk.hear(&ipv4(0), UNIX.before(40 * DAY));
    desk.book.record_try(&ipv4(0), desk.now);
    desk.wait(59 * SECOND);
    assert!(!desk.hear(&ipv4(1), UNIX));
    desk.wait(SECOND);
    assert!(desk.hear(&ipv4(1), UNIX));
}

// ── what is terrible, seen by what is told to others

/// Whether one address among a hundred, after what `story` does to it and two minutes, is still told to others.
fn is_told_after(story: impl FnOnce(&mut Desk, &PeerAddress)) -> bool {
    let mut desk = Desk::new(100);
    story(&mut desk, &onion(1));
    desk.wait(2 * MINUTE);
    for n in 2..6 {
        desk.hear(&onion(n), desk.unix);
    }
    // Of five, one is told at a time: 200 answers miss none of them but by a chance of 0.8^200.
    (0..200).any(|_| desk.sample(None, 10).contains(&onion(1)))
}

#[test]
fn terrible_addresses_are_told_to_nobody() {
    let seen =
        |ago: Duration| move |desk: &mut Desk, address: &PeerAddress| assert!(desk.hear(address, UNIX.before(ago)));
    assert!(is_told_after(seen(30 * DAY - 2 * MINUTE)));
    assert!(!is_told_after(seen(30 * DAY - 2 * MINUTE + SECOND)));
    let failing = |times: u32| {
        move |desk: &mut Desk, address: &PeerAddress| {
            desk.hear(address, UNIX);
            (0..times).for_each(|_| desk.fail(address));
        }
    };
    assert!(is_told_after(failing(2)));
    assert!(!is_told_after(failing(3)));
    let failing_since = |times: u32, success: Duration| {
        move |desk: &mut Desk, address: &PeerAddress| {
            desk.hear(address, UNIX);
            desk.succeed(address, Services::NETWORK);
            desk.wait(success);
            (0..times).for_each(|_| desk.fail(address));
        }
    };
    assert!(is_told_after(failing_since(9, 7 * DAY)));
    assert!(is_told_after(failing_since(10, 7 * DAY - 2 * MINUTE)));
    assert!(!is_told_after(failing_since(10, 7 * DAY)));
}

#[test]
fn others_are_told_at_most_a_quarter_and_nothing_twice() {
    let mut desk = Desk::with(1000);
    desk.hear(&onion(1), UNIX);
    let told = desk.sample(None, u32::MAX);
    assert_eq!(told.len(), 230);
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 230);
    assert_eq!(desk.sample(None, 17).len(), 17);
    assert_eq!(desk.sample(None, 0).len(), 0);
}

#[test]
fn others_are_told_of_the_network_they_ask_for() {
    let mut desk = Desk::with(1000);
    (0..100).for_each(|n| assert!(desk.hear(&onion(n), UNIX)));
    let told = desk.sample(Some(NetworkKind::Onion), 1000);
    assert_eq!(told.len(), 23);
    assert!(told.iter().all(|address| address.network() == Some(NetworkKind::Onion)));
    assert_eq!(desk.sample(Some(NetworkKind::I2p), 1000), []);
}

#[test]
fn in_time_others_are_told_everything() {
    let mut desk = Desk::with(100);
    let told: BTreeSet<_> = (0..100).flat_map(|_| desk.sample(None, 23)).collect();
    assert_eq!(told.len(), 100);
}

#[test]
fn a_success_is_not_told_by_the_last_seen() {
    let mut desk = Desk::with(1);
    desk.succeed(&ipv4(0), Services::NETWORK);
    assert_eq!(desk.view(&ipv4(0)).last_seen, UNIX.before(HOUR));
}

// ── choosing

#[test]
fn nothing_comes_of_an_empty_book() {
    assert_eq!(Desk::new(10).pick(&ANY), None);
    let elsewhere = Choice { networks: NetworkSet::EMPTY.with(NetworkKind::I2p), ..ANY };
    assert_eq!(Desk::with(3).pick(&elsewhere), None);
}

#[test]
fn exactly_ten_minutes_later_is_late_enough() {
    let mut desk = Desk::with(2);
    let [early, late] = [ipv4(0), ipv4(1)];
    desk.book.record_try(&early, NOW);
    desk.book.record_try(&late, NOW.after(Duration::from_nanos(1)));
    desk.wait(10 * MINUTE);
    assert_eq!(desk.picks(&ANY, 100), BTreeSet::from([early]), "30 candidates pass before the other may be");
}

#[test]
fn an_address_tried_lately_is_better_than_none() {
    let mut desk = Desk::with(1);
    desk.fail(&ipv4(0));
    desk.wait(30 * SECOND);
    assert_eq!(desk.pick(&ANY), Some(ipv4(0)));
}

#[test]
fn a_tiny_book_is_never_dialed_in_a_storm() {
    let mut desk = Desk::with(3);
    let mut dials = 0;
    for _ in 0..3600 {
        desk.wait(SECOND);
        while let Some(address) = desk.pick(&ANY) {
            desk.fail(&address);
            dials += 1;
        }
    }
    assert_eq!(dials, 3 * 3600 / 30, "each address once in 30 s, and not less");
}

#[test]
fn a_hundred_bad_then_one_good_is_found() {
    let mut desk = Desk::with(100);
    for n in 0..100 {
        (0..8).for_each(|_| desk.fail(&ipv4(n)));
    }
    desk.wait(MINUTE);
    desk.hear(&ipv4(100), desk.unix);
    let good = (0..100).filter(|_| desk.pick(&ANY) == Some(ipv4(100))).count();
    assert!(good >= 20, "found {good} times in 100, one among a hundred and one");
}

#[test]
fn of_bad_addresses_only_one_is_taken_all_the_same() {
    let mut desk = Desk::with(1000);
    for n in 0..1000 {
        (0..20).for_each(|_| desk.fail(&ipv4(n)));
    }
    desk.wait(MINUTE);
    assert!((0..100).all(|_| desk.pick(&ANY).is_some()));
}

#[test]
fn failures_make_an_address_less_likely() {
    let mut desk = Desk::with(2);
    (0..4).for_each(|_| desk.fail(&ipv4(0)));
    desk.wait(HOUR);
    let bad = (0..10_000).filter(|_| desk.pick(&ANY) == Some(ipv4(0))).count();
    // 0.66^4 = 0.19: taken in about one of nine choices.
    assert!((800..1600).contains(&bad), "{bad} of 10000");
}

#[test]
fn other_ports_come_after_fifty_candidates() {
    let mut desk = Desk::new(100);
    let odd = ipv4_on_port(0, 22);
    desk.hear(&odd, UNIX);
    let choice = Choice { default_port: 8333, ..ANY };
    assert_eq!(desk.pick(&choice), Some(odd.clone()), "better than none");
    desk.hear(&ipv4(1), UNIX);
    assert_eq!(desk.picks(&choice, 100), BTreeSet::from([ipv4(1)]));
    assert_eq!(desk.picks(&ANY, 100).len(), 2, "no preference, no difference");
}

#[test]
fn i2p_has_no_ports_to_prefer() {
    let mut desk = Desk::new(100);
    let [_, _, onion, i2p, _] = one_of_each_network();
    desk.hear(&onion, UNIX);
    desk.hear(&i2p, UNIX);
    assert_eq!(desk.picks(&Choice { default_port: 8333, ..ANY }, 100).len(), 2);
}

#[test]
fn what_lacks_services_is_not_chosen_but_what_may_have_them_is() {
    let mut desk = Desk::new(10);
    desk.hear_of(&ipv4(0), Services::NETWORK, UNIX);
    desk.hear_of(&ipv4(1), Services::NETWORK | Services::WITNESS, UNIX);
    desk.hear_of(&ipv4(2), Services::NONE, UNIX);
    desk.hear_of(&ipv4(3), Services::NONE, UNIX);
    desk.succeed(&ipv4(3), Services::NONE);
    desk.wait(HOUR);
    let choice = Choice { services: Services::WITNESS, ..ANY };
    assert_eq!(desk.picks(&choice, 100), BTreeSet::from([ipv4(1), ipv4(2)]));
}

#[test]
fn networks_are_drawn_by_their_size() {
    let mut desk = Desk::with(900);
    (0..100).for_each(|n| assert!(desk.hear(&onion(n), UNIX)));
    let onions =
        (0..10_000).filter_map(|_| desk.pick(&ANY)).filter(|a| a.network() == Some(NetworkKind::Onion)).count();
    assert!((850..1150).contains(&onions), "{onions} of 10000, a tenth of the book");
}

#[test]
fn a_rare_network_is_found_at_once() {
    let mut desk = Desk::with(50_000);
    desk.hear(&onion(1), UNIX);
    let choice = Choice { networks: NetworkSet::EMPTY.with(NetworkKind::Onion), ..ANY };
    assert_eq!(desk.pick(&choice), Some(onion(1)));
}

#[test]
fn the_only_allowed_of_a_hundred_is_found_every_time() {
    let mut desk = Desk::with(100);
    for n in 0..100 {
        let only = ipv4(n);
        let found = desk.book.pick(&mut desk.rng, &ANY, NOW, |address| *address == only);
        assert_eq!(found, Some(only));
    }
}

#[test]
fn nobody_is_asked_about_more_than_a_hundred_times() {
    for known in [1, 3, 100, 101, 5000] {
        let mut desk = Desk::with(known);
        let mut asked = 0;
        let found = desk.book.pick(&mut desk.rng, &ANY, NOW, |_| {
            asked += 1;
            false
        });
        assert_eq!((found, asked), (None, known.min(100)), "{known} known, each of a few once");
    }
}

#[test]
fn each_of_a_few_has_the_same_chance() {
    let mut desk = Desk::with(10);
    let mut counts = [0; 10];
    for _ in 0..10_000 {
        let address = desk.pick(&ANY).expect("all are good");
        let n = (0..10).find(|n| ipv4(*n) == address).expect("one of the ten");
        counts[n as usize] += 1;
    }
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
}

// ── from life to life

#[test]
fn what_is_saved_comes_back() {
    let mut desk = Desk::new(100);
    one_of_each_network().iter().for_each(|address| assert!(desk.hear(address, UNIX.before(HOUR))));
    desk.fail(&ipv4(1));
    desk.succeed(&onion(1), Services::WITNESS);
    desk.book.set_v1_only(&onion(1));
    desk.wait(HOUR);
    let saved = desk.book.save(desk.unix, desk.now);
    let mut again = Desk::new(100);
    again.book.restore(&saved, desk.unix, Time::ZERO);
    assert_eq!(again.book.save(desk.unix, Time::ZERO), saved);
    assert_eq!(saved[0].last_try, UNIX);
    assert_eq!(saved[1].last_try, UnixTime::default(), "never");
    assert_eq!(again.book.check(), Ok(()));
}

#[test]
fn a_dial_of_a_former_life_still_counts() {
    let mut desk = Desk::restored(SavedAddress { last_try: UNIX.before(20 * SECOND), ..saved(ipv4(0)) });
    assert_eq!(desk.pick(&ANY), None);
    desk.wait(10 * SECOND);
    assert_eq!(desk.pick(&ANY), Some(ipv4(0)));
}

#[test]
fn a_saved_time_in_the_future_is_not_believed() {
    let ahead = UNIX.after(SECOND);
    let desk = Desk::restored(SavedAddress { last_seen: ahead, last_success: ahead, ..saved(ipv4(0)) });
    let view = desk.view(&ipv4(0));
    assert_eq!((view.last_seen, view.last_success), (UNIX.before(5 * DAY), Some(UNIX)));
}

#[test]
fn a_dial_in_the_future_holds_an_address_off_for_a_while_only() {
    let mut desk = Desk::restored(SavedAddress { last_try: UnixTime::from_secs(u64::MAX), ..saved(ipv4(0)) });
    assert_eq!(desk.pick(&ANY), None);
    desk.wait(30 * SECOND);
    assert_eq!(desk.pick(&ANY), Some(ipv4(0)));
}

#[test]
fn nonsense_in_a_snapshot_is_survived() {
    let extremes = [0, 1, 99_999_999, u64::from(u32::MAX), u64::MAX].map(UnixTime::from_secs);
    let mut list = Vec::new();
    for (n, last_seen) in (0..).zip(extremes) {
        for (m, time) in (0..).zip(extremes) {
            let address = ipv4(n * 10 + m);
            let odd =
                SavedAddress { last_seen, last_try: time, last_success: time, failures: u32::MAX, ..saved(address) };
            list.extend([odd.clone(), odd]);
        }
    }
    list.push(saved("node.example:8333".parse().expect("a name")));
    for (unix, now) in [(UNIX, NOW), (extremes[0], Time::ZERO), (extremes[4], Time::MAX)] {
        let mut desk = Desk { unix, now, ..Desk::new(1000) };
        desk.book.restore(&list, unix, now);
        assert_eq!(desk.book.len(), 25);
        desk.picks(&ANY, 10);
        desk.sample(None, 10);
        desk.wait(DAY);
        desk.hear(&ipv4(0), desk.unix);
        desk.book.save(desk.unix, desk.now);
        assert_eq!(desk.book.check(), Ok(()));
    }
}

#[test]
fn a_snapshot_fills_no_more_than_the_book() {
    let mut desk = Desk::new(10);
    let list: Vec<_> = (0..100).map(|n| saved(ipv4(n))).collect();
    desk.book.restore(&list, UNIX, NOW);
    assert_eq!(desk.book.len(), 10);
    assert_eq!(desk.book.check(), Ok(()));
}

// ── size and order

#[test]
fn ten_thousand_random_operations_leave_the_book_in_order() {
    let mut desk = Desk::new(300);
    let mut dice = Rng::new([9; 32], 1);
    for step in 0..10_000 {
        let n = u32::try_from(dice.below(600)).expect("below 600");
        let address = if n < 500 { ipv4(n) } else { onion(u8::try_from(n - 500).expect("below 100")) };
        match dice.below(8) {
            0..=2 => _ = desk.hear(&address, desk.unix.before(SECOND * n)),
            3 => _ = desk.book.forget(&address),
            4 => desk.fail(&address),
            5 => desk.succeed(&address, Services::NETWORK),
            6 => desk.book.forgive(&address),
            _ => desk.wait(SECOND * 7),
        }
        assert_eq!(desk.book.check(), Ok(()), "step {step}");
    }
    assert!(desk.book.len() > 200, "the book was in use");
    let by_picking = desk.picks(&ANY, 20_000);
    assert!(by_picking.iter().all(|address| desk.book.contains(address)));
}

#[test]
fn the_same_story_makes_the_same_book() {
    let story = || {
        let mut desk = Desk::new(50);
        (0..200).for_each(|n| _ = desk.hear(&ipv4(n), UNIX.after(SECOND * n)));
        let picked = desk.picks(&ANY, 10);
        (desk.book, picked)
    };
    assert_eq!(story(), story());
}

#[test]
fn an_empty_book_allocates_nothing() {
    assert_eq!(Desk::new(81_920).book.store.heap_bytes(), 0);
}

#[test]
fn an_address_takes_at_most_128_bytes() {
    let mut desk = Desk::new(80_000);
    let mut most = 0;
    for n in 0..80_000 {
        desk.hear(&ipv4(n), UNIX);
        if n >= 1000 {
            most = most.max(desk.book.store.heap_bytes().div_ceil(desk.book.len()));
        }
    }
    let full = desk.book.store.heap_bytes().div_ceil(desk.book.len());
    assert!(most <= 128, "{most} bytes at the worst, {full} at 80000");
}

#[test]
fn the_view_shows_the_book() {
    let mut desk = Desk::with(2);
    desk.hear(&onion(1), UNIX);
    let view = BookView::new(&desk.book);
    assert_eq!((view.len(), view.len_of(NetworkKind::Onion), view.is_empty()), (3, 1, false));
    assert_eq!(view.iter().map(|known| known.address).collect::<Vec<_>>(), [ipv4(0), ipv4(1), onion(1)]);
    assert_eq!(view.get(&onion(1)), desk.book.get(&onion(1)));
}
