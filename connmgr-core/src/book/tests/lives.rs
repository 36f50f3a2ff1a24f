//! Saving and restoring.

use super::*;

#[test]
fn what_is_saved_comes_back() {
    let mut desk = Desk::new(100);
    one_of_each_network().iter().for_each(|address| assert!(desk.hear(address, UNIX.before(HOUR))));
    desk.fail(&ipv4(1));
    desk.succeed(&onion(1), Services::WITNESS);
    desk.book.set_v1_only(&onion(1));
    desk.wait(HOUR);
    let saved = desk.book.save(false, desk.unix, desk.now);
    let mut again = Desk::new(100);
    again.book.restore(&saved, Some(desk.book.secret()), &desk.groups, desk.unix, Time::ZERO);
    assert_eq!(again.book.save(false, desk.unix, Time::ZERO), saved);
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
        desk.restore(&list);
        assert_eq!(desk.book.len(), 25);
        desk.picks(&ANY, 10);
        desk.sample(None, 10);
        desk.wait(DAY);
        desk.hear(&ipv4(0), desk.unix);
        desk.book.save(false, desk.unix, desk.now);
        assert_eq!(desk.book.check(), Ok(()));
    }
}

#[test]
fn a_snapshot_fills_no_more_than_the_book() {
    let mut desk = Desk::new(10);
    let list: Vec<_> = (0..100).map(|n| saved(ipv4(n))).collect();
    desk.restore(&list);
    assert_eq!(desk.book.len(), 10);
    assert_eq!(desk.book.check(), Ok(()));
}
