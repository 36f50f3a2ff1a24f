//! A bell: that something has come, told any number of times, heard once.
//!
//! A future that knows no runtime, for one listener at a time.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::sync::lock;

/// Rings for the one who listens. Clones are the same bell.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    rung: bool,
    listener: Option<Waker>,
}

impl Bell {
    /// Wakes who listens, or saves it its next wait. Never blocks.
    pub(crate) fn ring(&self) {
        let listener = {
            let mut state = lock(&self.0);
            state.rung = true;
            state.listener.take()
        };
        if let Some(listener) = listener {
            listener.wake();
        }
    }

    /// Waits until it rings, unless it has rung since it was last heard. Dropped before, it loses nothing.
    pub(crate) async fn heard(&self) {
        poll_fn(|cx| self.poll_heard(cx)).await;
    }

    /// Of two who listen the later is woken.
    pub(crate) fn poll_heard(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = lock(&self.0);
        if std::mem::take(&mut state.rung) {
            return Poll::Ready(());
        }
        match &mut state.listener {
            Some(listener) => listener.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").field("rung", &lock(&self.0).rung).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{Count, block_on};

    #[test]
    fn a_bell_that_rang_twice_is_heard_once() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        block_on(bell.heard());
        assert!(bell.poll_heard(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[test]
    fn who_listens_is_woken() {
        let (bell, count) = (Bell::default(), Count::default());
        let waker = count.waker();
        assert!(bell.poll_heard(&mut Context::from_waker(&waker)).is_pending());
        bell.clone().ring();
        assert_eq!(count.get(), 1);
        assert!(bell.poll_heard(&mut Context::from_waker(&waker)).is_ready());
    }
}
