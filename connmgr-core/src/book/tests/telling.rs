//! Answers to getaddr, and so which addresses are terrible.

use super::*;

/// Whether one address among a hundred, after `story` and two minutes, is still in answers.
fn is_told_after(story: impl FnOnce(&mut Desk, &PeerAddress)) -> bool {
    let mut desk = Desk::new(100);
    story(&mut desk, &onion(1));
    desk.wait(2 * MINUTE);
    for n in 2..6 {
        desk.hear(&onion(n), desk.unix);
    }
    // Of five addresses one is returned at a time: 200 answers miss one with a chance of 0.8^200.
    (0..200).any(|_| desk.sample(None, 10).contains(&onion(1)))
}

#[test]
fn terrible_addresses_are_told_to_nobody() {
    let seen =
        |ago: Duration| move |desk: &mut Desk, address: &PeerAddress| assert!(desk.hear(address, UNIX.before(ago)));
    assert!(is_told_after(seen(30 * DAY - 2 * MINUTE)));
    assert!(!is_told_after(seen(30 * DAY - 2 * MINUTE + SECOND)));
    assert!(is_told_after(|desk, address| {
        desk.hear(address, UNIX.before(29 * DAY));
        desk.succeed(address, Services::NETWORK);
        desk.wait(5 * DAY);
    }));
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
    assert_eq!(told.len(), 231);
    assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), 231);
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

#[test]
fn no_step_of_the_clock_makes_an_address_terrible() {
    for to in [UNIX.after(4000 * DAY), UNIX.before(4000 * DAY), UnixTime::default(), UnixTime::from_secs(u64::MAX)] {
        assert!(is_told_after(|desk, address| {
            desk.hear(address, UNIX);
            desk.unix = to;
        }));
        assert!(!is_told_after(|desk, address| {
            desk.hear(address, UNIX.before(29 * DAY));
            desk.unix = to;
            desk.wait(DAY);
        }));
    }
}

#[test]
fn others_are_told_of_nobody_who_is_not_allowed() {
    let mut desk = Desk::with(1000);
    let is_even = |address: &PeerAddress| (0..1000).step_by(2).any(|n| *address == ipv4(n));
    for _ in 0..10 {
        let told = desk.book.sample(&mut desk.rng, None, 1000, desk.unix, desk.now, is_even);
        assert_eq!(told.len(), 230);
        assert!(told.iter().all(|info| is_even(&info.address)));
    }
}

/// If every address is banned, an answer examines at most four for each one requested.
#[test]
fn where_nobody_is_allowed_the_search_ends() {
    let mut desk = Desk::with(1000);
    let looks = core::cell::Cell::new(0);
    let nobody = |_: &PeerAddress| {
        looks.set(looks.get() + 1);
        false
    };
    let told = desk.book.sample(&mut desk.rng, None, 10, desk.unix, desk.now, nobody);
    assert_eq!((told.len(), looks.get()), (0, 40));
}
