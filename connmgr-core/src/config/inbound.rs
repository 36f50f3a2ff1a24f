//! Listeners, and the admission of inbound connections.

use core::time::Duration;

use super::rate::Rate;
use crate::types::{ListenerId, More, NetworkKind, Permissions};

/// Inbound admission: decided before a byte is exchanged. Groups here are IPv4 /24 and IPv6 /64, not those of
/// [`GroupRule`](crate::GroupRule).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct InboundConfig {
    /// Connections from one host at a time. Default: 5, as dcrd. At least 1 where we listen.
    pub per_host: u32,
    /// Unfinished handshakes of one group at a time, or of one listener whose remote hosts are hidden. Default: 8, from
    /// btcd and dcrd. At least 1 where we listen.
    pub half_open: u32,
    /// The rate of new connections of one group, or of one listener whose remote hosts are hidden. Default: 3 at once,
    /// then one more every 5 s, from btcd and dcrd. At least 1 at once where we listen.
    ///
    /// A connection that the application drops during its handshake costs nothing of it, at most `half_open` times at once:
    /// one more time every 12 intervals, and as often as a burst for each handshake of the group that is finished.
    pub rate: Rate,
    /// The pause after `accept` has failed; it doubles with each further failure. Default: 50 ms. At least 1 ms.
    pub first_pause: Duration,
    /// The longest such pause. Default: 5 s. At least 1 ms, and not below `first_pause`.
    pub max_pause: Duration,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// A socket we listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Listener {
    /// Its number, chosen by the caller. Unique among the listeners.
    pub id: ListenerId,
    /// `None`: remote hosts are visible. An overlay: every connection comes from the local proxy, so limits of a group
    /// apply to the listener instead, and limits of a host do not apply. Not IPv4 or IPv6.
    pub network: Option<NetworkKind>,
    /// The exemptions of its connections.
    pub permissions: Permissions,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Listener {
    /// A socket at which remote hosts are visible, without exemptions.
    #[must_use]
    pub const fn new(id: ListenerId) -> Self {
        Self { id, network: None, permissions: Permissions::NONE, _more: More(()) }
    }

    /// The network whose local proxy every connection comes from.
    #[must_use]
    pub const fn network(mut self, network: Option<NetworkKind>) -> Self {
        self.network = network;
        self
    }

    /// The exemptions of its connections.
    #[must_use]
    pub const fn permissions(mut self, permissions: Permissions) -> Self {
        self.permissions = permissions;
        self
    }
}
