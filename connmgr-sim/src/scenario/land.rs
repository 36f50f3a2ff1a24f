//! Which addresses the hosts of a world live at: in groups that do not meet, or in private ranges.

use std::net::{Ipv4Addr, Ipv6Addr};

use connmgr_core::{Host as HostAddress, NetworkKind, PeerAddress};

use crate::types::Dice;

/// The port of every host and manager.
pub const PORT: u16 = 8333;
/// IPv4 /16 between 11.0.0.0 and 99.255.0.0, none of them special.
const FIRST_V4: u32 = 11 << 8;

/// How many groups are in use already.
#[derive(Debug, Default)]
pub(super) struct Land {
    v4: u32,
    v6: u32,
    private: u32,
}

impl Land {
    /// Addresses for `count` hosts in new groups. When groups run out they are shared, and hosts with them.
    pub(super) fn claim(
        &mut self,
        (network, is_private): (NetworkKind, bool),
        count: u32,
        groups: u32,
        dice: &Dice,
    ) -> Vec<PeerAddress> {
        let groups = groups.max(1);
        let first = match network {
            NetworkKind::Ipv4 | NetworkKind::Ipv6 if is_private => {
                let first = take(&mut self.private, groups);
                let home = |number| private_home(network, first + number % groups, number / groups);
                return (0..count).map(home).collect();
            }
            NetworkKind::Ipv4 => take(&mut self.v4, groups),
            NetworkKind::Ipv6 => take(&mut self.v6, groups),
            NetworkKind::Onion | NetworkKind::I2p | NetworkKind::Cjdns => 0,
        };
        (0..count).map(|number| home(network, first + number % groups, number / groups, number, dice)).collect()
    }
}

fn take(next: &mut u32, groups: u32) -> u32 {
    let first = *next;
    *next = next.wrapping_add(groups);
    first
}

/// In `10.0.0.0/8` or `fd00::/8`. Each group is a /24 or /64; when they run out they are shared.
fn private_home(network: NetworkKind, group: u32, within: u32) -> PeerAddress {
    let group = group & 0xffff;
    let host = if network == NetworkKind::Ipv4 {
        let low = (within + 1) & 0xff;
        HostAddress::from(std::net::IpAddr::V4(Ipv4Addr::from_bits(10 << 24 | group << 8 | low)))
    } else {
        let high = 0xfd00_0000_0000_0000u64 | u64::from(group);
        HostAddress::from(std::net::IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(within + 1))))
    };
    PeerAddress::new(host, PORT)
}

fn home(network: NetworkKind, group: u32, within: u32, number: u32, dice: &Dice) -> PeerAddress {
    let host = match network {
        NetworkKind::Ipv4 => {
            // 22 784 groups until the land runs out; then the second half of each group.
            let (lap, group) = (group / (89 * 256), group % (89 * 256));
            let low = (within + 1 + lap * 16_384) & 0xffff;
            HostAddress::from(std::net::IpAddr::V4(Ipv4Addr::from_bits((FIRST_V4 + group) << 16 | low)))
        }
        NetworkKind::Ipv6 => {
            let high = u128::from(0x2a00_0000u32 + (group & 0xff_ffff));
            HostAddress::from(std::net::IpAddr::V6(Ipv6Addr::from_bits(high << 96 | u128::from(within + 1))))
        }
        NetworkKind::Onion => HostAddress::Onion(bytes(dice.part(number.into()))),
        NetworkKind::I2p => HostAddress::I2p(bytes(dice.part(number.into()))),
        NetworkKind::Cjdns => {
            let mut octets = [0; 16];
            octets.copy_from_slice(&bytes(dice.part(number.into()))[..16]);
            octets[0] = 0xfc;
            HostAddress::Cjdns(Ipv6Addr::from(octets))
        }
    };
    let port = if network == NetworkKind::I2p { 0 } else { PORT };
    PeerAddress::new(host, port)
}

fn bytes(mut dice: Dice) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&dice.next_u64().to_le_bytes()));
    bytes
}
