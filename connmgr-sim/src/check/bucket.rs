//! A token bucket: so many at once, then one in every interval.

use connmgr_core::{Rate, Time};

/// One bucket, full at birth, counted in nanoseconds of credit used up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    /// When it would be full again.
    full_at: u64,
}

impl Bucket {
    /// Takes a token; whether there was one. Where there is no limit there always is.
    pub(crate) fn take(&mut self, rate: &Rate, now: Time) -> bool {
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
    fn a_burst_of_zero_allows_nothing_and_an_interval_of_zero_everything() {
        let mut bucket = Bucket::default();
        assert!(!bucket.take(&Rate { burst: 0, interval: Duration::from_secs(1) }, Time::ZERO));
        assert!(bucket.take(&Rate { burst: 0, interval: Duration::ZERO }, Time::ZERO));
    }
}
