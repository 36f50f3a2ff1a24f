//! What is copied from a manager that asks to be saved: the bans each time, the book less often.
//!
//! A ban is saved within a second, and any peer can cause one at any time. To copy a book of 60 000 addresses takes the
//! event loop 7 ms, to copy 20 bans a microsecond. So the book is copied at most once in `book.save_every`. A book that
//! was left out is copied when that time is over, whether the manager asks again or not.

use std::time::Duration;

use connmgr_core::{ConnManager, Time};

use crate::state::Saver;

/// Passes a manager's state to the saver.
#[derive(Debug)]
pub(super) struct Saving {
    saver: Saver,
    /// The shortest time between two copies of the book.
    every: Duration,
    /// When the book may be copied next.
    next_book: Time,
    /// The manager has asked since the last copy of the book, which was left out.
    book_waits: bool,
}

impl Saving {
    /// The manager started at `now` from what is on disk.
    pub(super) fn new(saver: Saver, every: Duration, now: Time) -> Self {
        Self { saver, every, next_book: now.after(every), book_waits: false }
    }

    /// The manager asks to be saved. Once it has stopped, everything is copied: it does not ask again.
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

    /// Copies a book that was left out, if it is due.
    pub(super) fn handle_timeout(&mut self, manager: &ConnManager, now: Time) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.save(manager, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::{self, Receiver};

    use connmgr_core::{BanTarget, Birth, Config, Input, Snapshot, UnixTime};
    use tempfile::TempDir;

    use super::*;
    use crate::state::StateDir;
    use crate::tests::common::{LONG, snapshot};

    const EVERY: Duration = Duration::from_secs(900);

    /// A manager that knows addresses and bans somebody, and what saves it.
    fn banning() -> (ConnManager, (Saving, Receiver<()>), TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap().0;
        let (end, ended) = mpsc::channel();
        let saver = Saver::start(state, |error| panic!("{error}"), move || end.send(()).unwrap()).unwrap();
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
        (manager, (Saving::new(saver, EVERY, Time::ZERO), ended), dir)
    }

    /// What is on disk when all is written.
    fn written((saving, ended): (Saving, Receiver<()>), dir: &Path) -> Snapshot {
        drop(saving);
        ended.recv_timeout(LONG).expect("the end");
        StateDir::open(dir).unwrap().1.expect("something was saved")
    }

    #[test]
    fn a_ban_is_saved_without_the_book() {
        let (manager, mut saving, dir) = banning();
        saving.0.save(&manager, Time::from_secs(1));
        let written = written(saving, dir.path());
        assert_eq!((written.bans.len(), written.addresses.len()), (1, 0));
    }

    #[test]
    fn a_book_that_was_left_out_is_saved_when_it_is_due() {
        let (manager, mut saving, dir) = banning();
        assert_eq!(saving.0.deadline(), None);
        saving.0.save(&manager, Time::from_secs(1));
        assert_eq!(saving.0.deadline(), Some(Time::from_secs(900)));
        saving.0.handle_timeout(&manager, Time::from_millis(899_999));
        assert_eq!(saving.0.deadline(), Some(Time::from_secs(900)));
        saving.0.handle_timeout(&manager, Time::from_secs(900));
        assert_eq!((saving.0.deadline(), saving.0.next_book), (None, Time::from_secs(1800)));
        assert_eq!(written(saving, dir.path()), manager.snapshot());
    }

    #[test]
    fn a_book_that_is_due_is_saved_at_once() {
        let (manager, mut saving, dir) = banning();
        saving.0.save(&manager, Time::from_secs(900));
        assert_eq!(saving.0.deadline(), None);
        assert_eq!(written(saving, dir.path()), manager.snapshot());
    }

    #[test]
    fn at_the_end_all_is_saved() {
        let (mut manager, mut saving, dir) = banning();
        saving.0.save(&manager, Time::from_secs(1));
        manager.apply(&Input::Shutdown, Time::from_secs(2));
        saving.0.save(&manager, Time::from_secs(2));
        assert_eq!(written(saving, dir.path()), manager.snapshot());
    }
}
