//! What is banned, in one form for all that covers the same.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::mechanisms::nets::Bits as _;
use crate::types::{BanTarget, Host};

/// A target in the one form that [`TargetKey::of`] gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TargetKey {
    V4(u32, u8),
    V6(u128, u8),
    Host(Host),
}

impl TargetKey {
    /// Whether all of another target is inside this one.
    pub(super) fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(bits, length), Self::V4(other, other_length)) => {
                length <= other_length && other.prefix(*length) == *bits
            }
            (Self::V6(bits, length), Self::V6(other, other_length)) => {
                length <= other_length && other.prefix(*length) == *bits
            }
            (one, other) => one == other,
        }
    }

    /// The subnet with a shorter prefix around this one.
    pub(super) fn widened(&self, length: u8) -> Self {
        match self {
            Self::V4(bits, _) => Self::V4(bits.prefix(length), length),
            Self::V6(bits, _) => Self::V6(bits.prefix(length), length),
            Self::Host(host) => Self::Host(host.clone()),
        }
    }

    pub(super) fn of(target: &BanTarget) -> Self {
        match target {
            BanTarget::Subnet(IpNet::V4(net)) => Self::v4(net.addr(), net.prefix_len()),
            BanTarget::Subnet(IpNet::V6(net)) => Self::v6(net.addr(), net.prefix_len()),
            BanTarget::Host(Host::Ip(IpAddr::V4(ip))) => Self::v4(*ip, 32),
            BanTarget::Host(Host::Ip(IpAddr::V6(ip)) | Host::Cjdns(ip)) => Self::v6(*ip, 128),
            BanTarget::Host(host) => Self::Host(host.clone()),
        }
    }

    fn v4(ip: Ipv4Addr, length: u8) -> Self {
        Self::V4(ip.to_bits().prefix(length), length)
    }

    /// A subnet inside `::ffff:0:0/96` is IPv4; a wider one is not.
    fn v6(ip: Ipv6Addr, length: u8) -> Self {
        match (ip.to_ipv4_mapped(), length.checked_sub(96)) {
            (Some(ip), Some(length)) => Self::v4(ip, length),
            (Some(_), None) | (None, _) => Self::V6(ip.to_bits().prefix(length), length),
        }
    }

    pub(super) fn target(&self) -> BanTarget {
        match self {
            Self::V4(bits, 32) => BanTarget::Host(Ipv4Addr::from_bits(*bits).into()),
            Self::V6(bits, 128) => BanTarget::Host(Host::Ip(Ipv6Addr::from_bits(*bits).into())),
            Self::V4(bits, length) => BanTarget::Subnet(Ipv4Net::new_assert((*bits).into(), *length).into()),
            Self::V6(bits, length) => BanTarget::Subnet(Ipv6Net::new_assert((*bits).into(), *length).into()),
            Self::Host(host) => BanTarget::Host(host.clone()),
        }
    }
}
