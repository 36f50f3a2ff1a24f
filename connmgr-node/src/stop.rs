//! Stops a node from any thread, on any runtime.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Whether the node must stop. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    state: Arc<Mutex<StopState>>,
    /// The node has started, and will see that it must stop.
    attended: Arc<AtomicBool>,
}

#[derive(Debug)]
enum StopState {
    /// Not yet. This waker waits for it.
    Going(Option<Waker>),
    /// For good.
    Stopping,
}

impl Default for StopState {
    fn default() -> Self {
        Self::Going(None)
    }
}

impl Stop {
    /// Stops the node. A second call does nothing.
    pub fn stop(&self) {
        let before = std::mem::replace(&mut *self.state(), StopState::Stopping);
        if let StopState::Going(Some(waker)) = before {
            waker.wake();
        }
    }

    /// Ready once the node must stop; until then only the last waker given is woken.
    pub fn poll(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.state();
        match &mut *state {
            StopState::Going(waiting) => {
                *waiting = Some(waker.clone());
                Poll::Pending
            }
            StopState::Stopping => Poll::Ready(()),
        }
    }

    /// Whether the node must stop.
    pub fn is_stopping(&self) -> bool {
        matches!(*self.state(), StopState::Stopping)
    }

    /// The node has started: from now on it stops by itself once it must.
    pub fn attend(&self) {
        self.attended.store(true, Ordering::Relaxed);
    }

    /// Whether [`Stop::attend`] was called.
    pub fn is_attended(&self) -> bool {
        self.attended.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, StopState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Wake;

    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_waits_is_woken_and_who_comes_later_need_not_wait() {
        let (stop, flag) = (Stop::default(), Arc::<Flag>::default());
        let waker = Waker::from(Arc::clone(&flag));
        assert!(stop.poll(&waker).is_pending());
        stop.clone().stop();
        assert!(flag.0.load(Ordering::Relaxed) && stop.poll(&waker).is_ready());
    }
}
