//! Saving off the event loop.

use std::fs;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use connmgr_core::UnixTime;

use super::*;
use crate::tests::common::{LONG, snapshot};

/// A saver, and the receiver of its end.
fn start(dir: StateDir, on_error: impl FnMut(StateError) + Send + 'static) -> (Saver, Receiver<()>) {
    let (end, ended) = mpsc::channel();
    (Saver::start(dir, on_error, move || end.send(()).unwrap_or(())).unwrap(), ended)
}

/// Whether the end is reported in time.
fn finishes((saver, ended): (Saver, Receiver<()>), within: Duration) -> bool {
    drop(saver);
    ended.recv_timeout(within).is_ok()
}

/// A saver without a thread: the test writes what waits, after which nothing more comes.
fn by_hand(newest: Option<Unsaved>) -> Saver {
    let waiting = Mutex::new(Waiting { newest, closed: true });
    Saver(Arc::new(Unwritten { waiting, changed: Condvar::new() }))
}

#[test]
fn what_waits_is_written_before_it_finishes() {
    let dir = tempfile::tempdir().unwrap();
    let saver = start(StateDir::open(dir.path()).unwrap().0, |error| panic!("{error}"));
    let mut newest = snapshot();
    for n in 0..100 {
        newest.addresses[0].last_try = UnixTime::from_secs(n);
        saver.0.save(newest.clone());
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
    let saver = start(state, |error| panic!("{error}"));
    saver.0.save_bans(Vec::new());
    saver.0.save_bans(snapshot().bans);
    assert!(finishes(saver, LONG));
    assert_eq!(StateDir::open(dir.path()).unwrap().1, Some(snapshot()));
}

#[test]
fn bans_that_come_while_a_book_waits_are_written_with_it() {
    let saver = by_hand(None);
    saver.save(Snapshot { bans: Vec::new(), ..snapshot() });
    saver.save_bans(snapshot().bans);
    assert!(matches!(saver.0.next(), Some(Unsaved::All(whole)) if whole == snapshot()));
    assert!(saver.0.next().is_none());
}

#[test]
fn a_failure_is_reported_and_the_next_save_tries_again() {
    let dir = tempfile::tempdir().unwrap();
    let (report, errors) = mpsc::channel();
    let saver = start(StateDir::open(dir.path()).unwrap().0, move |error| report.send(error).unwrap());
    let obstacle = dir.path().join("peers.dat.tmp");
    fs::create_dir(&obstacle).unwrap();
    saver.0.save(snapshot());
    errors.recv_timeout(LONG).expect("an error");
    fs::remove_dir(&obstacle).unwrap();
    saver.0.save(snapshot());
    assert!(finishes(saver, LONG));
    assert_eq!(StateDir::open(dir.path()).unwrap().1, Some(snapshot()));
}

#[test]
fn finishing_does_not_wait_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (entered, has_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let saver = start(StateDir::open(dir.path()).unwrap().0, move |_| {
        entered.send(()).unwrap();
        // The disk hangs, as far as the saver is concerned.
        let _ = released.recv();
    });
    fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
    saver.0.save(Snapshot::default());
    has_entered.recv_timeout(LONG).expect("the saver is at work");
    assert!(!finishes(saver, Duration::from_millis(1)));
    drop(release);
}

#[test]
fn a_panic_of_the_callback_does_not_hang_the_end() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("peers.dat.tmp")).unwrap();
    let saver = start(StateDir::open(dir.path()).unwrap().0, |_| panic!("as a test"));
    saver.0.save(snapshot());
    assert!(finishes(saver, LONG));
}

#[test]
fn a_panic_while_saving_is_reported_and_the_next_save_tries_again() {
    let saver = by_hand(Some(Unsaved::All(Snapshot::default())));
    let (mut saves, mut errors) = (0, Vec::new());
    let save = |_: &Unsaved| {
        saves += 1;
        if saves == 1 {
            lock(&saver.0.waiting).newest = Some(Unsaved::Bans(Vec::new()));
            panic!("a fault of ours");
        }
        Ok(())
    };
    saver.0.write_all(save, |error| errors.push(error.to_string()));
    assert_eq!((saves, errors), (2, vec!["saving has panicked: a fault of ours".to_owned()]));
}
