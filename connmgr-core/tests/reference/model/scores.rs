//! Scores with the figures of btcd, in floating point: half-life 60 s, lifetime 1800 s, whole seconds.

use connmgr_core::{Penalty, Time};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    stays: f64,
    fades: f64,
    at: u64,
}

/// Scores are compared with this tolerance: the manager computes in integers.
pub(super) const CLOSE: f64 = 1.0;

/// Scores saturate here.
const MOST: f64 = u32::MAX as f64;

impl Account {
    pub(super) fn raise(&mut self, penalty: Penalty, now: Time) -> f64 {
        self.stays = (self.stays + f64::from(penalty.persistent)).min(MOST);
        if penalty.transient > 0 {
            self.fades = (self.faded(now) + f64::from(penalty.transient)).min(MOST + 1.0);
            self.at = secs(now);
        }
        (self.stays + self.faded(now)).min(MOST)
    }

    fn faded(&self, now: Time) -> f64 {
        let elapsed = secs(now) - self.at;
        if elapsed > 1800 { 0.0 } else { self.fades * 0.5_f64.powf(elapsed as f64 / 60.0) }
    }
}

const fn secs(time: Time) -> u64 {
    time.as_nanos() / 1_000_000_000
}
