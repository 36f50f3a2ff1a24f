//! The ranges that addresses are in, and the IPv4 addresses that some IPv6 addresses contain.
//!
//! Read first: RFC 3964 (6to4), RFC 4380 (Teredo), RFC 6052 and RFC 6145 (translation) for IPv6 addresses that contain an
//! IPv4 address. This file knows no groups.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::Ranges;
use crate::types::Host;

/// Whether an address may be kept when others tell of it.
///
/// An IPv6 address that contains an IPv4 address is public if that is, and in no other range: otherwise a local
/// translator (NAT64) could be used to dial the home network. Names are outside: only the operator gives names. Ignores
/// the port.
pub(crate) fn is_in_range(host: &Host, ranges: &Ranges) -> bool {
    match host {
        Host::Ip(ip) => is_own(*ip, ranges) || range_of(*ip).is_some_and(|range| range.is_in(ranges)),
        Host::Cjdns(ip) => Host::is_cjdns_range(*ip),
        Host::Onion(_) | Host::I2p(_) => true,
        Host::Name(_) => false,
    }
}

/// Whether dials to this host tell whether its network is up. Not those to a host outside of all ranges; nor those to a
/// private or own one where peers are on the internet too, for they answer while the internet is away.
pub(crate) fn tells_of_network(host: &Host, ranges: &Ranges) -> bool {
    let Host::Ip(ip) = host else { return is_in_range(host, ranges) };
    let range = range_of(*ip);
    let is_of_network = !ranges.public || matches!(range, Some(Range::Public | Range::Loopback));
    is_of_network && (range.is_some_and(|range| range.is_in(ranges)) || is_own(*ip, ranges))
}

/// The ranges that have a switch in [`Ranges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Public,
    Private,
    Shared,
    Loopback,
}

impl Range {
    const fn is_in(self, ranges: &Ranges) -> bool {
        match self {
            Self::Public => ranges.public,
            Self::Private => ranges.private,
            Self::Shared => ranges.shared,
            Self::Loopback => ranges.loopback,
        }
    }
}

fn range_of(ip: IpAddr) -> Option<Range> {
    match ip {
        IpAddr::V4(ip) => range_of_v4(ip),
        IpAddr::V6(ip) if ip.is_loopback() => Some(Range::Loopback),
        IpAddr::V6(ip) if ip.is_unique_local() => Some(Range::Private),
        IpAddr::V6(ip) => carried_v4(ip).map_or_else(|| is_public_v6(ip), is_public_v4).then_some(Range::Public),
    }
}

/// The first byte decides for most addresses, and this is asked at every dial and arrival.
fn range_of_v4(ip: Ipv4Addr) -> Option<Range> {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some(Range::Private), // RFC 1918
        (100, 64..=127, _) => Some(Range::Shared),                            // RFC 6598
        (127, ..) => Some(Range::Loopback),
        // This network, link-local, protocols, documentation (RFC 5737), benchmarks (RFC 2544), multicast and above.
        (0 | 224.., ..) | (169, 254, _) | (192, 0, 0 | 2) | (198, 18 | 19, _) | (198, 51, 100) | (203, 0, 113) => None,
        _ => Some(Range::Public),
    }
}

fn is_own(ip: IpAddr, ranges: &Ranges) -> bool {
    ranges.own.iter().any(|net| net.contains(&ip))
}

/// Whether the address is in a private network, which one operator has.
pub(super) fn is_site(ip: IpAddr, ranges: &Ranges) -> bool {
    matches!(range_of(ip), Some(Range::Private | Range::Shared)) || is_own(ip, ranges)
}

/// Not in the IANA IPv4 special-purpose registry (RFC 6890), except entries where peers may be.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    range_of_v4(ip) == Some(Range::Public)
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
pub(super) fn carried_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
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
pub(super) fn first_bits(ip: Ipv6Addr, count: u32) -> u64 {
    u64::try_from(ip.to_bits() >> (128 - count)).expect("at most 64 bits are asked for")
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

    #[test]
    fn public_addresses_are_in_the_public_range() {
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
            assert!(is_in_range(&host(text), &Ranges::default()), "{text}");
        }
    }

    #[test]
    fn special_addresses_are_in_no_range_by_default() {
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
            assert!(!is_in_range(&host(text), &Ranges::default()), "{text}");
        }
    }

    fn only(change: impl FnOnce(&mut Ranges)) -> Ranges {
        let mut ranges = Ranges { public: false, ..Ranges::default() };
        change(&mut ranges);
        ranges
    }

    #[test]
    fn each_range_has_its_switch_and_no_other_switch_opens_it() {
        let switches = [
            (only(|ranges| ranges.public = true), &["8.8.8.8", "2a01:4f8::1", "100.128.0.1"][..]),
            (
                only(|ranges| ranges.private = true),
                &["10.0.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"],
            ),
            (only(|ranges| ranges.shared = true), &["100.64.0.1", "100.127.255.255"]),
            (only(|ranges| ranges.loopback = true), &["127.0.0.1", "127.9.9.9", "::1"]),
            (only(|ranges| ranges.own = ["200::/7", "169.254.0.0/16"].map(net).to_vec()), &["201::1", "169.254.1.1"]),
        ];
        for (number, (ranges, _)) in switches.iter().enumerate() {
            for (other, (_, hosts)) in switches.iter().enumerate() {
                for text in *hosts {
                    assert_eq!(is_in_range(&host(text), ranges), number == other, "{text} in {ranges:?}");
                }
            }
        }
    }

    #[test]
    fn what_carries_a_private_address_is_in_no_range() {
        let all = Ranges { private: true, shared: true, loopback: true, ..Ranges::default() };
        for text in ["64:ff9b::10.0.0.1", "2002:7f00:1::1", "2001::f5ff:fffe", "0.0.0.0", "::", "224.0.0.1", "fe80::1"]
        {
            assert!(!is_in_range(&host(text), &all), "{text}");
        }
    }

    #[test]
    fn private_addresses_tell_of_the_network_where_none_is_public() {
        let lan = only(|ranges| (ranges.private, ranges.own) = (true, [net("200::/7")].to_vec()));
        let both = Ranges { public: true, loopback: true, ..lan.clone() };
        for text in ["10.0.0.1", "fd00::1", "201::1"] {
            assert!(tells_of_network(&host(text), &lan) && !tells_of_network(&host(text), &both), "{text}");
        }
        for text in ["8.8.8.8", "127.0.0.1", "cjdns:fc00::1"] {
            assert!(tells_of_network(&host(text), &both), "{text}");
        }
        assert!(!tells_of_network(&host("8.8.8.8"), &lan) && !tells_of_network(&host("100.64.0.1"), &both));
    }
}
