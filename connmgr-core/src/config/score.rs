//! When a score bans.

use core::time::Duration;

use crate::types::More;

/// When a host is banned for misbehavior. [`BanScore`](crate::BanScore) says how penalties add up and fade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct ScoreConfig {
    /// A host whose score is above this is banned; above half of it, a warning is emitted. Default: 100, as btcd. With 0,
    /// any penalty bans.
    pub threshold: u32,
    /// How long such a ban lasts. Default: 24 h, as btcd and Bitcoin Core.
    pub ban_for: Duration,
    /// How many hosts' scores are kept. Beyond that, the one raised longest ago is forgotten. Default: 4096. At least
    /// 1.
    pub max_hosts: u32,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}
