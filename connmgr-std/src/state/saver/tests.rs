//! Saving off the event loop.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use connmgr_core::{Snapshot, UnixTime};

use super::*;
use crate::tests::common::{LONG, snapshot};

/// A saver, and the receivers of its news and of its end.
struct Running {
    saver: Saver,
    news: Receiver<SaveNews>,
    ended: Receiver<()>,
}

fn start(dir: &Path) -> Running {
    let (tell, news) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    let dir = StateDir::open(dir).unwrap().0;
    let saver = Saver::start(dir, move |news| tell.send(news).unwrap_or(()), move || end.send(()).unwrap_or(()));
    Running { saver: saver.unwrap(), news, ended }
}

impl Running {
    fn next(&self) -> SaveNews {
        self.news.recv_timeout(LONG).expect("news")
    }

    /// Everything that was told, to the end.
    fn finish(self) -> Vec<SaveNews> {
        drop(self.saver);
        self.ended.recv_timeout(LONG).expect("the end");
        self.news.iter().collect()
    }
}

impl Saver {
    /// Has all of it written.
    fn save(&self, snapshot: Snapshot) {
        let (bans, book) = SavedBook::split(snapshot);
        self.save_bans(bans);
        self.save_book(book);
    }
}

/// A saver without a thread.
fn by_hand() -> Saver {
    Saver(Arc::default())
}

/// What a saver without a thread would write, when nothing more comes.
fn left(saver: &Saver) -> Unsaved {
    lock(&saver.0.waiting).closed = true;
    match saver.0.next(None) {
        SaverTurn::WriteLast(unsaved) => unsaved,
        SaverTurn::Write(_) => panic!("it is the last"),
        SaverTurn::End => Unsaved::default(),
    }
}

/// Takes the temporary name of a file.
fn obstruct(dir: &Path, name: &str) -> PathBuf {
    let obstacle = dir.join(format!("{name}.tmp"));
    fs::create_dir(&obstacle).unwrap();
    obstacle
}

/// What is on disk.
fn on_disk(dir: &Path) -> Option<Snapshot> {
    StateDir::open(dir).unwrap().1
}

#[test]
fn what_waits_is_written_before_it_finishes() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path());
    let mut newest = snapshot();
    for n in 0..100 {
        newest.addresses[0].last_try = UnixTime::from_secs(n);
        running.saver.save(newest.clone());
    }
    assert!(running.finish().is_empty());
    // The lock is free again, and the newest of all is what was kept.
    assert_eq!(on_disk(dir.path()), Some(newest));
}

#[test]
fn bans_take_the_place_of_bans_and_leave_the_book_alone() {
    let dir = tempfile::tempdir().unwrap();
    StateDir::open(dir.path()).unwrap().0.save(&Snapshot { bans: Vec::new(), ..snapshot() }).unwrap();
    let running = start(dir.path());
    running.saver.save_bans(Vec::new());
    running.saver.save_bans(snapshot().bans);
    assert!(running.finish().is_empty());
    assert_eq!(on_disk(dir.path()), Some(snapshot()));
}

#[test]
fn bans_that_come_while_a_book_waits_are_written_with_it() {
    let saver = by_hand();
    saver.save(Snapshot { bans: Vec::new(), ..snapshot() });
    saver.save_bans(snapshot().bans);
    let left = left(&saver);
    assert_eq!(left.bans, Some(snapshot().bans));
    assert_eq!(left.book.map(|book| book.slices.concat()), Some(snapshot().addresses));
}

#[test]
fn what_failed_is_tried_again_by_itself_and_its_success_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path());
    let obstacle = obstruct(dir.path(), "bans.json");
    running.saver.save_bans(snapshot().bans);
    let SaveNews::NotSaved(error) = running.next() else { panic!("nothing is saved") };
    assert!(error.to_string().contains("bans.json"), "{error}");
    fs::remove_dir(obstacle).unwrap();
    // Nothing more is asked for.
    assert!(matches!(running.next(), SaveNews::SavedAgain(path) if path.ends_with("bans.json")));
    assert!(dir.path().join("bans.json").exists());
    assert!(running.finish().is_empty());
}

#[test]
fn each_file_that_fails_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path());
    for name in ["bans.json", "peers.dat"] {
        obstruct(dir.path(), name);
    }
    running.saver.save(snapshot());
    let mut files = [running.next(), running.next()].map(|news| match news {
        SaveNews::NotSaved(error) => error.path().unwrap().file_name().unwrap().to_owned(),
        SaveNews::SavedAgain(_) | SaveNews::Lost(_) => panic!("{news:?}"),
    });
    files.sort();
    assert_eq!(files, ["bans.json", "peers.dat"]);
}

#[test]
fn what_can_not_be_saved_at_the_end_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path());
    obstruct(dir.path(), "peers.dat");
    running.saver.save(snapshot());
    let told = running.finish();
    assert!(matches!(told.last(), Some(SaveNews::Lost(_))), "{told:?}");
    assert_eq!(on_disk_of(dir.path()), Some(Snapshot { bans: snapshot().bans, ..Snapshot::default() }));
}

/// What is on disk, once nothing is in the way.
fn on_disk_of(dir: &Path) -> Option<Snapshot> {
    fs::remove_dir(dir.join("peers.dat.tmp")).unwrap();
    on_disk(dir)
}

#[test]
fn what_failed_is_tried_once_more_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let running = start(dir.path());
    let obstacle = obstruct(dir.path(), "peers.dat");
    running.saver.save(snapshot());
    assert!(matches!(running.next(), SaveNews::NotSaved(_)));
    fs::remove_dir(obstacle).unwrap();
    let told = running.finish();
    assert!(told.iter().all(|news| matches!(news, SaveNews::SavedAgain(_))), "{told:?}");
    assert_eq!(on_disk(dir.path()), Some(snapshot()));
}

#[test]
fn the_same_failure_is_told_once_and_again_after_a_success() {
    let dir = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    let mut writer = StateWriter::new(StateDir::open(dir.path()).unwrap().0, |news| told.push(news));
    let bans = |bans: Vec<SavedBan>| Unsaved { bans: Some(bans), book: None };
    let obstacle = obstruct(dir.path(), "bans.json");
    for _ in 0..3 {
        assert!(!writer.write(bans(snapshot().bans), SaveNews::NotSaved).is_empty());
    }
    fs::remove_dir(obstacle).unwrap();
    assert!(writer.write(bans(snapshot().bans), SaveNews::NotSaved).is_empty());
    obstruct(dir.path(), "bans.json");
    assert!(!writer.write(bans(Vec::new()), SaveNews::NotSaved).is_empty());
    drop(writer);
    assert!(matches!(told[..], [SaveNews::NotSaved(_), SaveNews::SavedAgain(_), SaveNews::NotSaved(_)]), "{told:?}");
}

#[test]
fn something_newer_is_never_replaced_by_what_failed() {
    let saver = by_hand();
    saver.save_bans(snapshot().bans);
    let older = Unsaved { bans: Some(Vec::new()), book: Some(SavedBook::default()) };
    saver.0.put_back(older);
    let left = left(&saver);
    assert_eq!((left.bans, left.book.is_some()), (Some(snapshot().bans), true));
}

#[test]
fn the_waits_double_up_to_30_s_and_begin_anew_after_a_success() {
    let now = Instant::now();
    let mut backoff = SaveBackoff::default();
    let mut waits = |is_saved: bool| {
        backoff.note(is_saved, now);
        backoff.retry_at.map(|at| at.duration_since(now).as_secs())
    };
    let failing: Vec<_> = (0..8).filter_map(|_| waits(false)).collect();
    assert_eq!(failing, [1, 2, 4, 8, 16, 30, 30, 30]);
    assert_eq!((waits(true), waits(false)), (None, Some(1)));
}

#[test]
fn finishing_does_not_wait_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (entered, has_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let (end, ended) = mpsc::channel();
    let hang = move |_| {
        entered.send(()).unwrap();
        // The disk hangs, as far as the saver is concerned.
        let _ = released.recv();
    };
    let state = StateDir::open(dir.path()).unwrap().0;
    let saver = Saver::start(state, hang, move || end.send(()).unwrap_or(())).unwrap();
    obstruct(dir.path(), "peers.dat");
    saver.save(Snapshot::default());
    has_entered.recv_timeout(LONG).expect("the saver is at work");
    drop(saver);
    assert!(ended.recv_timeout(Duration::from_millis(1)).is_err());
    drop(release);
}

#[test]
fn a_panic_of_the_callback_does_not_hang_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (end, ended) = mpsc::channel();
    let state = StateDir::open(dir.path()).unwrap().0;
    obstruct(dir.path(), "peers.dat");
    let saver = Saver::start(state, |_| panic!("as a test"), move || end.send(()).unwrap_or(())).unwrap();
    saver.save(snapshot());
    drop(saver);
    ended.recv_timeout(LONG).expect("the end");
}

#[test]
fn a_panic_while_saving_is_a_failure_like_any_other() {
    let error = guarded(|| panic!("a fault of ours")).unwrap_err();
    assert_eq!(error.to_string(), "saving has panicked: a fault of ours");
}
