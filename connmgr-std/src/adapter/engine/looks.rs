//! When connections are looked at for bytes that were read of them.
//!
//! Who reads only leaves a mark at the connection, without a clock; the marks are collected here, by wake-ups that happen
//! anyway. So reading costs nothing, nobody is woken for it, and an application that never reports any activity has its
//! living networks known all the same. What the marks mean is the manager's affair.

use std::time::Duration;

use connmgr_core::{HealthConfig, Time};

/// The longest time from one look to the next that may be had.
const AT_MOST: Duration = Duration::from_secs(30);

/// The shortest: a look passes by every connection.
const AT_LEAST: Duration = Duration::from_millis(100);

/// So many looks fall into the time for which life counts as proof.
const LOOKS: u32 = 5;

/// The looks of one pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looks {
    every: Duration,
    next: Time,
}

impl Looks {
    /// Often enough for what the configuration takes as proof of life, and no more often than every 30 s if that will do.
    pub(super) fn new(health: &HealthConfig) -> Self {
        Self { every: (health.traffic_within / LOOKS).clamp(AT_LEAST, AT_MOST), next: Time::ZERO }
    }

    /// Whether a wake-up at `now` has to look; if so, it counts as done.
    pub(super) fn is_due(&mut self, now: Time) -> bool {
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

    /// When it is looked, by wake-ups so far apart.
    fn looks(traffic_within: Duration, wakes_every: u64) -> Vec<Time> {
        let mut looks = Looks::new(&HealthConfig { traffic_within, ..HealthConfig::default() });
        let wakes = (0..100_000).step_by(usize::try_from(wakes_every).unwrap());
        wakes.map(Time::from_millis).filter(|now| looks.is_due(*now)).collect()
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
