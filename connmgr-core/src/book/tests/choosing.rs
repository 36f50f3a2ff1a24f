//! Choosing an address to dial.

use super::*;

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
    desk.wait(MINUTE);
    assert_eq!(desk.pick(&ANY), Some(ipv4(0)));
}

#[test]
fn each_failure_doubles_the_rest_up_to_the_spacing() {
    let mut desk = Desk::with(1);
    for rest in [1, 2, 4, 8, 10, 10].map(|minutes| minutes * MINUTE) {
        desk.fail(&ipv4(0));
        desk.wait(rest - SECOND);
        assert_eq!(desk.pick(&ANY), None, "a second before {rest:?}");
        desk.wait(SECOND);
        assert_eq!(desk.pick(&ANY), Some(ipv4(0)), "after {rest:?}");
    }
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
    // At 1 s, then after rests of 1, 2, 4, 8 and from then on 10 minutes: five dials in 15 minutes, then four.
    assert_eq!(dials, 3 * 9, "each address less and less often, but not never");
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
    desk.wait(10 * MINUTE);
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
fn failing_and_tried_lately_is_worse_than_either() {
    let mut desk = Desk::with(2);
    (0..3).for_each(|_| desk.fail(&ipv4(0)));
    desk.fail(&ipv4(1));
    desk.wait(4 * MINUTE);
    let bad = (0..1000).filter(|_| desk.pick(&ANY) == Some(ipv4(0))).count();
    // Both were tried lately; 0.66^3 = 0.29 against 0.66.
    assert!((100..400).contains(&bad), "{bad} of 1000");
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
fn hearsay_of_other_services_hides_no_address_of_unknown_ones() {
    let mut desk = Desk::new(10);
    let choice = Choice { services: Services::WITNESS, ..ANY };
    desk.hear(&ipv4(0), UNIX);
    let told = |services| AddressInfo::new(ipv4(0)).services(services).last_seen(UNIX);
    desk.hear_from(PEER, &told(Services::P2P_V2));
    desk.hear_from(PEER, &told(Services::NETWORK));
    assert_eq!(desk.pick(&choice), Some(ipv4(0)), "block-relay connections alone need no other");
    desk.hear_from(PEER, &told(Services::NETWORK | Services::WITNESS));
    desk.hear_from(PEER, &told(Services::P2P_V2));
    assert_eq!(desk.view(&ipv4(0)).services, Services::NETWORK | Services::WITNESS | Services::P2P_V2);
    desk.hear(&ipv4(1), UNIX);
    desk.hear_of(&ipv4(1), Services::P2P_V2, UNIX);
    assert_eq!(desk.picks(&choice, 20), BTreeSet::from([ipv4(0)]), "the application is believed");
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
        assert_eq!(found.map(|picked| picked.address), Some(only));
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
