//! Saving off the event loop.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use connmgr_core::UnixTime;

use super::*;
use crate::tests::common::{LONG, snapshot};

/// Whether the end is told within so long.
fn finishes(saver: Saver, within: Duration) -> bool {
    let (tell, told) = mpsc::channel();
    saver.finish(move || tell.send(()).unwrap_or(()));
    told.recv_timeout(within).is_ok()
}

#[test]
fn what_waits_is_written_before_it_finishes() {
    let dir = tempfile::tempdir().unwrap();
    let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, |error| panic!("{error}")).unwrap();
    let mut newest = snapshot();
    for n in 0..100 {
        newest.addresses[0].last_try = UnixTime::from_secs(n);
        saver.save(newest.clone());
    }
    assert!(finishes(saver, LONG));
    // The lock is free again, and the newest of all is what was kept.
    let (_dir, loaded, _) = StateDir::open(dir.path()).unwrap();
    assert_eq!(loaded, Some(newest));
}

#[test]
fn bans_take_the_place_of_bans_and_leave_the_book_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = StateDir::open(dir.path()).unwrap().0;
    state.save(&Snapshot { bans: Vec::new(), ..snapshot() }).unwrap();
    let saver = Saver::start(state, |error| panic!("{error}")).unwrap();
    saver.save_bans(Vec::new());
    saver.save_bans(snapshot().bans);
    assert!(finishes(saver, LONG));
    assert_eq!(StateDir::open(dir.path()).unwrap().1, Some(snapshot()));
}

#[test]
fn bans_that_come_while_a_book_waits_are_written_with_it() {
    let desk = Mutex::new(Desk { waiting: None, closed: true, end: End::ToCome });
    let saver = Saver { shared: Arc::new(Shared { desk, changed: Condvar::new() }) };
    saver.save(Snapshot { bans: Vec::new(), ..snapshot() });
    saver.save_bans(snapshot().bans);
    assert!(matches!(next(&saver.shared), Some(Unsaved::All(whole)) if whole == snapshot()));
    assert!(next(&saver.shared).is_none());
}

#[test]
fn a_failure_is_reported_and_the_next_save_tries_again() {
    let dir = tempfile::tempdir().unwrap();
    let (report, errors) = mpsc::channel();
    let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, move |error| report.send(error).unwrap()).unwrap();
    let obstacle = dir.path().join("peers.dat.tmp");
    fs::create_dir(&obstacle).unwrap();
    saver.save(snapshot());
    errors.recv_timeout(LONG).expect("an error");
    fs::remove_dir(&obstacle).unwrap();
    saver.save(snapshot());
    assert!(finishes(saver, LONG));
    assert_eq!(StateDir::open(dir.path()).unwrap().1, Some(snapshot()));
}

#[test]
fn finishing_does_not_wait_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (entered, has_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, move |_| {
        entered.send(()).unwrap();
        // The disk hangs, as far as the saver is concerned.
        let _ = released.recv();
    })
    .unwrap();
    fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
    saver.save(Snapshot::default());
    has_entered.recv_timeout(LONG).expect("the saver is at work");
    assert!(!finishes(saver, Duration::from_millis(1)));
    drop(release);
}

#[test]
fn a_panic_of_the_callback_does_not_hang_the_end() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
    let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, |_| panic!("as a test")).unwrap();
    saver.save(snapshot());
    assert!(finishes(saver, LONG));
}

#[test]
fn who_asks_after_the_end_is_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
    let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, |_| panic!("as a test")).unwrap();
    saver.save(snapshot());
    // Free again once the thread has died of it.
    while StateDir::open(dir.path()).is_err() {
        std::thread::yield_now();
    }
    assert!(finishes(saver, LONG));
}

#[test]
fn a_panic_while_saving_is_reported_and_the_next_save_tries_again() {
    let desk = Mutex::new(Desk { waiting: Some(Unsaved::All(Snapshot::default())), closed: true, end: End::ToCome });
    let shared = Shared { desk, changed: Condvar::new() };
    let (mut saves, mut errors) = (0, Vec::new());
    let save = |_: &Unsaved| {
        saves += 1;
        if saves == 1 {
            lock(&shared.desk).waiting = Some(Unsaved::Bans(Vec::new()));
            panic!("a fault of ours");
        }
        Ok(())
    };
    run(&shared, save, |error| errors.push(error.to_string()));
    assert_eq!((saves, errors), (2, vec!["saving has panicked: a fault of ours".to_owned()]));
}
