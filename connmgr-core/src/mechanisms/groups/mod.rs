//! Groups of neighbouring addresses.
//!
//! One operator may have many addresses, but they usually lie close together, so closeness stands for "perhaps the same
//! operator". Read first: Bitcoin Core's `netgroup.cpp` for the rule. This file counts nothing.

mod neighbourhood;
mod ranges;

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::{Config, Ranges};
use crate::types::Host;

pub(crate) use neighbourhood::Neighbourhood;
use ranges::{carried_v4, first_bits, is_site};
pub(crate) use ranges::{is_in_range, tells_of_network};

/// The groups of addresses under one configuration.
///
/// Which addresses count as neighbours depends on the [`Ranges`] in which peers may be, so a group is asked for here and
/// nowhere else. A clone copies the list of own subnets, at most 64.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    ranges: Ranges,
}

impl Groups {
    /// The groups under this configuration.
    pub fn new(config: &Config) -> Self {
        Self { ranges: config.ranges.clone() }
    }

    /// The group of a host; `None` for a name. Loopback follows the rule of the internet.
    pub fn of(&self, host: &Host) -> Option<Group> {
        match host {
            Host::Ip(ip) if is_site(*ip, &self.ranges) => Some(Group::of_site(*ip)),
            Host::Ip(ip) => Some(Group::of_ip(*ip)),
            Host::Onion(key) => Some(Group::new(Group::ONION, u64::from(key[0] >> 4))),
            Host::I2p(hash) => Some(Group::new(Group::I2P, u64::from(hash[0] >> 4))),
            Host::Cjdns(ip) => Some(Group::new(Group::CJDNS, first_bits(*ip, 16) >> 4)),
            Host::Name(_) => None,
        }
    }
}

/// Addresses that count as one neighbourhood: see [`Groups`].
///
/// IPv4: /16. IPv6: /32, and /36 inside the tunnel broker `2001:470::/32`. IPv6 that contains IPv4 (6to4, Teredo,
/// NAT64, mapped): the /16 of that. In private, shared and own ranges (see [`Ranges`]): IPv4 /24 and IPv6 /64. Onion and
/// I2P: the first 4 bits. CJDNS: the first 12 bits, 4 of them after the common `fc`.
///
/// The number is not a hash: equal numbers are equal groups.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(u128);

impl Group {
    const V4: u8 = 1;
    const V6: u8 = 2;
    const ONION: u8 = 3;
    const I2P: u8 = 4;
    const CJDNS: u8 = 5;
    const V4_SITE: u8 = 6;
    const V6_SITE: u8 = 7;

    /// The number: the sort of group (1 to 7) above 64 bits, the prefix below. The same on every platform.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    fn of_ip(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => carried_v4(ip).map_or_else(|| Self::of_v6(ip), Self::of_v4),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        Self::new(Self::V4, u64::from(ip.to_bits() >> 16))
    }

    /// 36 bits for every prefix; the last 4 are zero except in the tunnel broker's /32.
    fn of_v6(ip: Ipv6Addr) -> Self {
        const TUNNEL_BROKER: u64 = 0x2001_0470;
        let prefix = first_bits(ip, 32);
        Self::new(Self::V6, if prefix == TUNNEL_BROKER { first_bits(ip, 36) } else { prefix << 4 })
    }

    /// One operator has all of a site, so what is close there is only a link.
    fn of_site(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::new(Self::V4_SITE, u64::from(ip.to_bits() >> 8)),
            IpAddr::V6(ip) => Self::new(Self::V6_SITE, first_bits(ip, 64)),
        }
    }

    const fn new(sort: u8, prefix: u64) -> Self {
        Self((sort as u128) << 64 | prefix as u128)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({:#x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().expect(text)
    }

    fn net(text: &str) -> ipnet::IpNet {
        text.parse().expect(text)
    }

    fn group(text: &str) -> Group {
        Groups::default().of(&host(text)).expect("no name")
    }

    /// `near` is in the group of `text`, `far` is not.
    fn check(text: &str, near: &str, far: &str) {
        assert_eq!(group(text), group(near), "{text} and {near}");
        assert_ne!(group(text), group(far), "{text} and {far}");
    }

    #[test]
    fn ipv4_is_grouped_by_16_bits_loopback_too() {
        check("1.2.3.4", "1.2.255.255", "1.3.3.4");
        check("127.0.0.1", "127.0.9.9", "127.1.0.1");
        assert_eq!(group("1.2.3.4").as_u128(), 1 << 64 | 0x0102);
    }

    #[test]
    fn ipv6_is_grouped_by_32_bits_and_the_tunnel_broker_by_36() {
        check("2001:2001:9999::1", "2001:2001:1111::1", "2001:2002:9999::1");
        check("2001:470:abcd::1", "2001:470:afff::1", "2001:470:bbcd::1");
        check("2001:471:abcd::1", "2001:471:1bcd::1", "2001:470:abcd::1");
    }

    /// The addresses of Core's own `netbase_getgroup` test: all are 1.2.3.4 in disguise.
    #[test]
    fn what_carries_ipv4_is_grouped_by_what_it_carries() {
        for text in [
            "::ffff:1.2.3.4",
            "::ffff:0:102:304",
            "64:ff9b::102:304",
            "2002:102:304:9999:9999:9999:9999:9999",
            "2001:0:9999:9999:9999:9999:fefd:fcfb",
        ] {
            check(text, "1.2.0.0", "254.253.0.0");
        }
    }

    #[test]
    fn overlays_are_grouped_by_four_bits_of_their_own() {
        let first_byte = |byte| core::array::from_fn(|index| if index == 0 { byte } else { 9 });
        let onion = |byte| Groups::default().of(&Host::Onion(first_byte(byte)));
        let i2p = |byte| Groups::default().of(&Host::I2p(first_byte(byte)));
        assert_eq!(onion(0x12), onion(0x1f));
        assert_ne!(onion(0x12), onion(0x22));
        assert_ne!(onion(0x12), i2p(0x12));
        check("cjdns:fc12::1", "cjdns:fc1f:1::1", "cjdns:fc22::1");
    }

    #[test]
    fn a_name_has_no_group() {
        assert_eq!(Groups::default().of(&host("seed.example")), None);
    }

    #[test]
    fn private_and_own_addresses_are_grouped_by_24_bits_and_64() {
        let ranges = Ranges { own: ["200::/7", "1.2.0.0/16"].map(net).to_vec(), ..Ranges::default() };
        let groups = Groups::new(&Config { ranges, ..Config::default() });
        let group = |text: &str| groups.of(&host(text)).expect("no name");
        for (text, near, far) in [
            ("10.0.1.1", "10.0.1.255", "10.0.2.1"),
            ("192.168.1.1", "192.168.1.2", "192.168.2.1"),
            ("100.64.1.1", "100.64.1.2", "100.64.2.1"),
            ("1.2.3.4", "1.2.3.5", "1.2.4.4"),
            ("fd00:1:2:3::1", "fd00:1:2:3:ffff::1", "fd00:1:2:4::1"),
            ("fc00:1:2:3::1", "fc00:1:2:3:ffff::1", "fd00:1:2:3::1"),
            ("201:1:2:3::1", "201:1:2:3:4::1", "201:1:2:4::1"),
        ] {
            assert_eq!(group(text), group(near), "{text} and {near}");
            assert_ne!(group(text), group(far), "{text} and {far}");
        }
    }
}
