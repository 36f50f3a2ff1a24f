//! A token bucket: so many at once, then one in every interval.

use connmgr_core::{Rate, Time};

/// One bucket, full at birth, counted in nanoseconds of credit used up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// When it would be full again.
    full_at: u64,
}

impl Bucket {
    /// Takes a token; whether there was one. Where there is no limit there always is.
    pub fn take(&mut self, rate: &Rate, now: Time) -> bool {
        let interval = u64::try_from(rate.interval.as_nanos()).unwrap_or(u64::MAX);
        if interval == 0 {
            return true;
        }
        let begin = self.full_at.max(now.as_nanos());
        let Some(end) = begin.checked_add(interval) else {
            // Such a token comes at the end of time.
            return now == Time::MAX;
        };
        let burst = interval.saturating_mul(rate.burst.into());
        if end.saturating_sub(now.as_nanos()) > burst {
            return false;
        }
        self.full_at = end;
        true
    }
}

impl Bucket {
    /// When there is a token again, from now on; at the end of time if there never is one.
    pub fn ready_at(&self, rate: &Rate, now: Time) -> Time {
        let interval = u64::try_from(rate.interval.as_nanos()).unwrap_or(u64::MAX);
        if interval == 0 {
            return now;
        }
        let Some(before) = rate.burst.checked_sub(1) else { return Time::MAX };
        Time::from_nanos(self.full_at.saturating_sub(interval.saturating_mul(before.into()))).max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn a_burst_is_allowed_and_then_one_in_every_interval() {
        let rate = Rate { burst: 3, interval: Duration::from_secs(5) };
        let mut bucket = Bucket::default();
        let taken = |bucket: &mut Bucket, now| (0..10).filter(|_| bucket.take(&rate, Time::from_secs(now))).count();
        assert_eq!([0, 4, 5, 9, 10, 20].map(|now| taken(&mut bucket, now)), [3, 0, 1, 0, 1, 2]);
    }

    #[test]
    fn a_token_is_there_when_it_is_said_to_be_and_not_before() {
        let rate = Rate { burst: 3, interval: Duration::from_secs(5) };
        let mut bucket = Bucket::default();
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
        let mut bucket = Bucket::default();
        assert!(!bucket.take(&Rate { burst: 0, interval: Duration::from_secs(1) }, Time::ZERO));
        assert!(bucket.take(&Rate { burst: 0, interval: Duration::ZERO }, Time::ZERO));
    }
}
