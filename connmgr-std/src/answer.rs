//! An answer that somebody waits for, told once; or never, when whoever should tell it is gone.
//!
//! A future that knows no runtime.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::sync::lock;

/// An answer to come: who tells it, and who waits for it.
pub(crate) fn answer<T>() -> (Teller<T>, Answer<T>) {
    let state = Arc::new(Mutex::new(State::Awaited(None)));
    (Teller(Arc::clone(&state)), Answer(state))
}

enum State<T> {
    /// Who is to be woken, if somebody waits already.
    Awaited(Option<Waker>),
    Told(T),
    /// It never comes, or has been taken.
    Over,
}

/// Tells the answer. Dropped, there is none.
pub(crate) struct Teller<T>(Arc<Mutex<State<T>>>);

impl<T> Teller<T> {
    /// Whoever waited may have gone.
    pub(crate) fn tell(self, value: T) {
        self.settle(State::Told(value));
    }

    fn settle(&self, end: State<T>) {
        let mut state = lock(&self.0);
        if let State::Awaited(waiting) = &mut *state {
            let waiting = waiting.take();
            *state = end;
            drop(state);
            if let Some(waker) = waiting {
                waker.wake();
            }
        }
    }
}

impl<T> Drop for Teller<T> {
    fn drop(&mut self) {
        self.settle(State::Over);
    }
}

/// Waits for the answer.
pub(crate) struct Answer<T>(Arc<Mutex<State<T>>>);

impl<T> Answer<T> {
    /// The answer; none when it never comes.
    pub(crate) async fn take(mut self) -> Option<T> {
        poll_fn(|cx| self.poll_take(cx)).await
    }

    /// None when it never comes, and after it was taken.
    pub(crate) fn poll_take(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = lock(&self.0);
        if let State::Awaited(waiting) = &mut *state {
            *waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        match std::mem::replace(&mut *state, State::Over) {
            State::Told(value) => Poll::Ready(Some(value)),
            State::Awaited(_) | State::Over => Poll::Ready(None),
        }
    }
}

impl<T> fmt::Debug for Teller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Teller")
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Count, block_on};

    #[test]
    fn an_answer_that_was_told_is_there_once() {
        let (teller, mut taker) = answer();
        teller.tell(7);
        let cx = &mut Context::from_waker(Waker::noop());
        assert_eq!(taker.poll_take(cx), Poll::Ready(Some(7)));
        assert_eq!(taker.poll_take(cx), Poll::Ready(None));
    }

    #[test]
    fn who_waits_is_woken_by_the_answer_or_its_absence() {
        for told in [Some(7), None] {
            let ((teller, mut taker), count) = (answer(), Count::default());
            assert!(taker.poll_take(&mut Context::from_waker(&count.waker())).is_pending());
            match told {
                Some(value) => teller.tell(value),
                None => drop(teller),
            }
            assert_eq!((count.get(), block_on(taker.take())), (1, told));
        }
    }
}
