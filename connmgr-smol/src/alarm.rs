//! The one timer.

use std::task::{Context, Poll, ready};

use async_io::Timer;
use connmgr_core::Time;
use connmgr_std::adapter::Clock;
use futures_lite::FutureExt;

/// Rings once, not before the time it is set to.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: Timer,
    /// When it rings; none: never.
    set_to: Option<Time>,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self { timer: Timer::never(), set_to: None }
    }

    /// Costs nothing when nothing changes.
    pub(crate) fn set(&mut self, deadline: Option<Time>, clock: &Clock) {
        if self.set_to == deadline {
            return;
        }
        self.set_to = deadline;
        match deadline {
            Some(deadline) => self.timer.set_at(clock.instant(deadline)),
            // The one before would wake the task for nothing.
            None => self.timer = Timer::never(),
        }
    }

    /// Ready at the time it is set to, and then no longer set.
    pub(crate) fn poll_ring(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.set_to.is_some() {
            ready!(self.timer.poll(cx));
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

    use futures_lite::future::block_on;

    use super::*;

    /// Whether it rings before so many milliseconds are over.
    fn rings_within(alarm: &mut Alarm, millis: u64) -> bool {
        let rings = async {
            poll_fn(|cx| alarm.poll_ring(cx)).await;
            true
        };
        let patience = async {
            Timer::after(Duration::from_millis(millis)).await;
            false
        };
        block_on(rings.or(patience))
    }

    #[test]
    fn the_alarm_rings_once_and_not_before_its_time() {
        let (clock, mut alarm) = (Clock::start(), Alarm::new());
        for wait in [20, 5, 0] {
            let deadline = clock.now().after(Duration::from_millis(wait));
            alarm.set(Some(deadline), &clock);
            assert!(rings_within(&mut alarm, 20_000));
            assert!(clock.now() >= deadline);
        }
        assert!(!rings_within(&mut alarm, 10));
    }

    #[test]
    fn an_alarm_that_is_set_anew_forgets_what_it_was_set_to() {
        let (clock, mut alarm) = (Clock::start(), Alarm::new());
        alarm.set(Some(Time::from_secs(3600)), &clock);
        alarm.set(Some(Time::from_millis(10)), &clock);
        assert!(rings_within(&mut alarm, 20_000));
        alarm.set(Some(Time::from_millis(10)), &clock);
        alarm.set(None, &clock);
        assert!(!rings_within(&mut alarm, 10));
    }
}
