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
    let saved = all_of(&desk.book, desk.unix, desk.now);
    let mut again = Desk::new(100);
    again.book.restore(&saved, Some(desk.book.secret()), &desk.groups, desk.unix, Time::ZERO);
    assert_eq!(all_of(&again.book, desk.unix, Time::ZERO), saved);
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
        all_of(&desk.book, desk.unix, desk.now);
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

#[test]
fn where_a_snapshot_has_too_many_those_that_were_ready_are_kept() {
    let ready = |n| SavedAddress { last_success: UNIX.before(HOUR), ..saved(ipv4(n)) };
    let list: Vec<_> = (0..100).map(|n| saved(ipv4(n))).chain((100..106).map(ready)).collect();
    let mut desk = Desk::new(10);
    desk.restore(&list);
    assert_eq!((desk.book.len(), desk.tried().len()), (10, 6));
    assert_eq!(desk.book.check(), Ok(()));
}

/// The places of every address.
fn places(desk: &Desk) -> Vec<(PeerAddress, BookTable, u16, u32)> {
    let view = BookView::new(&desk.book, desk.unix, desk.now);
    view.iter().map(|known| (known.address, known.table, known.bucket, known.places)).collect()
}

/// A life in which peers told of addresses, some of which were ready.
fn a_life() -> Desk {
    let mut desk = Desk::new(81_920);
    for n in 0..2000 {
        let info = AddressInfo::new(public(n * 40)).last_seen(UNIX);
        desk.hear_from(SourceGroup::peer((1 << 64) | u128::from(n % 50)), &info);
        if n % 7 == 0 {
            desk.succeed(&public(n * 40), Services::NETWORK);
        }
    }
    desk
}

#[test]
fn every_address_comes_back_to_its_buckets() {
    let desk = a_life();
    let mut again = Desk::configured(&BookConfig::default(), 77);
    let saved = all_of(&desk.book, desk.unix, desk.now);
    again.book.restore(&saved, Some(desk.book.secret()), &desk.groups, desk.unix, desk.now);
    assert_eq!(places(&again), places(&desk));
    assert_eq!(again.book.secret(), desk.book.secret());
    assert_eq!(again.book.check(), Ok(()));
}

#[test]
fn without_the_secret_only_the_table_comes_back() {
    let desk = a_life();
    let mut again = Desk::configured(&BookConfig::default(), 77);
    again.restore(&all_of(&desk.book, desk.unix, desk.now));
    assert_eq!(again.tried().len(), desk.tried().len());
    assert_ne!(places(&again), places(&desk));
    assert_eq!(again.book.check(), Ok(()));
}

#[test]
fn places_that_were_edited_are_not_believed() {
    let desk = a_life();
    let secret = Some(desk.book.secret());
    let edits: [fn(&mut SavedAddress); 5] = [
        |saved| saved.placement = Placement::New([7; 8].into_iter().collect()),
        |saved| saved.placement = Placement::New((1000..1008).collect()),
        |saved| saved.placement = Placement::New([u16::MAX].into_iter().collect()),
        |saved| saved.placement = Placement::New([].into_iter().collect()),
        |saved| saved.placement = Placement::Tried,
    ];
    for edit in edits {
        let mut saved = all_of(&desk.book, desk.unix, desk.now);
        saved.iter_mut().for_each(edit);
        let mut again = Desk::new(81_920);
        again.book.restore(&saved, secret, &desk.groups, desk.unix, desk.now);
        assert_eq!(again.book.check(), Ok(()));
        assert!(again.tried().iter().all(|view| view.last_success.is_some()), "only what was ready is tried");
        assert!(again.book.len() > 1500, "they are placed anew");
    }
}
