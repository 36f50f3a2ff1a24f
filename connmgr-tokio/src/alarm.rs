//! The one timer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use connmgr_core::Time;
use connmgr_std::adapter::Clock;
use tokio::time::{Instant, Sleep, sleep_until};

/// Rings once, not before the time it is set to.
#[derive(Debug)]
pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    /// When it rings; none: never.
    set_to: Option<Time>,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self { sleep: Box::pin(unset()), set_to: None }
    }

    /// Costs nothing when nothing changes.
    pub(crate) fn set(&mut self, deadline: Option<Time>, clock: &Clock) {
        if self.set_to == deadline {
            return;
        }
        self.set_to = deadline;
        match deadline {
            Some(deadline) => self.sleep.as_mut().reset(Instant::from_std(clock.instant(deadline))),
            // The one before would wake the task for nothing.
            None => self.sleep.set(unset()),
        }
    }

    /// Ready at the time it is set to, and then no longer set.
    pub(crate) fn poll_ring(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.set_to.is_some() {
            ready!(self.sleep.as_mut().poll(cx));
            self.set_to = None;
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

/// A timer that wakes nobody until it is reset.
fn unset() -> Sleep {
    sleep_until(Instant::now())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn ring(alarm: &mut Alarm) {
        poll_fn(|cx| alarm.poll_ring(cx)).await;
    }

    #[tokio::test]
    async fn the_alarm_rings_once_and_not_before_its_time() {
        let (clock, mut alarm) = (Clock::start(), Alarm::new());
        for wait in [20, 5, 0] {
            let deadline = clock.now().after(Duration::from_millis(wait));
            alarm.set(Some(deadline), &clock);
            ring(&mut alarm).await;
            assert!(clock.now() >= deadline);
        }
        let again = timeout(Duration::from_millis(10), ring(&mut alarm)).await;
        assert!(again.is_err());
    }

    #[tokio::test]
    async fn an_alarm_that_is_set_anew_forgets_what_it_was_set_to() {
        let (clock, mut alarm) = (Clock::start(), Alarm::new());
        alarm.set(Some(Time::from_secs(3600)), &clock);
        alarm.set(Some(Time::from_millis(10)), &clock);
        ring(&mut alarm).await;
        alarm.set(Some(Time::from_millis(10)), &clock);
        alarm.set(None, &clock);
        assert!(timeout(Duration::from_millis(10), ring(&mut alarm)).await.is_err());
    }

    #[tokio::test]
    async fn nobody_is_woken_by_an_alarm_that_is_no_longer_set() {
        let (clock, mut alarm, woken) = (Clock::start(), Alarm::new(), Arc::new(Count::default()));
        let waker = Waker::from(Arc::clone(&woken));
        for wakes in [1, 0] {
            let deadline = clock.now().after(Duration::from_millis(100));
            alarm.set(Some(deadline), &clock);
            assert!(alarm.poll_ring(&mut Context::from_waker(&waker)).is_pending());
            if wakes == 0 {
                alarm.set(None, &clock);
            }
            // Timers ring in the order of their times.
            sleep_until(Instant::from_std(clock.instant(deadline)) + Duration::from_millis(5)).await;
            assert_eq!(woken.0.swap(0, Ordering::SeqCst), wakes);
        }
    }
}
