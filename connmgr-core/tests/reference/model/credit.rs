//! A token bucket that is filled drop by drop: nanoseconds are the drops, an interval of them is a token.

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

    /// Fills what time has brought; whether there is a token.
    pub(super) fn has_token(&mut self, rate: &Rate, now: Time) -> bool {
        let brought = now.since(self.at).as_nanos();
        self.drops = (self.drops + brought).min(u128::from(rate.burst) * rate.interval.as_nanos());
        self.at = now;
        rate.interval.is_zero() || self.drops >= rate.interval.as_nanos()
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
