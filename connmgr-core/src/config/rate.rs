//! A rate: how many at once, and how many after that.

use core::time::Duration;

/// A token bucket: a burst, then a steady rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Rate {
    /// How many at once. 0: none at all, unless `interval` is 0.
    pub burst: u32,
    /// The time until one more is allowed. 0: no limit.
    pub interval: Duration,
}
