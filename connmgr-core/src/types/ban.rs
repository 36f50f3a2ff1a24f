//! The target of a ban.

use core::fmt;

use ipnet::IpNet;

use super::host::Host;

/// The target of a ban.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum BanTarget {
    /// Every IP address of a subnet.
    Subnet(IpNet),
    /// One host, at every port.
    Host(Host),
}

impl fmt::Display for BanTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subnet(net) => net.fmt(f),
            Self::Host(host) => host.fmt(f),
        }
    }
}
