//! A pool that is kept by a task of its own: what the task and the application share.
//!
//! ```text
//! Handle ─► requests ┐         ┌────────┐
//!                    ├─► Back ─► Engine ├─► Front ─► events for the application
//! sockets, timer ────┘  (task) └────────┘ (Pool)
//! ```
//! The task has the [`Back`] and takes the [`Engine`]'s lock for one turn, in which nothing blocks; the application has
//! the [`Front`] and takes it for one event. So neither waits for the other's pace, and events wait where the manager
//! can still withdraw them. Neither knows a runtime: both are futures on two bells.

mod back;
mod front;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::bell::Bell;
use crate::engine::Engine;
use crate::requests::Requests;
use crate::sync::lock;
use crate::{Handle, Newborn, Resolve, StartError};

pub use back::{Back, Next};
pub use front::Front;

/// Puts a manager to work: what the task has, and what its application has.
///
/// # Errors
/// [`StartError::System`] when the system refuses a thread.
pub fn open<S>(newborn: Newborn, resolver: Arc<dyn Resolve>) -> Result<(Front<S>, Back<S>), StartError> {
    let bell = Bell::default();
    let ring = bell.clone();
    let engine = Engine::start(newborn, resolver, move || ring.ring())?;
    let requests = Requests::new(bell.clone());
    let handle = Handle::new(requests.clone(), engine.clock().clone());
    let shared = Arc::new(Shared { engine: Mutex::new(engine), news: Bell::default() });
    Ok((Front::new(Arc::clone(&shared), handle), Back::new(shared, requests, bell)))
}

/// What both have.
struct Shared<S> {
    engine: Mutex<Engine<S>>,
    /// Something may be there to take.
    news: Bell,
}

impl<S> Shared<S> {
    /// A panic of the task reaches the application by the end of the task, not by the lock.
    fn engine(&self) -> MutexGuard<'_, Engine<S>> {
        lock(&self.engine)
    }
}

impl<S> fmt::Debug for Shared<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
