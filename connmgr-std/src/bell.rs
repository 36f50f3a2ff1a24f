//! A wake-up call between tasks and threads. Rung any number of times, it is heard once. It knows no runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use atomic_waker::AtomicWaker;

/// Wakes one listener. Clones are the same bell.
#[derive(Clone, Debug, Default)]
pub(crate) struct WakeBell(Arc<BellState>);

#[derive(Debug, Default)]
struct BellState {
    rung: AtomicBool,
    listener: AtomicWaker,
}

impl WakeBell {
    /// Wakes the listener, or makes its next wait end at once. Never blocks.
    pub(crate) fn ring(&self) {
        self.0.rung.store(true, Ordering::Release);
        self.0.listener.wake();
    }

    /// Ready if it has rung since it was last heard. Of several listeners only the latest is woken.
    pub(crate) fn poll_heard(&self, cx: &mut Context<'_>) -> Poll<()> {
        // A listener that need not wait registers no waker: a later ring would wake its task for nothing.
        if self.take_rung() {
            return Poll::Ready(());
        }
        self.0.listener.register(cx.waker());
        // It may have rung before there was a waker.
        if self.take_rung() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn take_rung(&self) -> bool {
        self.0.rung.swap(false, Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::tests::Count;

    #[test]
    fn a_bell_that_rang_twice_is_heard_once() {
        let bell = WakeBell::default();
        bell.ring();
        bell.ring();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(bell.poll_heard(cx).is_ready());
        assert!(bell.poll_heard(cx).is_pending());
    }

    #[test]
    fn a_listener_is_woken() {
        let (bell, count) = (WakeBell::default(), Count::default());
        let waker = count.waker();
        assert!(bell.poll_heard(&mut Context::from_waker(&waker)).is_pending());
        bell.clone().ring();
        assert_eq!(count.get(), 1);
        assert!(bell.poll_heard(&mut Context::from_waker(&waker)).is_ready());
    }
}
