//! The dial rate of a paced model.
//!
//! A model that is compared for its choices must not win by dialing faster than our manager may.

use connmgr_check::TokenBucket;
use connmgr_core::{DialConfig, Time};

/// The state of the dial rate.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelPace {
    bucket: TokenBucket,
}

impl ModelPace {
    /// When the next automatic dial may be made, from now on.
    pub(super) fn ready_at(&self, config: &DialConfig, now: Time) -> Time {
        self.bucket.ready_at(&config.rate, now)
    }

    /// An automatic dial is made.
    pub(super) fn dialed(&mut self, config: &DialConfig, now: Time) {
        self.bucket.take(&config.rate, now);
    }
}
