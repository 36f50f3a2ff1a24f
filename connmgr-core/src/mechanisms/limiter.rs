//! Rate limits: a burst, then one in every interval.
//!
//! A token bucket, kept as the time at which it will be full again instead of a count of tokens (the generic cell rate
//! algorithm, ITU-T I.371 annex A): nothing has to be refilled, and no rounding adds up. It knows no clock, and not
//! what is limited.

use core::hash::Hash;

use crate::config::Rate;
use crate::mechanisms::hasher::Folding;
use crate::mechanisms::lru::Lru;
use crate::types::{Time, nanos};

/// One token bucket, full at birth. The caller gives its [`Rate`], which may change from call to call.
///
/// An interval of 0 means no limit; otherwise a burst of 0 allows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    full_at: Time,
}

impl Bucket {
    /// Takes a token. Returns false if there is none.
    #[inline]
    pub(crate) fn take(&mut self, rate: &Rate, now: Time) -> bool {
        let is_ready = self.ready_at(rate, now) <= now;
        if is_ready {
            self.full_at = self.full_at.max(now).after(rate.interval);
        }
        is_ready
    }

    /// Gives `count` tokens back. The bucket never holds more than its burst.
    pub(crate) fn give_back(&mut self, rate: &Rate, count: u32) {
        let earlier = nanos(rate.interval).saturating_mul(count.into());
        self.full_at = Time::from_nanos(self.full_at.as_nanos().saturating_sub(earlier));
    }

    /// When it will be full again if nothing is taken.
    pub(crate) const fn full_at(&self) -> Time {
        self.full_at
    }

    /// When there is a token: `now` if there is one, [`Time::MAX`] if never.
    pub(crate) fn ready_at(&self, rate: &Rate, now: Time) -> Time {
        if rate.interval.is_zero() {
            return now;
        }
        let Some(others) = rate.burst.checked_sub(1) else {
            return Time::MAX;
        };
        let full_at = self.full_at.max(now).as_nanos();
        let interval = nanos(rate.interval);
        if full_at.checked_add(interval).is_none() {
            return Time::MAX;
        }
        Time::from_nanos(full_at.saturating_sub(interval.saturating_mul(others.into()))).max(now)
    }
}

/// A bucket for each key used lately, all with one rate.
///
/// A key without a bucket counts as full. So forgetting the key least recently used can only allow too much, and that
/// key is the one most nearly full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limiter<K: Clone + Eq + Hash>(Lru<K, Bucket>);

impl<K: Clone + Eq + Hash> Limiter<K> {
    /// No buckets; at most `max_keys` at once (0 counts as 1).
    pub(crate) fn new(max_keys: u32, keyed: Folding) -> Self {
        Self(Lru::new(max_keys, keyed))
    }

    /// Takes a token of `key`. Returns false if there is none.
    pub(crate) fn take(&mut self, key: &K, rate: &Rate, now: Time) -> bool {
        self.0.touch_or_insert(key, Bucket::default()).take(rate, now)
    }

    /// Gives `count` tokens of `key` back. A key without a bucket is full already.
    pub(crate) fn give_back(&mut self, key: &K, rate: &Rate, count: u32) {
        if let Some(bucket) = self.0.get_mut(key) {
            bucket.give_back(rate, count);
        }
    }

    /// When `key` has a token: `now` if it has one, [`Time::MAX`] if never.
    #[cfg(test)]
    pub(crate) fn ready_at(&self, key: &K, rate: &Rate, now: Time) -> Time {
        self.0.get(key).copied().unwrap_or_default().ready_at(rate, now)
    }

    /// Every key whose bucket is not full, with the time at which it will be, the last used first.
    pub(crate) fn iter(&self, now: Time) -> impl Iterator<Item = (&K, Time)> {
        self.0.iter().map(|(key, bucket)| (key, bucket.full_at())).filter(move |(_, full_at)| *full_at > now)
    }

    /// The number of buckets.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.0.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    const RATE: Rate = Rate { burst: 3, interval: Duration::from_secs(5) };

    fn secs(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    /// How many tokens can be taken at one instant, up to 10.
    fn take_all(bucket: &mut Bucket, rate: Rate, now: Time) -> usize {
        (0..10).take_while(|_| bucket.take(&rate, now)).count()
    }

    #[test]
    fn a_burst_is_allowed_and_then_one_in_every_interval() {
        let mut bucket = Bucket::default();
        let taken = [0, 4, 5, 9, 10, 20].map(|now| take_all(&mut bucket, RATE, secs(now)));
        assert_eq!(taken, [3, 0, 1, 0, 1, 2]);
    }

    #[test]
    fn a_token_given_back_is_there_again_and_no_more_than_the_burst() {
        let mut bucket = Bucket::default();
        assert_eq!(take_all(&mut bucket, RATE, secs(100)), 3);
        bucket.give_back(&RATE, 1);
        assert_eq!(take_all(&mut bucket, RATE, secs(100)), 1);
        bucket.give_back(&RATE, 2);
        assert_eq!(take_all(&mut bucket, RATE, secs(100)), 2);
        for many in [9, u32::MAX] {
            bucket.give_back(&RATE, many);
            assert_eq!(take_all(&mut bucket, RATE, secs(100)), 3);
        }
    }

    #[test]
    fn a_long_rest_saves_up_no_more_than_the_burst() {
        let mut bucket = Bucket::default();
        assert_eq!(take_all(&mut bucket, RATE, secs(0)), 3);
        assert_eq!(take_all(&mut bucket, RATE, secs(1_000_000)), 3);
    }

    #[test]
    fn a_token_is_ready_exactly_when_it_is_said_to_be() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.ready_at(&RATE, secs(1)), secs(1));
        take_all(&mut bucket, RATE, secs(1));
        let ready_at = bucket.ready_at(&RATE, secs(2));
        assert_eq!(ready_at, secs(6));
        assert!(!bucket.take(&RATE, Time::from_nanos(ready_at.as_nanos() - 1)));
        assert!(bucket.take(&RATE, ready_at));
    }

    #[test]
    fn asking_in_vain_costs_nothing() {
        let mut bucket = Bucket::default();
        take_all(&mut bucket, RATE, secs(0));
        (1..50).for_each(|tenths| assert!(!bucket.take(&RATE, Time::from_millis(tenths * 100))));
        assert!(bucket.take(&RATE, secs(5)));
    }

    #[test]
    fn an_interval_of_zero_limits_nothing_and_a_burst_of_zero_allows_nothing() {
        let unlimited = Rate { burst: 0, interval: Duration::ZERO };
        assert_eq!(take_all(&mut Bucket::default(), unlimited, secs(0)), 10);
        let nothing = Rate { burst: 0, ..RATE };
        assert_eq!(take_all(&mut Bucket::default(), nothing, secs(0)), 0);
        assert_eq!(Bucket::default().ready_at(&nothing, secs(0)), Time::MAX);
    }

    #[test]
    fn no_rate_overflows() {
        let endless = Rate { burst: u32::MAX, interval: Duration::MAX };
        let mut bucket = Bucket::default();
        assert_eq!(take_all(&mut bucket, endless, secs(0)), 1);
        assert_eq!(bucket.ready_at(&endless, secs(1)), Time::MAX);
        assert_eq!(take_all(&mut Bucket { full_at: Time::MAX }, RATE, secs(0)), 0);
    }

    #[test]
    fn every_key_has_its_own_bucket() {
        let mut limiter = Limiter::new(10, Folding::new(1, 2));
        (0..3).for_each(|_| assert!(limiter.take(&1, &RATE, secs(0))));
        assert!(!limiter.take(&1, &RATE, secs(0)));
        assert!(limiter.take(&2, &RATE, secs(0)));
        assert_eq!(limiter.ready_at(&1, &RATE, secs(0)), secs(5));
        assert_eq!(limiter.ready_at(&3, &RATE, secs(0)), secs(0));
    }

    #[test]
    fn the_key_least_recently_used_makes_room() {
        let mut limiter = Limiter::new(2, Folding::new(1, 2));
        let one = Rate { burst: 1, ..RATE };
        for key in [1, 2, 1, 3] {
            limiter.take(&key, &one, secs(0));
        }
        assert_eq!([1, 2, 3].map(|key| limiter.ready_at(&key, &one, secs(0)) > secs(0)), [true, false, true]);
        assert_eq!((limiter.len(), limiter.check()), (2, Ok(())));
    }
}
