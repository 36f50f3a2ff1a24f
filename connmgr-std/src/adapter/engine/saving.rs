//! What is taken of a manager when it asks to be saved: the bans each time, the book not so often.
//!
//! A ban is saved within a second, and anybody can earn one at any time. A copy of a book of 60 000 addresses takes the
//! event loop 7 ms, one of 20 bans a microsecond. So the book is copied at most once in `book.save_every`. One that was left out is copied
//! when that time is over, whether the manager asks again or not: a change of the book waits no longer than before.

use std::time::Duration;

use connmgr_core::{ConnManager, Time};

use crate::state::Saver;

/// Has a manager's state saved.
#[derive(Debug)]
pub(super) struct Saving {
    saver: Saver,
    /// From one copy of the book to the next.
    every: Duration,
    /// When the book may be copied next.
    next_book: Time,
    /// The manager has asked since the last copy, and the book was left out.
    book_waits: bool,
}

impl Saving {
    /// What is on disk is what the manager started from at `now`.
    pub(super) fn new(saver: Saver, every: Duration, now: Time) -> Self {
        Self { saver, every, next_book: now.after(every), book_waits: false }
    }

    /// The manager asks to be saved. When it has stopped it does so for the last time, and all is taken.
    pub(super) fn save(&mut self, manager: &ConnManager, now: Time) {
        self.book_waits = now < self.next_book && !manager.is_stopped();
        if self.book_waits {
            self.saver.save_bans(manager.saved_bans());
        } else {
            self.next_book = now.after(self.every);
            self.saver.save(manager.snapshot());
        }
    }

    /// When a book that was left out is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.book_waits.then_some(self.next_book)
    }

    /// Takes a book that was left out, if it is due.
    pub(super) fn handle_timeout(&mut self, manager: &ConnManager, now: Time) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.save(manager, now);
        }
    }

    /// As [`Saver::finish`].
    pub(super) fn finish(self, on_end: impl FnOnce() + Send + 'static) {
        self.saver.finish(on_end);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc;

    use connmgr_core::{BanTarget, Birth, Config, Input, Snapshot, UnixTime};
    use tempfile::TempDir;

    use super::*;
    use crate::state::StateDir;
    use crate::tests::common::{LONG, snapshot};

    const EVERY: Duration = Duration::from_secs(900);

    /// A manager that knows addresses and bans somebody, and what saves it.
    fn banning() -> (ConnManager, Saving, TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let saver = Saver::start(StateDir::open(dir.path()).unwrap().0, |error| panic!("{error}")).unwrap();
        let known = Snapshot { bans: Vec::new(), ..snapshot() };
        let unix = UnixTime::from_secs(1_700_000_000);
        let mut manager = ConnManager::new(Birth {
            config: Config::default(),
            snapshot: Some(known),
            rng_seed: [7; 32],
            unix,
            now: Time::ZERO,
        })
        .unwrap();
        let target = BanTarget::Host("9.9.9.9".parse().unwrap());
        manager.apply(&Input::Ban { target, duration: Duration::from_secs(86_400) }, Time::ZERO);
        (manager, Saving::new(saver, EVERY, Time::ZERO), dir)
    }

    /// What is on disk when all is written.
    fn written(saving: Saving, dir: &Path) -> Snapshot {
        let (tell, told) = mpsc::channel();
        saving.finish(move || tell.send(()).unwrap());
        told.recv_timeout(LONG).expect("the end");
        StateDir::open(dir).unwrap().1.expect("something was saved")
    }

    #[test]
    fn a_ban_is_saved_without_the_book() {
        let (manager, mut saving, dir) = banning();
        saving.save(&manager, Time::from_secs(1));
        let written = written(saving, dir.path());
        assert_eq!((written.bans.len(), written.addresses.len()), (1, 0));
    }

    #[test]
    fn a_book_that_was_left_out_is_saved_when_it_is_due() {
        let (manager, mut saving, dir) = banning();
        assert_eq!(saving.deadline(), None);
        saving.save(&manager, Time::from_secs(1));
        assert_eq!(saving.deadline(), Some(Time::from_secs(900)));
        saving.handle_timeout(&manager, Time::from_millis(899_999));
        assert_eq!(saving.deadline(), Some(Time::from_secs(900)));
        saving.handle_timeout(&manager, Time::from_secs(900));
        assert_eq!((saving.deadline(), saving.next_book), (None, Time::from_secs(1800)));
        assert_eq!(written(saving, dir.path()), manager.snapshot());
    }

    #[test]
    fn a_book_that_is_due_is_saved_at_once() {
        let (manager, mut saving, dir) = banning();
        saving.save(&manager, Time::from_secs(900));
        assert_eq!(saving.deadline(), None);
        assert_eq!(written(saving, dir.path()), manager.snapshot());
    }

    #[test]
    fn at_the_end_all_is_saved() {
        let (mut manager, mut saving, dir) = banning();
        saving.save(&manager, Time::from_secs(1));
        manager.apply(&Input::Shutdown, Time::from_secs(2));
        saving.save(&manager, Time::from_secs(2));
        assert_eq!(written(saving, dir.path()), manager.snapshot());
    }
}
