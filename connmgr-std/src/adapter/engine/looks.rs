//! How often connections are checked for bytes that were read.
//!
//! A read only sets a flag at the connection. The flags are collected at wake-ups that have another cause. So reading
//! costs next to nothing and wakes nobody, and networks are known to be up even if the application reports no activity.

use std::time::Duration;

use connmgr_core::{HealthConfig, Time};

/// The longest time from one look to the next, if there are wake-ups.
const AT_MOST: Duration = Duration::from_secs(30);

/// The shortest, because a look visits every connection.
const AT_LEAST: Duration = Duration::from_millis(100);

/// How many looks fall into `health.traffic_within`, for which traffic proves that a network is up.
const LOOKS: u32 = 5;

/// The looks of one pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    every: Duration,
    next: Time,
}

impl Looks {
    /// Often enough for the configuration, and by default every 30 s.
    pub(super) fn new(health: &HealthConfig) -> Self {
        Self { every: (health.traffic_within / LOOKS).clamp(AT_LEAST, AT_MOST), next: Time::ZERO }
    }

    /// Whether a look is due at `now`. If so, it counts as done.
    pub(super) fn take_due(&mut self, now: Time) -> bool {
        let is_due = now >= self.next;
        if is_due {
            self.next = now.after(self.every);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of looks, with wake-ups so far apart.
    fn looks(traffic_within: Duration, wakes_every: u64) -> Vec<Time> {
        let mut looks = Looks::new(&HealthConfig { traffic_within, ..HealthConfig::default() });
        let wakes = (0..100_000).step_by(usize::try_from(wakes_every).unwrap());
        wakes.map(Time::from_millis).filter(|now| looks.take_due(*now)).collect()
    }

    #[test]
    fn it_is_looked_every_30_s_by_wake_ups_that_happen_anyway() {
        let usual = HealthConfig::default().traffic_within;
        assert_eq!(looks(usual, 1), [0, 30_000, 60_000, 90_000].map(Time::from_millis));
        assert_eq!(looks(usual, 40_000), [0, 40_000, 80_000].map(Time::from_millis));
    }

    #[test]
    fn where_life_is_proof_for_a_short_time_it_is_looked_more_often() {
        assert_eq!(looks(Duration::from_secs(100), 1).len(), 5);
        assert_eq!(looks(Duration::ZERO, 1).len(), 1000);
    }
}
