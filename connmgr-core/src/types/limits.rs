//! How many connections of each kind.

use super::kind::Kind;

/// How many connections of each kind. See [`Split`](crate::Split) for how they share the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Connections and dials in all. At most 1 million.
    pub total: u32,
    /// Full outbound connections to keep.
    pub full: u32,
    /// Block-relay connections to keep.
    pub block_relay: u32,
    /// Feelers at a time.
    pub feeler: u32,
    /// Addr-fetch connections at a time; they take what room is left.
    pub addr_fetch: u32,
    /// Peers that may be added. At most 1 million.
    pub added: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { total: 125, full: 8, block_relay: 0, feeler: 0, addr_fetch: 2, added: 8 }
    }
}

impl Limits {
    /// The limit of one kind; inbound has none of its own.
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
