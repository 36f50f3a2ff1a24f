//! When a network is down.

use core::time::Duration;

use crate::types::More;

/// When a network counts as down, and how it is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct HealthConfig {
    /// Failures in a row on our side or the route's that take a network down. Default: 3. At least 1. On our side (no
    /// route, no such address family) as many as addresses are known if those are more, up to 64, because some networks
    /// are routed in part.
    pub own_failures: u32,
    /// Dials in a row without any answer (a refusal is one) that take a network down. Default: 25, as btcd. At least 1. As
    /// many as addresses are known if those are more, up to 256: where 4 % answer, fewer are often silent by chance.
    pub silent_dials: u32,
    /// The number of groups that these dials must cover. Default: 8. At most 16. If fewer groups are known, all of
    /// them, but at least two.
    pub silent_groups: u32,
    /// The time that these dials must cover. Default: 30 s.
    pub silent_for: Duration,
    /// An open connection proves that its network is up for this long after its network's last sign of life. Default:
    /// 150 s. Of two connections to one identity, one that has shown no life for this long goes. Adapters report arriving
    /// bytes every 30 s, or five times in this time if it is shorter than 150 s.
    pub traffic_within: Duration,
    /// The wait before the first probe; it doubles with each further one. Default: 1 s. At least 1 ms.
    pub first_probe: Duration,
    /// The longest wait between probes. Default: 32 s. At least 1 ms, and not below `first_probe`.
    pub max_probe: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}
