//! DNS seeds and fixed seeds.

use alloc::vec::Vec;
use core::time::Duration;

use crate::types::{Backoff, HostName, More, PeerAddress};

/// DNS seeds and fixed seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct SeedConfig {
    /// The DNS seeds, in order of preference. Default: none. Each name once, with or without a final dot.
    pub names: Vec<Seed>,
    /// Addresses of last resort, for networks of which no address is known or none ever answered. Default: none.
    pub fixed: Vec<PeerAddress>,
    /// How many seeds are asked at a time if some addresses are known. If none is, all are asked. Default: 3, as Bitcoin
    /// Core. At least 1.
    pub batch: u32,
    /// The wait before each batch if few addresses are known. Default: 11 s, as Bitcoin Core. At least 1 ms.
    pub delay: Duration,
    /// The wait before each batch if many addresses are known. Default: 300 s, as Bitcoin Core. At least 1 ms.
    pub delay_when_known: Duration,
    /// How many known addresses are many. Default: 1000, as Bitcoin Core.
    pub many: u32,
    /// With this many ready full connections no seed is asked, unless a kind has found no address to dial for 10 s.
    /// Default: 2, as Bitcoin Core.
    pub enough: u32,
    /// The wait before fixed seeds are used. Default: 60 s, as Bitcoin Core. Where there is no other source (no seed can be
    /// asked, no address is known, no peer is added) they are used at once.
    pub fixed_after: Duration,
    /// How many different addresses of one answer are used. Default: 32, as Bitcoin Core. At least 1 where there
    /// are seeds.
    pub keep: u32,
    /// The back-off after a seed's failure. Default: 30 s, doubled each time, at most 1 h, with jitter. Both waits at
    /// least 1 ms, the longest not below the first.
    pub retry: Backoff,
    /// When a seed that answered may be asked again, if the pool still lacks addresses. Default: 10 min.
    pub again_after: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// A DNS seed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Seed {
    /// Its host name, without a port. It is asked as absolute, whether it ends in a dot or not.
    pub name: HostName,
    /// Whether it answers `x49.name` with peers that offer the services 0x49. If that name fails, the bare one is asked.
    pub filters_services: bool,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Seed {
    /// The seed of this name, which does not filter by services.
    #[must_use]
    pub const fn new(name: HostName) -> Self {
        Self { name, filters_services: false, _more: More(()) }
    }

    /// Whether it filters by services.
    #[must_use]
    pub const fn filters_services(mut self, filters: bool) -> Self {
        self.filters_services = filters;
        self
    }
}
