//! A token bucket: a burst at once, then one in every interval.

use connmgr_core::{Rate, Time};

/// One bucket. It starts full.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenBucket {
    /// When it will be full again, in nanoseconds.
    full_at: u64,
}

impl TokenBucket {
    /// Takes a token, if there is one. With an interval of zero there always is.
    pub fn take(&mut self, rate: &Rate, now: Time) -> bool {
        let interval = u64::try_from(rate.interval.as_nanos()).unwrap_or(u64::MAX);
        if interval == 0 {
            return true;
        }
        let begin = self.full_at.max(now.as_nanos());
        let Some(end) = begin.checked_add(interval) else {
            // It would be full again after the end of time: a token is left only at the end itself.
            return now == Time::MAX;
        };
        let burst = interval.saturating_mul(rate.burst.into());
        if end.saturating_sub(now.as_nanos()) > burst {
            return false;
        }
        self.full_at = end;
        true
    }

    /// Gives tokens back.
    pub fn give_back(&mut self, rate: &Rate, count: u32) {
        let interval = u64::try_from(rate.interval.as_nanos()).unwrap_or(u64::MAX);
        self.full_at = self.full_at.saturating_sub(interval.saturating_mul(count.into()));
    }

    /// When the next token is there, `now` at the soonest; [`Time::MAX`] if the burst is 0, and where [`take`](Self::take)
    /// finds none because of the end of time.
    pub fn ready_at(&self, rate: &Rate, now: Time) -> Time {
        let interval = u64::try_from(rate.interval.as_nanos()).unwrap_or(u64::MAX);
        if interval == 0 {
            return now;
        }
        let Some(before) = rate.burst.checked_sub(1) else { return Time::MAX };
        if self.full_at.max(now.as_nanos()).checked_add(interval).is_none() {
            return Time::MAX;
        }
        Time::from_nanos(self.full_at.saturating_sub(interval.saturating_mul(before.into()))).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn where_time_ends_no_token_is_promised_that_can_not_be_taken() {
        let rate = Rate { burst: 3, interval: Duration::from_secs(5) };
        let end = Time::MAX.as_nanos();
        for now in [end - 6_000_000_000, end - 4_000_000_000, end].map(Time::from_nanos) {
            let mut bucket = TokenBucket::default();
            for _ in 0..3 {
                let is_promised = bucket.ready_at(&rate, now) == now;
                assert_eq!(bucket.take(&rate, now), is_promised, "at {now:?}");
            }
        }
    }

    #[test]
    fn a_burst_is_allowed_and_then_one_in_every_interval() {
        let rate = Rate { burst: 3, interval: Duration::from_secs(5) };
        let mut bucket = TokenBucket::default();
        let taken =
            |bucket: &mut TokenBucket, now| (0..10).filter(|_| bucket.take(&rate, Time::from_secs(now))).count();
        assert_eq!([0, 4, 5, 9, 10, 20].map(|now| taken(&mut bucket, now)), [3, 0, 1, 0, 1, 2]);
    }

    #[test]
    fn a_token_is_there_when_it_is_said_to_be_and_not_before() {
        let rate = Rate { burst: 3, interval: Duration::from_secs(5) };
        let mut bucket = TokenBucket::default();
        let mut now = Time::ZERO;
        for _ in 0..20 {
            let ready_at = bucket.ready_at(&rate, now);
            let before = Time::from_nanos(ready_at.as_nanos().saturating_sub(1));
            assert!(before < now || ready_at == now || !bucket.clone().take(&rate, before));
            now = ready_at;
            assert!(bucket.take(&rate, now));
        }
        assert_eq!(bucket.ready_at(&Rate { burst: 0, ..rate }, now), Time::MAX);
    }

    #[test]
    fn a_burst_of_zero_allows_nothing_and_an_interval_of_zero_everything() {
        let mut bucket = TokenBucket::default();
        assert!(!bucket.take(&Rate { burst: 0, interval: Duration::from_secs(1) }, Time::ZERO));
        assert!(bucket.take(&Rate { burst: 0, interval: Duration::ZERO }, Time::ZERO));
    }
}
