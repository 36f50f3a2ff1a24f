//! The kinds of connections.

use super::names::names;

/// The kind of a connection: its purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Kind {
    /// Outbound, chosen by us. Exchanges everything.
    Full,
    /// Outbound, chosen by us. Relays blocks only, so that gossip cannot reveal it.
    BlockRelay,
    /// Outbound, short: tests whether an address works.
    Feeler,
    /// Outbound, short: asks for addresses.
    AddrFetch,
    /// Outbound to a peer added by the operator.
    Added,
    /// Accepted by one of our listeners.
    Inbound,
}

impl Kind {
    /// Every kind, in the order of [`Kind::index`].
    pub const ALL: [Self; 6] =
        [Self::Full, Self::BlockRelay, Self::Feeler, Self::AddrFetch, Self::Added, Self::Inbound];

    /// A small number, for arrays with one element for each kind.
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

    /// Whether the group rule applies: to connections whose address we choose. Feelers are exempt and do not count.
    pub const fn takes_group(self) -> bool {
        match self {
            Self::Full | Self::BlockRelay => true,
            Self::Feeler | Self::AddrFetch | Self::Added | Self::Inbound => false,
        }
    }

    /// Whether the planner keeps a number of them, with addresses it chooses.
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

    /// Whether it was accepted.
    pub const fn is_inbound(self) -> bool {
        matches!(self, Self::Inbound)
    }

    /// Whether it was dialed.
    pub const fn is_outbound(self) -> bool {
        !self.is_inbound()
    }
}

names! {
    Kind {
        Full => "full",
        BlockRelay => "block-relay",
        Feeler => "feeler",
        AddrFetch => "addr-fetch",
        Added => "added",
        Inbound => "inbound",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_but_one_is_dialed() {
        let dialed: alloc::vec::Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.is_outbound()).collect();
        assert_eq!(dialed, [Kind::Full, Kind::BlockRelay, Kind::Feeler, Kind::AddrFetch, Kind::Added]);
        assert!(Kind::Inbound.is_inbound() && !Kind::Inbound.is_outbound());
    }
}
