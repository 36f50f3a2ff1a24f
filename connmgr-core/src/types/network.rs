//! The networks in which a peer may be reached.

use core::fmt;
use core::str::FromStr;

/// A network in which a peer may be reached. Each has its own health and its own share of the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum NetworkKind {
    /// The internet, version 4.
    Ipv4,
    /// The internet, version 6.
    Ipv6,
    /// Tor onion services, version 3.
    Onion,
    /// I2P.
    I2p,
    /// CJDNS, an overlay inside `fc00::/8`.
    Cjdns,
}

impl NetworkKind {
    /// Every network, in the order of [`NetworkKind::index`].
    pub const ALL: [Self; 5] = [Self::Ipv4, Self::Ipv6, Self::Onion, Self::I2p, Self::Cjdns];

    /// A small number, for arrays with one element for each network.
    pub const fn index(self) -> usize {
        match self {
            Self::Ipv4 => 0,
            Self::Ipv6 => 1,
            Self::Onion => 2,
            Self::I2p => 3,
            Self::Cjdns => 4,
        }
    }

    /// Whether the network is an overlay (onion, I2P, CJDNS): its addresses say little about neighbourhood.
    pub const fn is_overlay(self) -> bool {
        match self {
            Self::Ipv4 | Self::Ipv6 => false,
            Self::Onion | Self::I2p | Self::Cjdns => true,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Onion => "onion",
            Self::I2p => "i2p",
            Self::Cjdns => "cjdns",
        }
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for NetworkKind {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(UnknownNetwork)
    }
}

/// The text names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownNetwork;

impl fmt::Display for UnknownNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown network: expected one of ipv4, ipv6, onion, i2p, cjdns")
    }
}

impl core::error::Error for UnknownNetwork {}

/// A set of networks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NetworkSet(u8);

impl NetworkSet {
    /// No network.
    pub const EMPTY: Self = Self(0);
    /// Every network.
    pub const ALL: Self = Self(0b1_1111);

    /// Whether `kind` is in the set.
    pub const fn contains(self, kind: NetworkKind) -> bool {
        self.0 & (1 << kind.index()) != 0
    }

    /// The set with `kind` in it.
    #[must_use]
    pub const fn with(self, kind: NetworkKind) -> Self {
        Self(self.0 | (1 << kind.index()))
    }

    /// The set with `kind` not in it.
    #[must_use]
    pub const fn without(self, kind: NetworkKind) -> Self {
        Self(self.0 & !(1 << kind.index()))
    }

    /// Whether no network is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The networks in the set, in order.
    pub fn iter(self) -> impl Iterator<Item = NetworkKind> {
        let mut left = self.0;
        core::iter::from_fn(move || {
            let first = NetworkKind::ALL.get(left.trailing_zeros() as usize).copied();
            left &= left.wrapping_sub(1);
            first
        })
    }

    /// The networks that are in both sets.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The network in the set, if it is exactly one.
    pub(crate) fn only(self) -> Option<NetworkKind> {
        if self.0.is_power_of_two() { self.iter().next() } else { None }
    }
}

impl FromIterator<NetworkKind> for NetworkSet {
    fn from_iter<I: IntoIterator<Item = NetworkKind>>(kinds: I) -> Self {
        kinds.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for NetworkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(feature = "serde")]
mod data {
    use super::{NetworkKind, NetworkSet};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    impl Serialize for NetworkSet {
        fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
            out.collect_seq(self.iter())
        }
    }

    impl<'de> Deserialize<'de> for NetworkSet {
        fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
            alloc::vec::Vec::<NetworkKind>::deserialize(input).map(|kinds| kinds.into_iter().collect())
        }
    }
}
