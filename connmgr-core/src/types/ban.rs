//! The target of a ban.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use ipnet::IpNet;

use super::host::{Host, HostError};

/// The target of a ban. As text: a host as [`Host`] reads it, or a subnet such as `10.0.0.0/8`.
///
/// ```
/// use connmgr_core::BanTarget;
///
/// let subnet: BanTarget = "2001:db8::/32".parse()?;
/// let host: BanTarget = "192.0.2.1".parse()?;
/// assert_eq!(host.to_string(), "192.0.2.1");
/// # let _ = subnet;
/// # Ok::<(), connmgr_core::BanTargetError>(())
/// ```
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

impl From<IpAddr> for BanTarget {
    fn from(ip: IpAddr) -> Self {
        Self::Host(Host::from(ip))
    }
}

impl From<Host> for BanTarget {
    fn from(host: Host) -> Self {
        Self::Host(host)
    }
}

impl From<IpNet> for BanTarget {
    fn from(net: IpNet) -> Self {
        Self::Subnet(net)
    }
}

impl FromStr for BanTarget {
    type Err = BanTargetError;

    fn from_str(text: &str) -> Result<Self, BanTargetError> {
        if text.contains('/') {
            text.parse().map(Self::Subnet).map_err(|_| BanTargetError::BadSubnet)
        } else {
            text.parse().map(Self::Host).map_err(BanTargetError::BadHost)
        }
    }
}

/// Why a text is not the target of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BanTargetError {
    /// It has a `/`, but is no subnet.
    BadSubnet,
    /// It is not a host.
    BadHost(HostError),
}

impl fmt::Display for BanTargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadSubnet => {
                f.write_str("not a subnet: an IP address and the length of the prefix, as in 10.0.0.0/8")
            }
            Self::BadHost(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for BanTargetError {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_target_reads_and_spells_the_same() {
        let onion = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
        for text in ["1.2.3.4", "2001:db8::1", "10.0.0.0/8", "fd00::/8", "cjdns:fc00::1", "node.example", onion] {
            let target: BanTarget = text.parse().expect(text);
            assert_eq!(target.to_string(), text);
            assert_eq!(matches!(target, BanTarget::Subnet(_)), text.contains('/'));
        }
        assert_eq!("1.2.3.4".parse(), Ok(BanTarget::from(IpAddr::from([1, 2, 3, 4]))));
    }

    #[test]
    fn what_is_no_target_is_told_why() {
        for (text, wrong) in [
            ("10.0.0.0/33", BanTargetError::BadSubnet),
            ("http://a", BanTargetError::BadSubnet),
            ("a b", BanTargetError::BadHost(HostError::BadName)),
            ("1.2.3.400", BanTargetError::BadHost(HostError::BadIpv4)),
        ] {
            assert_eq!(text.parse::<BanTarget>(), Err(wrong), "{text}");
        }
    }
}
