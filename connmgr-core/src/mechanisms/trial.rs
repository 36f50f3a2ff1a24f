//! Trials: a slow network's chance for a slot.
//!
//! The first peer to answer takes a slot, so a slow network might never get one beside a fast one. Therefore a pool at
//! rest gives a network without a connection a dial that keeps its slot until it ends. Each trial without success
//! doubles the wait for the next: a dead network that is not known to be dead costs one slot for a dial and a
//! handshake, more and more rarely.

use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::types::{Time, nanos};

/// The wait from one trial to the next, …
const FIRST_WAIT: Duration = Duration::from_secs(600);
/// … doubled by each up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(16 * 600);

/// When a network may have its next trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trial {
    next_at: Time,
    wait: Duration,
}

impl Trial {
    pub(crate) const fn new() -> Self {
        Self { next_at: Time::ZERO, wait: FIRST_WAIT }
    }

    pub(crate) fn is_due(&self, now: Time) -> bool {
        self.next_at <= now
    }

    /// A trial begins.
    pub(crate) fn begin(&mut self, now: Time) {
        self.next_at = now.after(self.wait);
        self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT);
    }

    /// A connection in the network is stable: the wait is the first again.
    pub(crate) const fn record_stable(&mut self) {
        self.wait = FIRST_WAIT;
    }

    /// Hashes what decides the future, with times relative to `now`.
    pub(crate) fn fingerprint<H: Hasher>(&self, now: Time, to: &mut H) {
        (nanos(self.next_at.since(now)), self.wait).hash(to);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn trials_that_lead_nowhere_become_rare() {
        let (mut trial, mut now) = (Trial::new(), Time::ZERO);
        let mut wait = || {
            trial.begin(now);
            assert!(!trial.is_due(now));
            let waited = trial.next_at.since(now);
            now = trial.next_at;
            assert!(trial.is_due(now));
            waited.as_secs() / 60
        };
        assert_eq!((0..6).map(|_| wait()).collect::<Vec<_>>(), [10, 20, 40, 80, 160, 160]);
        trial.record_stable();
        trial.begin(now);
        assert_eq!(trial.next_at.since(now), FIRST_WAIT);
    }
}
