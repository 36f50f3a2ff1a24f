//! The one timer.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use connmgr_core::Time;
use connmgr_std::Clock;
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
        Self { sleep: Box::pin(sleep_until(Instant::now())), set_to: None }
    }

    /// Costs nothing when nothing changes.
    pub(crate) fn set(&mut self, deadline: Option<Time>, clock: &Clock) {
        if self.set_to == deadline {
            return;
        }
        self.set_to = deadline;
        if let Some(deadline) = deadline {
            self.sleep.as_mut().reset(Instant::from_std(clock.instant(deadline)));
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

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
}
