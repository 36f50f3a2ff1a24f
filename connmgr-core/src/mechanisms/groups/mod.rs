//! Groups of neighbouring addresses.
//!
//! One operator may have many addresses, but they usually lie close together, so closeness stands for "perhaps the same
//! operator". Read first: Bitcoin Core's `netgroup.cpp` for the rule. This file counts nothing.

mod asmap;
mod neighbourhood;
mod ranges;

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::{Config, Ranges};
use crate::types::{AsnTable, Host};

pub use asmap::{AsmapError, AsmapFault};
pub(crate) use neighbourhood::Neighbourhood;
use ranges::{carried_v4, first_bits, is_site};
pub(crate) use ranges::{is_in_range, tells_of_network};

/// The groups of addresses under one configuration.
///
/// Which addresses count as neighbours depends on the [`Ranges`] in which peers may be, and on the table of autonomous
/// systems if there is one ([`GroupRule::asn`](crate::GroupRule::asn)), so a group is asked for here and nowhere else. A
/// clone shares the table, and copies the list of own subnets, at most 64. To ask allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    ranges: Ranges,
    asn: Option<AsnTable>,
}

impl Groups {
    /// The groups under this configuration.
    pub fn new(config: &Config) -> Self {
        Self { ranges: config.ranges.clone(), asn: config.groups.asn.clone() }
    }

    /// The group of a host; `None` for a name. Loopback follows the rule of the internet.
    pub fn of(&self, host: &Host) -> Option<Group> {
        match host {
            Host::Ip(ip) if is_site(*ip, &self.ranges) => Some(Group::of_site(*ip)),
            Host::Ip(ip) => Some(self.of_public(carried(*ip))),
            Host::Onion(key) => Some(Group::new(Group::ONION, u64::from(key[0] >> 4))),
            Host::I2p(hash) => Some(Group::new(Group::I2P, u64::from(hash[0] >> 4))),
            Host::Cjdns(ip) => Some(Group::new(Group::CJDNS, first_bits(*ip, 16) >> 4)),
            Host::Name(_) => None,
        }
    }

    fn of_public(&self, ip: IpAddr) -> Group {
        match self.asn.as_ref().and_then(|table| table.number_of(ip)) {
            Some(number) => Group::new(Group::SYSTEM, u64::from(number.get())),
            None => Group::of_prefix(ip),
        }
    }
}

/// The IPv4 address that an IPv6 address contains, if it does.
fn carried(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(v6) => carried_v4(v6).map_or(ip, IpAddr::V4),
    }
}

/// Addresses that count as one neighbourhood: see [`Groups`].
///
/// IPv4: /16. IPv6: /32, and /36 inside the tunnel broker `2001:470::/32`. IPv6 that contains IPv4 (6to4, Teredo,
/// NAT64, mapped): the /16 of that. In private, shared and own ranges (see [`Ranges`]): IPv4 /24 and IPv6 /64. Onion and
/// I2P: the first 4 bits. CJDNS: the first 12 bits, 4 of them after the common `fc`.
///
/// With a table of autonomous systems ([`GroupRule::asn`](crate::GroupRule::asn)), all IPv4 and IPv6 addresses of a system
/// are one group, apart from those in private, shared and own ranges. Addresses that have no system keep their prefix's.
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
    const SYSTEM: u8 = 8;

    /// The number: the sort of group (1 to 8) above 64 bits, the prefix or the system's number below. The same on every platform.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    fn of_prefix(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
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

    /// Two systems, each with IPv4 and IPv6, and one prefix taken out.
    fn with_table(ranges: Ranges) -> Groups {
        let prefixes = [
            ("1.2.0.0/16", 64500),
            ("5.6.7.0/24", 64500),
            ("2a00:1::/32", 64500),
            ("9.9.0.0/16", 64501),
            ("1.2.99.0/24", 0),
            ("10.0.0.0/8", 64502),
            ("fd00::/8", 64502),
        ];
        let table = AsnTable::new(prefixes.map(|(text, number)| (net(text), number))).expect("few ranges");
        let mut config = Config { ranges, ..Config::default() };
        config.groups.asn = Some(table);
        Groups::new(&config)
    }

    #[test]
    fn all_of_a_system_is_one_group() {
        let groups = with_table(Ranges::default());
        let group = |text: &str| groups.of(&host(text)).expect("no name");
        for text in ["1.2.3.4", "1.2.255.255", "5.6.7.8", "2a00:1::1", "2a00:1:ffff::1"] {
            assert_eq!(group(text).as_u128(), 8 << 64 | 64500, "{text}");
        }
        assert_eq!(group("9.9.9.9").as_u128(), 8 << 64 | 64501);
    }

    /// All but the first are 5.6.7.8 in disguise.
    #[test]
    fn what_carries_ipv4_is_of_the_system_of_what_it_carries() {
        let groups = with_table(Ranges::default());
        for text in ["5.6.7.8", "::ffff:5.6.7.8", "64:ff9b::506:708", "2002:506:708::1", "2001:0:1:2:3:4:faf9:f8f7"] {
            assert_eq!(groups.of(&host(text)).map(Group::as_u128), Some(8 << 64 | 64500), "{text}");
        }
    }

    #[test]
    fn what_has_no_system_keeps_the_group_of_its_prefix() {
        let groups = with_table(Ranges::default());
        for text in ["1.2.99.1", "8.8.8.8", "127.0.0.1", "2a00:2::1", "cjdns:fc12::1", "seed.example"] {
            assert_eq!(groups.of(&host(text)), Groups::default().of(&host(text)), "{text}");
        }
        let onion = Host::Onion([0x12; 32]);
        assert_eq!(groups.of(&onion), Groups::default().of(&onion));
    }

    #[test]
    fn private_and_own_ranges_keep_their_groups() {
        let own = Ranges { own: [net("9.9.9.0/24")].to_vec(), ..Ranges::default() };
        let (groups, plain) = (with_table(own.clone()), Groups::new(&Config { ranges: own, ..Config::default() }));
        for text in ["10.1.2.3", "fd00:1:2:3::1", "9.9.9.9"] {
            assert_eq!(groups.of(&host(text)), plain.of(&host(text)), "{text}");
        }
        assert_ne!(groups.of(&host("9.9.8.9")), plain.of(&host("9.9.8.9")));
    }
}
