//! Tried addresses: how they come to be, and what becomes of two that want one place.

use super::*;

/// A book with a full bucket of tried addresses, all last ready at [`NOW`]; and one that was ready and got no place in it.
fn colliding() -> (Desk, PeerAddress) {
    let mut desk = Desk::with_public(2000);
    for n in 0..2000 {
        desk.succeed(&public(n), Services::NETWORK);
        desk.book.record_end(&public(n));
        if table(&desk, &public(n)) == BookTable::New {
            return (desk, public(n));
        }
    }
    unreachable!("one group has eight buckets")
}

/// The one whose place another waits for.
fn incumbent(desk: &mut Desk) -> PeerAddress {
    let slot = desk.book.draw_tested(&mut desk.rng).expect("one waits");
    desk.book.store.address(desk.book.store.entry(slot))
}

fn table(desk: &Desk, address: &PeerAddress) -> BookTable {
    desk.view(address).table
}

#[test]
fn a_ready_address_is_tried_from_then_on() {
    let mut desk = Desk::with_public(1);
    assert_eq!(table(&desk, &public(0)), BookTable::New);
    desk.fail(&public(0));
    assert_eq!(table(&desk, &public(0)), BookTable::New);
    desk.succeed(&public(0), Services::NETWORK);
    assert_eq!(table(&desk, &public(0)), BookTable::Tried);
    let view = BookView::new(&desk.book, desk.unix, desk.now);
    assert_eq!((view.len_in(BookTable::Tried), view.len_in(BookTable::New)), (1, 0));
}

#[test]
fn one_that_was_ready_lately_keeps_its_place() {
    let (mut desk, newcomer) = colliding();
    desk.wait(4 * HOUR - SECOND);
    desk.succeed(&newcomer, Services::NETWORK);
    assert_eq!(table(&desk, &newcomer), BookTable::New);
    assert!(desk.book.waiting.is_empty(), "it waits no more");
}

/// The same, when the one that has the place was ready long ago.
fn colliding_with_an_old_one() -> (Desk, PeerAddress, PeerAddress) {
    let (mut desk, newcomer) = colliding();
    desk.wait(4 * HOUR);
    desk.succeed(&newcomer, Services::NETWORK);
    let old = incumbent(&mut desk);
    (desk, newcomer, old)
}

#[test]
fn one_that_fails_its_test_gives_way() {
    let (mut desk, newcomer, old) = colliding_with_an_old_one();
    assert_eq!(table(&desk, &old), BookTable::Tried);
    desk.book.record_try(&old, desk.now);
    desk.wait(59 * SECOND);
    desk.book.settle_collisions(desk.now);
    assert_eq!(table(&desk, &old), BookTable::Tried, "the dial may still succeed");
    desk.wait(SECOND);
    desk.book.settle_collisions(desk.now);
    assert_eq!((table(&desk, &old), table(&desk, &newcomer)), (BookTable::New, BookTable::Tried));
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn one_that_answers_its_test_stays() {
    let (mut desk, newcomer, old) = colliding_with_an_old_one();
    desk.succeed(&old, Services::NETWORK);
    assert_eq!((table(&desk, &old), table(&desk, &newcomer)), (BookTable::Tried, BookTable::New));
    assert!(desk.book.waiting.is_empty());
}

#[test]
fn one_that_nobody_tests_gives_way_after_forty_minutes() {
    let (mut desk, newcomer, old) = colliding_with_an_old_one();
    desk.wait(40 * MINUTE - SECOND);
    desk.book.settle_collisions(desk.now);
    assert_eq!(table(&desk, &old), BookTable::Tried);
    desk.wait(SECOND);
    desk.book.settle_collisions(desk.now);
    assert_eq!((table(&desk, &old), table(&desk, &newcomer)), (BookTable::New, BookTable::Tried));
}

#[test]
fn one_that_is_connected_needs_no_test() {
    let (mut desk, newcomer, old) = colliding_with_an_old_one();
    desk.succeed(&old, Services::NETWORK);
    desk.wait(DAY);
    desk.succeed(&newcomer, Services::NETWORK);
    assert_eq!((table(&desk, &old), table(&desk, &newcomer)), (BookTable::Tried, BookTable::New));
    assert!(desk.book.waiting.is_empty());
}

#[test]
fn an_outage_is_no_failed_test() {
    let (mut desk, _, old) = colliding_with_an_old_one();
    desk.fail(&old);
    desk.book.forgive(&old);
    desk.wait(2 * MINUTE);
    desk.book.settle_collisions(desk.now);
    assert_eq!(table(&desk, &old), BookTable::Tried);
}

#[test]
fn choices_test_one_whose_place_another_waits_for() {
    let (mut desk, _, old) = colliding_with_an_old_one();
    let tests = (0..8000).filter(|_| desk.pick(&ANY) == Some(old.clone())).count();
    // One in eight, and its share of the other choices.
    assert!((900..1200).contains(&tests), "{tests} of 8000");
}

#[test]
fn one_on_another_port_is_tested_too() {
    let (mut desk, _, old) = colliding_with_an_old_one();
    let elsewhere = Choice { default_port: 18_444, ..ANY };
    let tests = (0..8000).filter(|_| desk.pick(&elsewhere) == Some(old.clone())).count();
    assert!((900..1200).contains(&tests), "{tests} of 8000");
}

#[test]
fn ten_wait_and_no_more() {
    let (mut desk, _) = colliding();
    desk.wait(4 * HOUR);
    let known: Vec<_> = (0..2000).map(public).filter(|address| desk.book.contains(address)).collect();
    for address in known.iter().filter(|address| table(&desk, address) == BookTable::New).collect::<Vec<_>>() {
        desk.succeed(address, Services::NETWORK);
        assert!(desk.book.waiting.len() <= 10);
    }
    assert_eq!(desk.book.waiting.len(), 10);
    assert_eq!(desk.book.check(), Ok(()));
    let old = incumbent(&mut desk);
    desk.book.forget(&old);
    desk.book.settle_collisions(desk.now);
    assert_eq!(desk.book.check(), Ok(()));
}

#[test]
fn without_the_test_the_latest_has_the_place() {
    let (mut desk, newcomer) = colliding();
    desk.book.without = Some(BookRule::TestBeforeEvict);
    let old = desk.tried().len();
    desk.succeed(&newcomer, Services::NETWORK);
    assert_eq!((table(&desk, &newcomer), desk.tried().len()), (BookTable::Tried, old));
    assert_eq!(desk.book.check(), Ok(()));
}
