//! A token bucket, counted in nanoseconds: an interval of them is a token.

use std::time::Duration;

use connmgr_core::{Rate, Time};

#[derive(Clone, Copy, Debug)]
pub(super) struct Credit {
    drops: u128,
    at: Time,
}

impl Credit {
    pub(super) fn full(rate: &Rate) -> Self {
        Self { drops: u128::from(rate.burst) * rate.interval.as_nanos(), at: Time::ZERO }
    }

    /// When the next token is there.
    pub(super) fn next_token(&mut self, rate: &Rate, now: Time) -> Time {
        if self.has_token(rate, now) {
            return now;
        }
        let missing = rate.interval.as_nanos() - self.drops;
        now.after(Duration::from_nanos(u64::try_from(missing).expect("less than an interval")))
    }

    /// Adds what has accrued since the last call. Returns whether there is a token.
    pub(super) fn has_token(&mut self, rate: &Rate, now: Time) -> bool {
        let brought = now.since(self.at).as_nanos();
        self.drops = (self.drops + brought).min(u128::from(rate.burst) * rate.interval.as_nanos());
        self.at = now;
        rate.interval.is_zero() || self.drops >= rate.interval.as_nanos()
    }

    /// Gives tokens back.
    pub(super) fn give_back(&mut self, rate: &Rate, count: u32, now: Time) {
        self.has_token(rate, now);
        let most = u128::from(rate.burst) * rate.interval.as_nanos();
        self.drops = (self.drops + u128::from(count) * rate.interval.as_nanos()).min(most);
    }

    /// Takes a token; false if there is none.
    pub(super) fn take(&mut self, rate: &Rate, now: Time) -> bool {
        let has = self.has_token(rate, now);
        if has {
            self.drops -= rate.interval.as_nanos();
        }
        has
    }
}
