//! What the book stores of an address, and how it changes.

use super::*;

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
    for (n, (last_seen, ago)) in (0..).zip([(UNIX, 2 * HOUR), (UNIX.after(HOUR), 5 * DAY + 2 * HOUR)]) {
        let mut desk = Desk::new(10);
        let info = AddressInfo { address: ipv4(n), services: Services::NONE, last_seen };
        assert!(desk.hear_from(PEER, &info));
        assert_eq!(desk.view(&ipv4(n)).last_seen, UNIX.before(ago));
    }
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
    assert_eq!((view.failures, view.last_success), (1, Some(UNIX.after(HOUR))), "nor does a handshake");
    desk.book.record_stable(&ipv4(0));
    assert_eq!(desk.view(&ipv4(0)).failures, 0);
}

#[test]
fn a_success_at_the_epoch_is_a_success() {
    let mut desk = Desk { unix: UnixTime::default(), ..Desk::with(1) };
    desk.succeed(&ipv4(0), Services::NETWORK);
    assert!(desk.view(&ipv4(0)).last_success.is_some());
}

#[test]
fn a_failure_that_no_dial_announced_is_a_dial_of_now() {
    let mut desk = Desk::with(1);
    desk.book.record_failure(&ipv4(0), NOW);
    assert_eq!(desk.view(&ipv4(0)).last_try, Some(NOW));
    assert_eq!(desk.pick(&ANY), None);
}

#[test]
fn a_slow_failure_counts_from_the_beginning_of_its_dial() {
    let mut desk = Desk::with(1);
    desk.book.record_try(&ipv4(0), NOW);
    desk.wait(5 * SECOND);
    desk.book.record_failure(&ipv4(0), desk.now);
    assert_eq!(desk.view(&ipv4(0)).last_try, Some(NOW));
}

#[test]
fn a_peer_that_knows_no_v2_is_remembered() {
    let mut desk = Desk::with(2);
    desk.book.set_v1_only(&ipv4(0));
    assert!(desk.book.is_v1_only(&ipv4(0), Services::NONE));
    assert!(!desk.book.is_v1_only(&ipv4(1), Services::NONE));
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
    desk.restore(&[saved(ipv4(0))]);
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

/// All have moved: a small book must not keep their old addresses for a week.
#[test]
fn a_full_book_of_dead_tried_addresses_takes_new_ones() {
    let mut desk = Desk::with(10);
    desk.book.max_addresses = 10;
    (0..10).for_each(|n| desk.succeed(&ipv4(n), Services::NETWORK));
    for failures in 1..=10 {
        desk.wait(10 * MINUTE);
        assert!(!desk.hear(&ipv4(10), desk.unix), "they may be back after {failures} failures");
        (0..10).for_each(|n| desk.fail(&ipv4(n)));
    }
    desk.wait(10 * MINUTE);
    assert!(desk.hear(&ipv4(10), desk.unix));
    assert_eq!((desk.book.len(), desk.tried().len()), (10, 9));
    assert_eq!(desk.book.check(), Ok(()));
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
        desk.fail(&ipv4(n));
    }
    desk.wait(HOUR);
    for n in 100..1000 {
        assert!(!desk.hear(&ipv4(n), desk.unix));
    }
}

#[test]
fn an_address_that_answered_outlasts_one_that_never_did() {
    let mut desk = Desk::new(2);
    desk.hear(&ipv4(0), UNIX.before(2 * HOUR));
    desk.hear(&ipv4(1), UNIX.before(HOUR));
    desk.book.record_try(&ipv4(0), desk.now);
    desk.book.record_answered(&ipv4(0), desk.now);
    desk.wait(HOUR);
    assert!(desk.hear(&ipv4(2), UNIX));
    assert!(desk.book.contains(&ipv4(0)));
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

#[test]
fn gossip_adds_no_service_to_what_a_peer_said_of_itself_within_a_week() {
    let mut desk = Desk::with(1);
    desk.succeed(&ipv4(0), Services::NETWORK);
    desk.wait(7 * DAY);
    desk.hear_of(&ipv4(0), Services::WITNESS, UNIX);
    assert_eq!(desk.view(&ipv4(0)).services, Services::NETWORK);
    desk.wait(SECOND);
    desk.hear_of(&ipv4(0), Services::WITNESS, UNIX);
    assert_eq!(desk.view(&ipv4(0)).services, Services::NETWORK | Services::WITNESS);
}
