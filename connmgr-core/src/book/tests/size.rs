//! The memory that the book takes, and its consistency.

use super::*;

#[test]
fn ten_thousand_random_operations_leave_the_book_in_order() {
    let mut desk = Desk::new(300);
    let mut dice = Rng::new([9; 32], 1);
    for step in 0..10_000 {
        let n = u32::try_from(dice.below(600)).expect("below 600");
        let address = if n < 500 { ipv4(n) } else { onion(u8::try_from(n - 500).expect("below 100")) };
        let source = SourceGroup::peer(u128::from(dice.below(40)) | 1 << 64);
        match dice.below(9) {
            0..=1 => _ = desk.hear(&address, desk.unix.before(SECOND * n)),
            2 => _ = desk.hear_from(source, &AddressInfo::new(address).last_seen(desk.unix)),
            3 => _ = desk.book.forget(&address),
            4 => desk.fail(&address),
            5 => desk.succeed(&address, Services::NETWORK),
            6 => desk.book.forgive(&address),
            7 => _ = desk.pick(&ANY),
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
    assert_eq!(Desk::new(81_920).book.heap_bytes(), 0);
}

/// Each with the largest value that a full book has.
#[test]
fn what_shares_a_word_in_an_entry_stays_apart() {
    let key = Key::of(&ipv4(1)).expect("no name").shortened(|_| 0);
    let mut entry = Entry::heard(key, Services::NONE, SteadySecond::NEVER);
    entry.set_source(81_919);
    entry.set_group(81_918);
    entry.set_prev(81_917);
    entry.set_next(81_916);
    entry.put(Place::new(1023, 63), false);
    entry.set_more_places(7);
    (0..300).for_each(|_| entry.failed(Time::ZERO));
    assert_eq!((entry.source(), entry.group(), entry.neighbours()), (81_919, 81_918, [81_917, 81_916]));
    assert_eq!((entry.more_places(), entry.failures(), entry.has_failed(), entry.is_tried()), (7, 255, true, false));
    entry.set_source(1);
    assert_eq!((entry.source(), entry.more_places(), entry.is_without_v2()), (1, 7, false));
    entry.set_without_v2();
    entry.put(Place::new(0, 0), true);
    entry.proved();
    assert_eq!((entry.source(), entry.group(), entry.neighbours()), (1, 81_918, [81_917, 81_916]));
    assert_eq!((entry.more_places(), entry.failures(), entry.has_failed(), entry.is_tried()), (0, 0, true, true));
    assert!(entry.is_without_v2());
    assert_eq!(size_of::<Option<Entry>>(), 44);
}

/// A book with both tables nearly full of addresses in 20 000 groups.
fn full(address: fn(u32) -> PeerAddress) -> Desk {
    let mut desk = Desk::new(80_000);
    for n in 0..90_000 {
        if desk.hear(&address(n), UNIX) && n % 5 == 0 {
            desk.succeed(&address(n), Services::NETWORK);
        }
    }
    assert!(desk.book.len() > 70_000, "{} known", desk.book.len());
    desk
}

/// Most of what is beyond the 44 bytes of an entry is its group: 31 bytes for each of 20 000.
#[test]
fn an_ipv4_address_takes_at_most_64_bytes() {
    let desk =
        full(|n| PeerAddress::new(Host::from(Ipv4Addr::from(((0x2000 + n % 20_000) << 16) | (n / 20_000))), 8333));
    let bytes = desk.book.heap_bytes().div_ceil(desk.book.len());
    println!("{bytes} bytes");
    assert!(bytes <= 64, "{bytes} bytes");
}

#[test]
fn an_onion_address_takes_at_most_90_bytes() {
    let desk = full(|n| {
        let mut host = [7; 32];
        host[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_be_bytes());
        PeerAddress::new(Host::Onion(host), 8333)
    });
    let bytes = desk.book.heap_bytes().div_ceil(desk.book.len());
    println!("{bytes} bytes");
    assert!(bytes <= 90, "{bytes} bytes");
}

#[test]
fn the_view_shows_the_book() {
    let mut desk = Desk::with(2);
    desk.hear(&onion(1), UNIX);
    let view = BookView::new(&desk.book, desk.unix, desk.now);
    assert_eq!((view.len(), view.len_of(NetworkKind::Onion), view.is_empty()), (3, 1, false));
    assert_eq!(view.iter().map(|known| known.address).collect::<Vec<_>>(), [ipv4(0), ipv4(1), onion(1)]);
    assert_eq!(view.get(&onion(1)), desk.book.get(&onion(1), desk.unix, desk.now));
}
