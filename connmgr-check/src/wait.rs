//! The wait of a back-off, computed in another way than in the core, so that a mistake there is found.

use std::time::Duration;

use connmgr_core::{Backoff, Growth};

/// The longest time the core can express, 584 years. A longer wait counts as this before jitter.
const ALL_TIME: Duration = Duration::from_nanos(u64::MAX);

/// The longest wait after this many failures in a row.
pub(crate) fn longest_wait(backoff: &Backoff, failures: u32) -> Duration {
    let failures = failures.max(1);
    let grown = match backoff.growth {
        Growth::Linear => backoff.base.saturating_mul(failures),
        // A wait never grows to more than u32::MAX times the first.
        Growth::Exponential => (1..failures.min(33))
            .fold(backoff.base, |wait, _| if wait < backoff.cap { wait.saturating_mul(2) } else { wait })
            .min(backoff.base.saturating_mul(u32::MAX)),
    };
    grown.min(backoff.cap).min(ALL_TIME)
}

/// The shortest wait: half of the longest with jitter, else the same.
pub(crate) fn shortest_wait(backoff: &Backoff, failures: u32) -> Duration {
    let longest = longest_wait(backoff, failures);
    if backoff.jitter { longest / 2 } else { longest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(growth: Growth, failures: [u32; 5]) -> [u64; 5] {
        let backoff = Backoff { growth, ..Backoff::default() };
        failures.map(|failures| longest_wait(&backoff, failures).as_secs())
    }

    #[test]
    fn waits_grow_up_to_the_cap() {
        assert_eq!(waits(Growth::Exponential, [0, 1, 2, 6, 7]), [5, 5, 10, 160, 300]);
        assert_eq!(waits(Growth::Exponential, [8, 32, 33, 34, u32::MAX]), [300; 5]);
        assert_eq!(waits(Growth::Linear, [0, 1, 59, 60, u32::MAX]), [5, 5, 295, 300, 300]);
    }

    #[test]
    fn a_wait_for_ever_is_spread_over_the_second_half_of_all_time() {
        let backoff = Backoff { base: Duration::MAX, cap: Duration::MAX, ..Backoff::default() };
        assert_eq!((shortest_wait(&backoff, 1), longest_wait(&backoff, 1)), (ALL_TIME / 2, ALL_TIME));
    }

    #[test]
    fn without_a_cap_a_wait_grows_to_two_to_the_32_times_the_first() {
        let backoff = Backoff { cap: Duration::MAX, base: Duration::from_millis(1), ..Backoff::default() };
        assert_eq!(
            [32, 33, 99].map(|failures| longest_wait(&backoff, failures)),
            [32, 33, 99].map(|n| backoff.wait(n))
        );
    }
}
