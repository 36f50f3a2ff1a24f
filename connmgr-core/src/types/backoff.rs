//! The wait between attempts.
//!
//! btcd waits 5 s × n, at most 300 s. Bitcoin Core has no such back-off.

use core::time::Duration;

use super::error::ConfigError;
use super::more::More;

/// The wait after the n-th failure in a row.
///
/// With jitter, a wait is drawn evenly from [50 %, 100 %) of the plain one, so that many nodes that lost the same peer
/// do not come back at once. The cap applies before jitter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Backoff {
    /// How the wait grows. Default: exponentially.
    pub growth: Growth,
    /// The wait after the first failure. Default: 5 s. At least 1 ms.
    pub base: Duration,
    /// The longest wait. Default: 300 s. At least 1 ms. [`Config::check`](crate::Config::check) also refuses one below
    /// `base`; for an added peer's own, the cap counts.
    pub cap: Duration,
    /// Whether waits have jitter. Default: yes.
    pub jitter: bool,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// How a wait grows from failure to failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Growth {
    /// base, 2 base, 3 base, …
    Linear,
    /// base, 2 base, 4 base, …
    Exponential,
}

impl Default for Backoff {
    /// 5 s, doubled each time, at most 300 s, with jitter.
    fn default() -> Self {
        let (base, cap) = (Duration::from_secs(5), Duration::from_secs(300));
        Self { growth: Growth::Exponential, base, cap, jitter: true, _more: More(()) }
    }
}

impl Backoff {
    /// Checks that both waits are at least 1 ms.
    ///
    /// # Errors
    /// [`ConfigError`] names the first wait that is shorter.
    pub fn check(&self) -> Result<(), ConfigError> {
        const SHORTEST: Duration = Duration::from_millis(1);
        for (wait, field) in [(self.base, "base"), (self.cap, "cap")] {
            if wait < SHORTEST {
                return Err(ConfigError { field, must: "at least 1 ms" });
            }
        }
        Ok(())
    }

    /// The wait after `failures` failures in a row (0 counts as 1), without jitter.
    pub fn wait(&self, failures: u32) -> Duration {
        let failures = failures.max(1);
        let factor = match self.growth {
            Growth::Linear => failures,
            Growth::Exponential => 1u32.checked_shl(failures - 1).unwrap_or(u32::MAX),
        };
        self.base.saturating_mul(factor).min(self.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(backoff: Backoff, failures: core::ops::RangeInclusive<u32>) -> alloc::vec::Vec<u64> {
        failures.map(|n| backoff.wait(n).as_secs()).collect()
    }

    #[test]
    fn exponential_doubles_up_to_the_cap() {
        assert_eq!(waits(Backoff::default(), 1..=8), [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn linear_reaches_the_cap_at_the_60th_wait() {
        let linear = Backoff { growth: Growth::Linear, ..Backoff::default() };
        assert_eq!(waits(linear, 58..=61), [290, 295, 300, 300]);
    }

    #[test]
    fn no_number_of_failures_overflows() {
        for growth in [Growth::Linear, Growth::Exponential] {
            let backoff = Backoff { growth, ..Backoff::default() };
            let mut longest = Duration::ZERO;
            for failures in [0, 1, 31, 32, 33, 64, 65, u32::MAX] {
                longest = longest.max(backoff.wait(failures));
                assert_eq!(backoff.wait(failures), longest, "no wait is shorter than one before it");
            }
            assert_eq!(longest, backoff.cap);
        }
    }
}
