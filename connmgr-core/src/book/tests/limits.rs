//! What one source, and one group, can fill.

use super::*;

/// A random public IPv4 address.
fn anywhere(dice: &mut Rng) -> PeerAddress {
    let ip = u32::try_from(dice.below(0xd000_0000)).expect("32 bits") + 0x0b00_0000;
    PeerAddress::new(Host::from(Ipv4Addr::from(ip)), 8333)
}

fn fresh(address: PeerAddress) -> AddressInfo {
    AddressInfo::new(address).services(Services::NETWORK).last_seen(UNIX)
}

#[test]
fn one_source_fills_a_sixteenth_of_the_new_table() {
    for number in 0..5 {
        let (mut desk, mut dice) = (Desk::configured(&BookConfig::default(), number), Rng::new([number; 32], 9));
        (0..200_000).for_each(|_| _ = desk.hear_from(SEED, &fresh(anywhere(&mut dice))));
        let kept = desk.book.len();
        assert!((3500..=4096).contains(&kept), "seed {number}: {kept} kept");
        assert_eq!(desk.book.check(), Ok(()));
    }
}

#[test]
fn one_group_from_one_source_fills_one_bucket() {
    let mut desk = Desk::new(81_920);
    for n in 0..65_000 {
        desk.hear_from(SEED, &fresh(PeerAddress::new(Host::from(Ipv4Addr::from(0x0808_0000 + n)), 8333)));
    }
    assert_eq!(desk.book.len(), 64);
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn a_lan_of_thirty_two_loses_nobody_to_chance() {
    for number in 0..20 {
        let mut desk = Desk::configured(&BookConfig::default(), number);
        assert!((0..32).all(|n| desk.hear_from(SEED, &fresh(ipv4(n)))), "secret {number}");
    }
}

#[test]
fn what_the_application_tells_is_not_limited_by_its_groups() {
    let desk = Desk::with(5000);
    assert_eq!(desk.book.len(), 5000, "of twenty groups");
}

#[test]
fn a_group_fills_eight_buckets_of_the_tried_table() {
    let mut desk = Desk::with_public(1000);
    for n in 0..1000 {
        desk.succeed(&public(n), Services::NETWORK);
    }
    let buckets: BTreeSet<u16> = desk.tried().iter().map(|view| view.bucket).collect();
    assert!((2..=8).contains(&buckets.len()), "{buckets:?}");
    assert_eq!(desk.tried().len(), buckets.len() * 64, "each of them full");
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn other_sources_give_a_known_address_up_to_eight_places() {
    let mut desk = Desk::new(100);
    assert!(desk.hear_from(SEED, &fresh(public(0))));
    let mut most = 0;
    for n in 0..20_000 {
        desk.wait(2 * HOUR);
        let info = fresh(public(0)).last_seen(desk.unix);
        assert!(!desk.hear_from(SourceGroup::peer(1 << 64 | n), &info));
        let places = desk.view(&public(0)).places;
        assert!(places >= most, "none is lost");
        most = places;
    }
    assert_eq!(most, 8);
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn old_news_gives_no_place() {
    let mut desk = Desk::new(100);
    desk.hear_from(SEED, &fresh(public(0)));
    for n in 0..1000 {
        desk.hear_from(SourceGroup::peer(1 << 64 | n), &fresh(public(0)).last_seen(UNIX.before(DAY)));
    }
    assert_eq!(desk.view(&public(0)).places, 1);
}

/// A full bucket of one group and source; the address that would take its place from `public(0)`.
fn full_bucket() -> (Desk, Vec<PeerAddress>) {
    let mut desk = Desk::new(81_920);
    (0..64).for_each(|n| assert!(desk.hear_from(SEED, &fresh(public(n)))));
    let others = (64..2000).map(public).collect();
    (desk, others)
}

#[test]
fn a_good_address_keeps_its_place_in_a_full_bucket() {
    let (mut desk, others) = full_bucket();
    desk.wait(HOUR);
    assert!(others.iter().all(|other| !desk.hear_from(SEED, &fresh(other.clone()))));
    assert!((0..64).all(|n| desk.book.contains(&public(n))));
}

#[test]
fn a_terrible_address_gives_its_place_up() {
    let (mut desk, others) = full_bucket();
    (0..3).for_each(|_| desk.fail(&public(0)));
    desk.wait(2 * MINUTE);
    let taken = others.iter().filter(|other| desk.hear_from(SEED, &fresh((*other).clone()))).count();
    assert_eq!((taken, desk.book.contains(&public(0)), desk.book.len()), (1, false, 64));
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn one_with_other_places_makes_room_for_one_without() {
    let (mut desk, others) = full_bucket();
    for n in 0..100 {
        desk.wait(2 * HOUR);
        desk.hear_from(SourceGroup::peer(1 << 64 | n), &fresh(public(0)).last_seen(desk.unix));
    }
    let places = desk.view(&public(0)).places;
    assert!(places > 1);
    let taken = others.iter().filter(|other| desk.hear_from(SEED, &fresh((*other).clone()))).count();
    assert_eq!((taken, desk.view(&public(0)).places), (1, places - 1));
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn gossip_changes_nothing_of_a_tried_address() {
    let mut desk = Desk::with_public(1);
    desk.succeed(&public(0), Services::NETWORK);
    desk.wait(20 * DAY);
    let before = desk.view(&public(0));
    let info = fresh(public(0)).services(Services::WITNESS).last_seen(desk.unix);
    desk.hear_from(PEER, &info);
    assert_eq!(desk.view(&public(0)), before);
    desk.hear_from(SEED, &info);
    assert_ne!(desk.view(&public(0)), before, "a seed may correct it");
}

#[test]
fn gossip_throws_out_a_tried_address_only_where_all_are_tried() {
    let mut desk = Desk::new(100);
    (0..100).for_each(|n| assert!(desk.hear(&public(n), UNIX.before(20 * DAY))));
    (0..50).for_each(|n| desk.succeed(&public(n), Services::NETWORK));
    desk.wait(29 * DAY);
    for n in 100..2000 {
        desk.hear_from(SourceGroup::imported(n.into()), &fresh(public(n)).last_seen(desk.unix));
    }
    assert!((0..50).all(|n| desk.book.contains(&public(n))), "although the others are worth more");
    assert_eq!(desk.book.len(), 100);
}

#[test]
fn without_its_rule_a_limit_does_not_hold() {
    let kept = |without, source: fn(u64) -> SourceGroup| {
        let mut desk = Desk::configured(&BookConfig { without, ..BookConfig::default() }, 3);
        (0..10_000).for_each(|n| _ = desk.hear_from(source(n), &fresh(public(u32::try_from(n).expect("few")))));
        assert_eq!(desk.book.check(), Ok(()));
        desk.book.len()
    };
    assert_eq!(kept(None, |_| SEED), 64);
    assert!(kept(Some(BookRule::GroupLimit), |_| SEED) > 3000);
    let mut desk = Desk::configured(&BookConfig { without: Some(BookRule::SourceLimit), ..BookConfig::default() }, 3);
    let mut dice = Rng::new([1; 32], 9);
    (0..30_000).for_each(|_| _ = desk.hear_from(SEED, &fresh(anywhere(&mut dice))));
    assert!(desk.book.len() > 20_000);
    let (mut desk, others) = full_bucket();
    desk.book.without = Some(BookRule::Incumbents);
    assert!(others.iter().all(|other| desk.hear_from(SEED, &fresh(other.clone()))));
}

#[test]
fn a_second_source_earns_half_of_the_addresses_another_place() {
    let mut desk = Desk::new(81_920);
    for (source, last_seen) in [(1, UNIX.before(3 * DAY)), (2, UNIX)] {
        for n in 0..400 {
            let info = AddressInfo::new(ipv4(n)).services(Services::NETWORK).last_seen(last_seen);
            desk.hear_from(SourceGroup::peer((1 << 64) + 1000 * source + u128::from(n)), &info);
        }
    }
    let twice = (0..400).filter(|n| desk.view(&ipv4(*n)).places == 2).count();
    assert!((140..=260).contains(&twice), "{twice} of 400");
}

#[test]
fn in_a_full_book_old_news_makes_room_and_tried_addresses_stay() {
    let mut desk = Desk::new(20);
    (0..20).for_each(|n| assert!(desk.hear(&ipv4(n), UNIX.before(20 * DAY))));
    for n in 0..10 {
        desk.succeed(&ipv4(n), Services::NETWORK);
        desk.book.record_end(&ipv4(n));
    }
    desk.wait(HOUR);
    let kept = (20..60).filter(|n| desk.hear(&ipv4(*n), UNIX)).count();
    assert!(kept >= 10, "{kept} of 40 newcomers had room");
    assert!((0..10).all(|n| desk.book.contains(&ipv4(n))), "a tried one is gone");
}
