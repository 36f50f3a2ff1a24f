//! Telling a node to stop, from any thread, whatever it waits with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Whether the node is to stop. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Mutex<State>>);

#[derive(Debug)]
enum State {
    /// Not yet. Whoever waits for it is woken.
    Going(Option<Waker>),
    /// For good.
    Stopping,
}

impl Default for State {
    fn default() -> Self {
        Self::Going(None)
    }
}

impl Stop {
    /// It is. Doing it twice does nothing more.
    pub fn stop(&self) {
        let before = std::mem::replace(&mut *self.state(), State::Stopping);
        if let State::Going(Some(waker)) = before {
            waker.wake();
        }
    }

    /// Whether it is; if not, this one is woken when it is. Only the last one asked with is.
    pub fn poll(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.state();
        match &mut *state {
            State::Going(waiting) => {
                *waiting = Some(waker.clone());
                Poll::Pending
            }
            State::Stopping => Poll::Ready(()),
        }
    }

    /// Whether it is.
    pub fn is_stopping(&self) -> bool {
        matches!(*self.state(), State::Stopping)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};
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
