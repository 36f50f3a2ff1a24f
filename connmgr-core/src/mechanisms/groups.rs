//! Groups of neighbouring addresses, and which addresses are public.
//!
//! One operator may have many addresses, but they usually lie close together, so closeness stands for "perhaps the same
//! operator". Read first: Bitcoin Core's `netgroup.cpp` for the rule; RFC 3964 (6to4), RFC 4380 (Teredo), RFC 6052 and
//! RFC 6145 (translation) for IPv6 addresses that contain an IPv4 address. This file counts nothing and knows no
//! autonomous systems.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::types::Host;

/// Addresses that count as one neighbourhood.
///
/// IPv4: /16. IPv6: /32, and /36 inside the tunnel broker `2001:470::/32`. IPv6 that contains IPv4 (6to4, Teredo,
/// NAT64, mapped): the /16 of that. Onion and I2P: the first 4 bits. CJDNS: the first 12 bits, 4 of them after the
/// common `fc`.
///
/// The number is not a hash: equal numbers are equal groups.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group(u64);

impl Group {
    const V4: u8 = 1;
    const V6: u8 = 2;
    const ONION: u8 = 3;
    const I2P: u8 = 4;
    const CJDNS: u8 = 5;

    /// The group of a host; `None` for a name.
    ///
    /// Loopback and private addresses follow the same rule.
    pub fn of(host: &Host) -> Option<Self> {
        match host {
            Host::Ip(ip) => Some(Self::of_ip(*ip)),
            Host::Onion(key) => Some(Self::new(Self::ONION, u64::from(key[0] >> 4))),
            Host::I2p(hash) => Some(Self::new(Self::I2P, u64::from(hash[0] >> 4))),
            Host::Cjdns(ip) => Some(Self::new(Self::CJDNS, first_bits(*ip, 16) >> 4)),
            Host::Name(_) => None,
        }
    }

    /// The number: the network's tag (1 to 5) in the highest byte, the prefix below. The same on every platform.
    pub const fn as_u64(self) -> u64 {
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

    const fn new(network: u8, prefix: u64) -> Self {
        Self((network as u64) << 56 | prefix)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({:#x})", self.0)
    }
}

/// An IPv4 /24 or IPv6 /64: addresses that usually share one access line.
///
/// Narrower than a [`Group`], for limits that would be unfair to a whole /16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Neighbourhood(Prefix);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Prefix {
    V4(u32),
    V6(u64),
}

impl Neighbourhood {
    /// The neighbourhood of an address; IPv4-mapped IPv6 counts as IPv4.
    pub(crate) fn of(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V4(ip) => Prefix::V4(ip.to_bits() >> 8),
            IpAddr::V6(ip) => Prefix::V6(first_bits(ip, 64)),
        })
    }
}

/// Whether an address learnt from others is public, so that it may be dialed.
///
/// With `loopback_is_public`, loopback counts as public, for tests and regtest; private networks never do. An IPv6
/// address that contains an IPv4 address is public if that is: otherwise a local translator (NAT64) could be used to
/// dial the home network. Names are not public: only the operator gives names. Ignores the port.
pub(crate) fn is_routable(host: &Host, loopback_is_public: bool) -> bool {
    if host.is_loopback() {
        return loopback_is_public;
    }
    match host {
        Host::Ip(IpAddr::V4(ip)) => is_public_v4(*ip),
        Host::Ip(IpAddr::V6(ip)) => carried_v4(*ip).map_or_else(|| is_public_v6(*ip), is_public_v4),
        Host::Cjdns(ip) => ip.octets()[0] == 0xfc,
        Host::Onion(_) | Host::I2p(_) => true,
        Host::Name(_) => false,
    }
}

/// Not in the IANA IPv4 special-purpose registry (RFC 6890), except entries where peers may be.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let this_network = a == 0;
    let carrier_nat = a == 100 && b & 0xc0 == 64;
    let protocols = (a, b, c) == (192, 0, 0);
    let benchmark = a == 198 && b & 0xfe == 18;
    let multicast_and_above = a >= 224;
    !(this_network || carrier_nat || protocols || benchmark || multicast_and_above)
        && !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_documentation())
}

/// Inside `2000::/3`, the only range allocated for public use (RFC 4291 §2.4), and not reserved there.
///
/// Unspecified, loopback, unique local, link-local, site-local and multicast addresses are outside.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let benchmark = first_bits(ip, 48) == 0x2001_0002_0000; // RFC 5180
    let hash_identities = matches!(first_bits(ip, 28), 0x200_1001 | 0x200_1002); // RFC 4843, RFC 7343
    let documentation = first_bits(ip, 32) == 0x2001_0db8 || first_bits(ip, 20) == 0x3_fff0; // RFC 3849, RFC 9637
    first_bits(ip, 3) == 0b001 && !(benchmark || hash_identities || documentation)
}

/// The IPv4 address that an IPv6 address contains, if any.
fn carried_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => Some(v4(high, low)), // mapped, RFC 4291
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)), // translated, RFC 6145
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)), // NAT64, RFC 6052
        [0x2001, 0, .., high, low] => Some(v4(!high, !low)),       // Teredo, RFC 4380: written inverted
        [0x2002, high, low, ..] => Some(v4(high, low)),            // 6to4, RFC 3964
        _ => None,
    }
}

/// The first `count` bits, 1 to 64, as a number.
fn first_bits(ip: Ipv6Addr, count: u32) -> u64 {
    u64::try_from(ip.to_bits() >> (128 - count)).expect("at most 64 bits are asked for")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().expect(text)
    }

    fn group(text: &str) -> Group {
        Group::of(&host(text)).expect("no name")
    }

    fn neighbourhood(text: &str) -> Neighbourhood {
        Neighbourhood::of(text.parse().expect(text))
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
        assert_eq!(group("1.2.3.4").as_u64(), 0x0100_0000_0000_0102);
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
        let onion = |byte| Group::of(&Host::Onion(first_byte(byte)));
        let i2p = |byte| Group::of(&Host::I2p(first_byte(byte)));
        assert_eq!(onion(0x12), onion(0x1f));
        assert_ne!(onion(0x12), onion(0x22));
        assert_ne!(onion(0x12), i2p(0x12));
        check("cjdns:fc12::1", "cjdns:fc1f:1::1", "cjdns:fc22::1");
    }

    #[test]
    fn a_name_has_no_group() {
        assert_eq!(Group::of(&host("seed.example")), None);
    }

    #[test]
    fn the_neighbourhood_is_24_bits_or_64() {
        assert_eq!(neighbourhood("1.2.3.4"), neighbourhood("::ffff:1.2.3.255"));
        assert_ne!(neighbourhood("1.2.3.4"), neighbourhood("1.2.4.4"));
        assert_eq!(neighbourhood("2a01:1:2:3::1"), neighbourhood("2a01:1:2:3:ffff::1"));
        assert_ne!(neighbourhood("2a01:1:2:3::1"), neighbourhood("2a01:1:2:4::1"));
    }

    #[test]
    fn public_addresses_are_routable() {
        for text in [
            "8.8.8.8",
            "1.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.254",
            "2a01:4f8::1",
            "2001:4860:4860::8888",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "cjdns:fc00::1",
            "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion",
        ] {
            assert!(is_routable(&host(text), false), "{text}");
        }
    }

    #[test]
    fn special_addresses_are_never_routable() {
        for text in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::2",
            "fc00::1",
            "fd87:d87e:eb43::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "100::1",
            "2001:db8::1",
            "3fff:fff::1",
            "2001:2::1",
            "2001:10::1",
            "2001:2f::1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
            "2001::f5ff:fffe",
            "seed.example",
        ] {
            assert!(!is_routable(&host(text), true), "{text}");
        }
    }

    #[test]
    fn loopback_is_routable_where_it_counts_as_public() {
        for text in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_routable(&host(text), true), "{text}");
            assert!(!is_routable(&host(text), false), "{text}");
        }
    }
}
