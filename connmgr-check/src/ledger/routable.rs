//! Which hosts are in the ranges of a configuration, and which of them tell whether a network is down.
//!
//! Written from the IANA special-purpose registries (RFC 6890), independently of the core, so that a mistake is found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use connmgr_core::{Host, Ranges};

/// Whether a host is in one of the ranges in which peers may be, or in an overlay network.
pub fn is_routable(host: &Host, ranges: &Ranges) -> bool {
    match host {
        Host::Ip(ip) => ranges.own.iter().any(|net| net.contains(ip)) || is_switched_on(*ip, ranges),
        Host::Cjdns(ip) => ip.octets()[0] == 0xfc,
        Host::Onion(_) | Host::I2p(_) => true,
        Host::Name(_) => false,
    }
}

/// Whether dials to a host tell something of its network. Where peers are on the internet, those to hosts that are not
/// do not; on loopback they do, if peers may be there.
pub(crate) fn tells_of_network(host: &Host, ranges: &Ranges) -> bool {
    let alone = Ranges { public: true, loopback: ranges.loopback, ..Ranges::default() };
    is_routable(host, ranges) && (!ranges.public || is_routable(host, &alone))
}

fn is_switched_on(ip: IpAddr, ranges: &Ranges) -> bool {
    let in_v4 = |ip: Ipv4Addr, blocks: &[([u8; 4], u32)]| blocks.iter().any(|block| is_inside_v4(ip, block));
    if ip.is_loopback() {
        return ranges.loopback;
    }
    match ip {
        IpAddr::V4(ip) if in_v4(ip, &PRIVATE_V4) => ranges.private,
        IpAddr::V4(ip) if is_inside_v4(ip, &SHARED_V4) => ranges.shared,
        IpAddr::V4(ip) => ranges.public && is_public_v4(ip),
        IpAddr::V6(ip) if ip.to_bits() >> 121 == 0b111_1110 => ranges.private,
        IpAddr::V6(ip) => ranges.public && inner_v4(ip).map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

const PRIVATE_V4: [([u8; 4], u32); 3] = [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16)];
const SHARED_V4: ([u8; 4], u32) = ([100, 64, 0, 0], 10);

fn is_inside_v4(ip: Ipv4Addr, (net, length): &([u8; 4], u32)) -> bool {
    (ip.to_bits() ^ Ipv4Addr::from(*net).to_bits()) >> (32 - length) == 0
}

/// IPv4 blocks without public hosts.
const SPECIAL_V4: [([u8; 4], u32); 14] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

fn is_public_v4(ip: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|block| is_inside_v4(ip, block))
}

/// IPv6 blocks inside `2000::/3` without public hosts.
const SPECIAL_V6: [(u128, u32); 5] = [
    (0x2001_0002_0000_0000_0000_0000_0000_0000, 48),
    (0x2001_0010_0000_0000_0000_0000_0000_0000, 28),
    (0x2001_0020_0000_0000_0000_0000_0000_0000, 28),
    (0x2001_0db8_0000_0000_0000_0000_0000_0000, 32),
    (0x3fff_0000_0000_0000_0000_0000_0000_0000, 20),
];

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let inside = |(net, length): &(u128, u32)| (ip.to_bits() ^ net) >> (128 - length) == 0;
    ip.to_bits() >> 125 == 1 && !SPECIAL_V6.iter().any(inside)
}

/// The IPv4 address embedded in an IPv6 one.
fn inner_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = ip.to_bits();
    let low = u32::try_from(bits & 0xffff_ffff).expect("32 bits");
    let high = |length: u32| bits >> (128 - length);
    if high(96) == 0xffff || high(96) == 0xffff_0000 || high(96) == 0x0064_ff9b_0000_0000_0000_0000 {
        Some(Ipv4Addr::from_bits(low))
    } else if high(32) == 0x2001_0000 {
        Some(Ipv4Addr::from_bits(!low))
    } else if high(16) == 0x2002 {
        Some(Ipv4Addr::from_bits(u32::try_from(bits >> 80 & 0xffff_ffff).expect("32 bits")))
    } else {
        None
    }
}
