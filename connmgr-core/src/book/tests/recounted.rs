//! Random histories of five networks, and what anyone can recount by the views: limits, counts and choices.

use super::*;
use alloc::collections::BTreeMap;

const NEW: usize = 0;
const TRIED: usize = 1;

/// One of 600 addresses of each network, in groups of any size.
fn some_address(dice: &mut Rng) -> PeerAddress {
    let n = u32::try_from(dice.below(600)).expect("below 600");
    let byte = u8::try_from(n % 256).expect("a byte");
    match dice.below(6) {
        0 | 1 => PeerAddress::new(Host::from(Ipv4Addr::from(((0x0808 + n * n / 9000) << 16) | n)), 8333),
        2 => PeerAddress::new(
            Host::Ip(Ipv6Addr::from_bits((0x2a00 << 112) | (u128::from(n % 20) << 96) | 1).into()),
            8333,
        ),
        3 => PeerAddress::new(Host::Onion([byte; 32]), 8333),
        4 => PeerAddress::new(Host::I2p([byte; 32]), 0),
        _ => PeerAddress::new(Host::Cjdns(Ipv6Addr::from_bits((0xfc << 120) | u128::from(n))), 8333),
    }
}

fn some_source(dice: &mut Rng) -> SourceGroup {
    match dice.below(20) {
        0 => SourceGroup::APPLICATION,
        1 => SourceGroup::HIDDEN,
        2 => SourceGroup::FIXED,
        n @ 3..=5 => SourceGroup::seed(usize::try_from(n).expect("few")),
        n => SourceGroup::peer((1 << 64) | u128::from(n)),
    }
}

fn live(desk: &mut Desk, dice: &mut Rng) {
    let address = some_address(dice);
    match dice.below(12) {
        0..=4 => {
            let age = Duration::from_secs(dice.below(40 * 24 * 3600));
            let services = [Services::NONE, Services::NETWORK, Services::WITNESS][dice.index(3)];
            let info = AddressInfo::new(address).services(services).last_seen(desk.unix.before(age));
            let source = some_source(dice);
            desk.hear_from(source, &info);
        }
        5 | 6 => desk.succeed(&address, [Services::NETWORK, Services::WITNESS][dice.index(2)]),
        7 => desk.fail(&address),
        8 => desk.book.record_end(&address),
        9 => _ = desk.book.forget(&address),
        10 => desk.wait(Duration::from_secs(dice.below(20_000))),
        _ => choose(desk, dice),
    }
}

/// What is chosen is what was asked for.
fn choose(desk: &mut Desk, dice: &mut Rng) {
    let network = NetworkKind::ALL[dice.index(5)];
    let services = [Services::NONE, Services::WITNESS, Services::P2P_V2][dice.index(3)];
    let choice = Choice { networks: NetworkSet::EMPTY.with(network), services, ..ANY };
    if let Some(address) = desk.pick(&choice) {
        let view = desk.view(&address);
        assert_eq!(address.network(), Some(network));
        assert!(view.services.has(services) || (view.services == Services::NONE && view.last_success.is_none()));
        assert!(view.last_try.is_none_or(|tried| desk.now.since(tried) >= choice.min_spacing));
    }
}

/// Recounts by the views alone.
fn recount(desk: &Desk) {
    let book = BookView::new(&desk.book, desk.unix, desk.now);
    let (mut counts, mut of_source) = ([[0; 5]; 2], BTreeMap::<_, BTreeSet<u16>>::new());
    let (mut of_both, mut of_group) = (BTreeMap::<_, BTreeSet<u16>>::new(), BTreeMap::<_, BTreeSet<u16>>::new());
    for view in book.iter() {
        let (network, group) = (view.address.network().expect("no name"), desk.groups.of(view.address.host()));
        let is_tried = view.table == BookTable::Tried;
        counts[if is_tried { TRIED } else { NEW }][network.index()] += 1;
        assert!(view.last_success.is_some() || !is_tried);
        assert!((1..=8).contains(&view.places) && (view.places == 1 || !is_tried));
        if is_tried {
            of_group.entry(group).or_default().insert(view.bucket);
        } else if view.places == 1 && view.source != SourceGroup::APPLICATION {
            // Of several places, the first may be another source's.
            of_source.entry(view.source).or_default().insert(view.bucket);
            of_both.entry((view.source, group)).or_default().insert(view.bucket);
        }
    }
    for network in NetworkKind::ALL {
        let told = [BookTable::New, BookTable::Tried].map(|table| book.len_in_of(table, network));
        assert_eq!(told, [counts[NEW], counts[TRIED]].map(|of| of[network.index()]), "{network}");
        assert_eq!(book.len_of(network), told[0] + told[1]);
    }
    assert!(of_source.values().all(|buckets| buckets.len() <= 64));
    assert!(of_group.values().all(|buckets| buckets.len() <= 8));
    // A source that lost its place to another's keeps none of its own: then the one bucket is that of the other.
    let strays = of_both.values().filter(|buckets| buckets.len() > 1).count();
    assert!(strays * 10 <= of_both.len(), "{strays} of {}", of_both.len());
}

#[test]
fn after_any_history_limits_and_counts_are_those_of_a_recount() {
    for number in 0..4 {
        let config =
            BookConfig { max_addresses: [300, 1500, 81_920, 20][usize::from(number)], ..BookConfig::default() };
        let (mut desk, mut dice) = (Desk::configured(&config, number), Rng::new([number; 32], 7));
        for step in 0..5000 {
            live(&mut desk, &mut dice);
            if step % 100 == 0 {
                assert_eq!(desk.book.check(), Ok(()), "seed {number}, step {step}");
                recount(&desk);
            }
        }
        let saved = all_of(&desk.book, desk.unix, desk.now);
        let mut again = Desk { unix: desk.unix, ..Desk::configured(&config, number + 100) };
        again.book.restore(&saved, Some(desk.book.secret()), &desk.groups, desk.unix, again.now);
        assert_eq!(again.book.check(), Ok(()));
        assert_eq!(again.book.len(), desk.book.len(), "all of them have room where they were");
    }
}

/// A book whose addresses have been announced by many: most have further places, and every fifth is tried.
fn announced_by_many() -> Book {
    let mut desk = Desk::new(1000);
    (0..40).for_each(|n| _ = desk.hear(&ipv4(n), UNIX.before(DAY)));
    for source in 0..60 {
        desk.wait(3 * HOUR);
        for n in 0..40 {
            let info = AddressInfo::new(ipv4(n)).last_seen(desk.unix);
            desk.hear_from(SourceGroup::peer(1 << 64 | source), &info);
        }
    }
    (0..40).step_by(5).for_each(|n| desk.succeed(&ipv4(n), Services::NETWORK));
    assert_eq!(desk.book.check(), Ok(()));
    desk.book
}

/// The slots of new addresses with at least so many further places.
fn with_further(book: &Book, at_least: u8) -> Vec<u32> {
    book.store.slots().filter(|(_, entry)| entry.more_places() >= at_least).map(|(slot, _)| slot).collect()
}

#[test]
fn a_recount_finds_every_place_that_is_noted_wrong() {
    use place::more;
    let whole = announced_by_many();
    let many = with_further(&whole, 3);
    let [one, other] = [many[0], many[1]];
    let first_of = |slot: u32| whole.store.entry(slot).place;
    let check = |what: &str, spoil: &dyn Fn(&mut Book)| {
        let mut book = whole.clone();
        spoil(&mut book);
        assert!(book.check().is_err(), "{what}");
    };
    check("two addresses have swapped their first places", &|book| {
        book.store.entry_mut(one).place = first_of(other);
        book.store.entry_mut(other).place = first_of(one);
    });
    check("a further place is that of another address", &|book| {
        let places = [one, other].map(|slot| book.more_places[&more(slot, 1)]);
        book.more_places.insert(more(one, 1), places[1]);
        book.more_places.insert(more(other, 1), places[0]);
    });
    check("a further place is the first one", &|book| _ = book.more_places.insert(more(one, 1), first_of(one)));
    check("two further places are the same", &|book| {
        let place = book.more_places[&more(one, 0)];
        book.more_places.insert(more(one, 1), place);
    });
    check("a further place is not noted", &|book| _ = book.more_places.remove(&more(one, 0)));
    check("a further place is of an unknown address", &|book| {
        let place = book.more_places.remove(&more(one, 0)).expect("it has some");
        book.more_places.insert(more(5000, 0), place);
    });
    check("an address has more places than are noted", &|book| {
        let places = book.store.entry(one).more_places();
        book.store.entry_mut(one).set_more_places(places - 1);
    });
    check("an address that is tried is in the other table", &|book| {
        let place = first_of(one);
        book.store.entry_mut(one).put(place, true);
    });
}
