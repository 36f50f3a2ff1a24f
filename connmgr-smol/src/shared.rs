//! What the driver task and the application share: the driver, for its events, and the problems.
//!
//! The driver task holds the lock for one turn, in which nothing blocks; the application holds it to take one event.
//! So neither waits for the other's pace, and events wait where the manager can still withdraw them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_channel::Receiver;
use connmgr_core::driver::Driver;
use connmgr_std::{PoolEvent, Problem, Watch};

use crate::bell::Bell;
use crate::connection::{Connection, Guard};

/// The driver of this adapter.
pub(crate) type SmolDriver = Driver<Guard, Watch>;

/// Problems that may wait; the oldest stay, for they are the cause of the later ones.
const MAX_PROBLEMS: usize = 16;

pub(crate) struct Shared {
    driver: Mutex<SmolDriver>,
    problems: Mutex<VecDeque<Problem>>,
    /// Something may be there to take.
    bell: Bell,
    /// There is one taker: the pool.
    news: Receiver<()>,
}

impl Shared {
    pub(crate) fn new(driver: SmolDriver) -> Self {
        let (bell, news) = Bell::new();
        Self { driver: Mutex::new(driver), problems: Mutex::default(), bell, news }
    }

    /// The driver, for one turn.
    pub(crate) fn driver(&self) -> MutexGuard<'_, SmolDriver> {
        lock(&self.driver)
    }

    /// What the application is to know next.
    pub(crate) fn take(&self) -> Option<PoolEvent<Connection>> {
        if let Some(problem) = lock(&self.problems).pop_front() {
            return Some(PoolEvent::Problem(problem));
        }
        let event = self.driver().poll_event()?;
        Some(PoolEvent::from_driver(event, Connection::new))
    }

    /// The problems that nobody has taken.
    pub(crate) fn take_problems(&self) -> Vec<Problem> {
        lock(&self.problems).drain(..).collect()
    }

    /// Has the application know of a problem.
    pub(crate) fn report(&self, problem: Problem) {
        let mut problems = lock(&self.problems);
        if problems.len() < MAX_PROBLEMS {
            problems.push_back(problem);
        }
        drop(problems);
        self.tell_news();
    }

    /// Wakes the application, or saves it its next wait.
    pub(crate) fn tell_news(&self) {
        self.bell.ring();
    }

    /// Waits until something may be there to take. Dropped before, it loses nothing.
    pub(crate) async fn news(&self) {
        // This has the bell itself, so it is not gone.
        let _ = self.news.recv().await;
    }
}

/// A panic of the driver task reaches the application by the pool's end, not by its lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
