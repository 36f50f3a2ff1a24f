//! The limits on connections.

use super::kind::Kind;
use super::more::More;

/// How many connections of each kind. [`Split`](crate::Split) says how they share the total. Each is at most 1 million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Connections and dials in total. Default: 125, as btcd. At least `full`, `block_relay` and `feeler` together. What the
    /// other kinds leave is for inbound connections.
    pub total: u32,
    /// Full outbound connections to keep. Default: 8, as btcd and Bitcoin Core.
    pub full: u32,
    /// Block-relay connections to keep. Default: 0. [`Config::bitcoin`](crate::Config::bitcoin): 2, as Bitcoin Core.
    pub block_relay: u32,
    /// Feelers at a time. Default: 0. Not used yet: only a probe may be a feeler.
    pub feeler: u32,
    /// Addr-fetch connections at a time, in the room that the other kinds leave. Default: 2.
    pub addr_fetch: u32,
    /// Added peers: how many may be added, and how many of them be connected or dialed at once. Default: 8, as
    /// Bitcoin Core. 0: none, also for `connect` of the adapters, whose peers are added ones.
    pub added: u32,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Default for Limits {
    fn default() -> Self {
        Self { total: 125, full: 8, block_relay: 0, feeler: 0, addr_fetch: 2, added: 8, _more: More(()) }
    }
}

impl Limits {
    /// The limit of one kind. Inbound has none of its own: the total.
    pub const fn of(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Full => self.full,
            Kind::BlockRelay => self.block_relay,
            Kind::Feeler => self.feeler,
            Kind::AddrFetch => self.addr_fetch,
            Kind::Added => self.added,
            Kind::Inbound => self.total,
        }
    }
}
