//! What keeps a paced model to the options of ours: the rate of dials, and how long an address rests.
//!
//! A model that is compared for its choices alone must not win by dialing faster than ours may.

use connmgr_check::Bucket;
use connmgr_core::{DialConfig, Time};

use super::desk::Known;

/// Where a paced model stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    bucket: Bucket,
}

impl Pace {
    /// When the next automatic dial may be made, from now on.
    pub(super) fn ready_at(&self, config: &DialConfig, now: Time) -> Time {
        self.bucket.ready_at(&config.rate, now)
    }

    /// An automatic dial is made.
    pub(super) fn dialed(&mut self, config: &DialConfig, now: Time) {
        self.bucket.take(&config.rate, now);
    }
}

/// When an address may be dialed again automatically: after `min_spacing`, doubled for each failure in a row.
pub(super) fn rested_at(config: &DialConfig, known: &Known) -> Time {
    let longest = config.spacing.max(config.min_spacing);
    let rest = config.min_spacing.saturating_mul(1 << known.strikes.min(16)).min(longest);
    known.last_try.map_or(Time::ZERO, |tried| tried.after(rest))
}
