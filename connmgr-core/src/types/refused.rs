//! Refused arrivals, counted by reason.

use core::fmt;

use super::error::Refusal;

/// Inbound connections that were refused, counted by reason. Each count stops at its greatest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default))]
pub struct RefusalCounts {
    /// [`Refusal::Inactive`]
    pub inactive: u32,
    /// [`Refusal::UnknownListener`]
    pub unknown_listener: u32,
    /// [`Refusal::Banned`]
    pub banned: u32,
    /// [`Refusal::Full`]
    pub full: u32,
    /// [`Refusal::HostLimit`]
    pub host_limit: u32,
    /// [`Refusal::HalfOpenLimit`]
    pub half_open_limit: u32,
    /// [`Refusal::RateLimit`]
    pub rate_limit: u32,
}

impl RefusalCounts {
    const fn parts(&self) -> [(u32, Refusal); 7] {
        [
            (self.inactive, Refusal::Inactive),
            (self.unknown_listener, Refusal::UnknownListener),
            (self.banned, Refusal::Banned),
            (self.full, Refusal::Full),
            (self.host_limit, Refusal::HostLimit),
            (self.half_open_limit, Refusal::HalfOpenLimit),
            (self.rate_limit, Refusal::RateLimit),
        ]
    }

    /// Counts one more.
    pub const fn count(&mut self, refusal: Refusal) {
        let counted = match refusal {
            Refusal::Inactive => &mut self.inactive,
            Refusal::UnknownListener => &mut self.unknown_listener,
            Refusal::Banned => &mut self.banned,
            Refusal::Full => &mut self.full,
            Refusal::HostLimit => &mut self.host_limit,
            Refusal::HalfOpenLimit => &mut self.half_open_limit,
            Refusal::RateLimit => &mut self.rate_limit,
        };
        *counted = counted.saturating_add(1);
    }

    /// How many were refused.
    pub fn total(&self) -> u64 {
        self.parts().iter().map(|(count, _)| u64::from(*count)).sum()
    }
}

impl fmt::Display for RefusalCounts {
    /// Every reason that occurred, with its count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let occurred = self.parts().into_iter().filter(|(count, _)| *count > 0);
        occurred
            .enumerate()
            .try_for_each(|(place, (count, why))| write!(f, "{}{count} {why}", if place == 0 { "" } else { ", " }))
    }
}
