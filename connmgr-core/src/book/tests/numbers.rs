//! Numbers of addresses, and what has become of them when they are used.

use super::*;
use crate::book::{AddressId, Numbered};

/// The number of a known address.
fn number_of(desk: &mut Desk, address: &PeerAddress) -> AddressId {
    desk.book.record_try(address, desk.now).expect("it is known")
}

#[test]
fn a_choice_tells_the_number_under_which_the_address_is_kept() {
    let mut desk = Desk::with(30);
    desk.hear(&onion(1), UNIX);
    for _ in 0..100 {
        let picked = desk.book.pick(&mut desk.rng, &ANY, desk.now, |_| true).expect("all are good");
        assert_eq!(number_of(&mut desk, &picked.address), picked.id);
        desk.now = desk.now.after(Duration::from_secs(3600));
    }
}

#[test]
fn a_number_that_another_address_has_now_is_not_believed() {
    for newcomer in [ipv4(7), onion(7)] {
        let mut desk = Desk::with(1);
        let id = number_of(&mut desk, &ipv4(0));
        assert!(desk.book.forget(&ipv4(0)));
        assert!(desk.hear(&newcomer, UNIX));
        assert_eq!(number_of(&mut desk, &newcomer), id, "the place is used again");
        desk.book.record_failure(Numbered::new(&ipv4(0), Some(id)), desk.now);
        assert_eq!((desk.view(&newcomer).failures, desk.book.contains(&ipv4(0))), (0, false));
    }
}

#[test]
fn an_address_that_came_back_to_another_place_is_found_there() {
    let mut desk = Desk::with(1);
    let id = number_of(&mut desk, &ipv4(0));
    assert!(desk.book.forget(&ipv4(0)));
    [ipv4(7), ipv4(0)].iter().for_each(|address| assert!(desk.hear(address, UNIX)));
    assert_ne!(number_of(&mut desk, &ipv4(0)), id);
    desk.book.record_failure(Numbered::new(&ipv4(0), Some(id)), desk.now);
    assert_eq!((desk.view(&ipv4(0)).failures, desk.view(&ipv4(7)).failures), (1, 0));
}

#[test]
fn the_same_host_on_another_port_is_another_address() {
    let mut desk = Desk::with(1);
    let id = number_of(&mut desk, &ipv4(0));
    let other = PeerAddress::new(ipv4(0).host().clone(), 1);
    desk.book.record_failure(Numbered::new(&other, Some(id)), desk.now);
    assert_eq!(desk.view(&ipv4(0)).failures, 0);
}
