//! The book is copied for the disk in parts, so that no event loop stands still for it.

mod support;

use std::collections::BTreeMap;

use connmgr_core::*;
use support::*;

/// A manager that dials nobody, and knows the first of these addresses.
fn knows(count: usize) -> Bench {
    let limits = Limits { full: 0, block_relay: 0, feeler: 0, addr_fetch: 0, ..Limits::default() };
    let mut bench = Bench::new(Config { limits, ..Config::default() });
    bench.learn(&addresses(200)[..count]);
    bench
}

/// The rest of the parts.
fn parts(manager: &ConnManager, mut from: Option<BookCursor>, most: usize) -> Vec<Vec<SavedAddress>> {
    let mut parts = Vec::new();
    while let Some(cursor) = from {
        let (part, next) = manager.saved_addresses(cursor, most);
        parts.push(part);
        from = next;
        assert!(parts.len() <= 1000, "the parts come to no end");
    }
    parts
}

#[test]
fn the_parts_are_what_the_snapshot_has() {
    let manager = knows(200).manager;
    for (most, count) in [(0, 200), (1, 200), (7, 29), (100, 2), (200, 1), (201, 1), (usize::MAX, 1)] {
        let parts = parts(&manager, Some(BookCursor::START), most);
        assert_eq!(parts.len(), count, "parts of {most}");
        assert!(parts.iter().all(|part| part.len() <= most.max(1)));
        let whole = Snapshot { addresses: parts.concat(), ..manager.snapshot_without_addresses() };
        assert_eq!(whole, manager.snapshot());
    }
}

#[test]
fn an_empty_book_is_one_part() {
    assert_eq!(parts(&knows(0).manager, Some(BookCursor::START), 10), [vec![]]);
}

#[test]
fn what_is_known_all_the_while_is_in_one_part_whatever_is_learnt_meanwhile() {
    let mut bench = knows(150);
    let (first, next) = bench.manager.saved_addresses(BookCursor::START, 100);
    bench.learn(&addresses(200));
    let rest = parts(&bench.manager, next, 100);
    let mut times = BTreeMap::new();
    for saved in first.iter().chain(rest.iter().flatten()) {
        *times.entry(saved.address.clone()).or_insert(0) += 1;
    }
    assert!(addresses(150).iter().all(|address| times.get(address) == Some(&1)), "{times:?}");
    assert!(times.values().all(|times| *times == 1));
}

/// A node whose settings changed may know less than it knew.
#[test]
fn a_place_behind_the_end_is_the_end() {
    let (mut more, less) = (knows(150), knows(1));
    more.actions();
    let (_, behind) = more.manager.saved_addresses(BookCursor::START, 100);
    assert_eq!(less.manager.saved_addresses(behind.expect("50 are left"), 100), (vec![], None));
}
