//! What a connection is for.

use core::fmt;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Kind {
    /// Outbound, chosen by us: everything is exchanged.
    Full,
    /// Outbound, chosen by us: blocks only, so that nobody learns of it from gossip.
    BlockRelay,
    /// Outbound, short: is this address any good?
    Feeler,
    /// Outbound, short: ask for addresses and go.
    AddrFetch,
    /// Outbound to a peer the operator asked for.
    Added,
    /// They came to us.
    Inbound,
}

impl Kind {
    /// Every kind, in the order of [`Kind::index`].
    pub const ALL: [Self; 6] =
        [Self::Full, Self::BlockRelay, Self::Feeler, Self::AddrFetch, Self::Added, Self::Inbound];

    /// A small number for tables with one row a kind.
    pub const fn index(self) -> usize {
        match self {
            Self::Full => 0,
            Self::BlockRelay => 1,
            Self::Feeler => 2,
            Self::AddrFetch => 3,
            Self::Added => 4,
            Self::Inbound => 5,
        }
    }

    /// Whether we chose the address: the group rule is for these. (A feeler is exempt and doesn't count.)
    pub const fn takes_group(self) -> bool {
        match self {
            Self::Full | Self::BlockRelay => true,
            Self::Feeler | Self::AddrFetch | Self::Added | Self::Inbound => false,
        }
    }

    /// Whether we keep so many of them, with addresses that we choose ourselves.
    pub(crate) const fn is_automatic(self) -> bool {
        match self {
            Self::Full | Self::BlockRelay => true,
            Self::Feeler | Self::AddrFetch | Self::Added | Self::Inbound => false,
        }
    }

    /// Whether the connection ends by itself once it has served its purpose.
    pub const fn is_visit(self) -> bool {
        match self {
            Self::Feeler | Self::AddrFetch => true,
            Self::Full | Self::BlockRelay | Self::Added | Self::Inbound => false,
        }
    }

    /// Whether they came to us.
    pub const fn is_inbound(self) -> bool {
        matches!(self, Self::Inbound)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "full",
            Self::BlockRelay => "block-relay",
            Self::Feeler => "feeler",
            Self::AddrFetch => "addr-fetch",
            Self::Added => "added",
            Self::Inbound => "inbound",
        })
    }
}
