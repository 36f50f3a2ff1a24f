//! What the driver task and the application share: the driver, for its events, and the problems.
//!
//! The driver task holds the lock for one turn, in which nothing blocks; the application holds it to take one event.
//! So neither waits for the other's pace, and events wait where the manager can still withdraw them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use connmgr_core::driver::Driver;
use connmgr_std::{PoolEvent, Problem, Watch};
use tokio::sync::Notify;

use crate::connection::{Connection, Guard};

/// The driver of this adapter.
pub(crate) type TokioDriver = Driver<Guard, Watch>;

/// Problems that may wait; the oldest stay, for they are the cause of the later ones.
const MAX_PROBLEMS: usize = 16;

pub(crate) struct Shared {
    driver: Mutex<TokioDriver>,
    problems: Mutex<VecDeque<Problem>>,
    /// Something may be there to take. There is one taker: the pool.
    news: Notify,
}

impl Shared {
    pub(crate) fn new(driver: TokioDriver) -> Self {
        Self { driver: Mutex::new(driver), problems: Mutex::default(), news: Notify::new() }
    }

    /// The driver, for one turn.
    pub(crate) fn driver(&self) -> MutexGuard<'_, TokioDriver> {
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
        self.news.notify_one();
    }

    /// Wakes the application, or saves it its next wait.
    pub(crate) fn tell_news(&self) {
        self.news.notify_one();
    }

    /// Waits until something may be there to take.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }
}

/// A panic of the driver task reaches the application by way of its join handle, not of its lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
