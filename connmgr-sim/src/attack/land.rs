//! IPv4 in two halves: groups of honest nodes, and groups of the attacker.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use connmgr_core::{PeerAddress, SourceGroup};

/// The port of every address.
pub(super) const PORT: u16 = 8333;

/// First octets of which all or a part is in no public range.
const SPECIAL: [u8; 9] = [0, 10, 100, 127, 169, 172, 192, 198, 203];
/// From here on is multicast.
const UNICAST: u8 = 224;

/// The first octets that are public as a whole.
const FIRST_OCTETS: [u8; UNICAST as usize - SPECIAL.len()] = {
    let mut octets = [0; UNICAST as usize - SPECIAL.len()];
    let (mut octet, mut place, mut special) = (0, 0, 0);
    while octet < UNICAST {
        // Both rise.
        if special < SPECIAL.len() && SPECIAL[special] == octet {
            special += 1;
        } else {
            octets[place] = octet;
            place += 1;
        }
        octet += 1;
    }
    octets
};

/// The groups of each half: 128 in each /8 that is public as a whole.
pub(super) const GROUPS: u32 = 27_520;
const _: () = assert!(GROUPS as usize == 128 * FIRST_OCTETS.len());
/// The addresses of a group.
pub(super) const HOSTS: u32 = 1 << 16;

/// Whose a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Honest,
    Attacker,
}

/// Address number `host` of a group, below [`HOSTS`], in group number `group`, below [`GROUPS`], of its owner.
pub(super) fn address(owner: Owner, group: u32, host: u32) -> PeerAddress {
    let ip = Ipv4Addr::from_bits((prefix(owner, group) << 16) | (host % HOSTS));
    PeerAddress::from(SocketAddr::new(ip.into(), PORT))
}

/// The source group of the nodes in a group.
pub(super) fn source(owner: Owner, group: u32) -> SourceGroup {
    SourceGroup::imported(prefix(owner, group).into())
}

/// Source groups of the attacker's beyond IPv4, where a /32 of IPv6 is one: any number of them.
pub(super) fn far_source(number: u32) -> SourceGroup {
    SourceGroup::imported(1 << 32 | u64::from(number))
}

/// The first 16 bits: odd ones are the attacker's.
fn prefix(owner: Owner, group: u32) -> u32 {
    let group = group % GROUPS;
    let first = FIRST_OCTETS[(group / 128) as usize];
    (u32::from(first) << 8) | ((group % 128) << 1) | u32::from(owner == Owner::Attacker)
}

/// Whether an address is the attacker's.
pub fn is_attackers(address: &PeerAddress) -> bool {
    match address.host().ip() {
        Some(IpAddr::V4(ip)) => ip.octets()[1] % 2 == 1,
        Some(IpAddr::V6(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_public_and_has_one_owner() {
        for group in [0, 1, 127, 128, 9 * 128, GROUPS - 1] {
            let (honest, attackers) = (address(Owner::Honest, group, 7), address(Owner::Attacker, group, 7));
            assert!(!is_attackers(&honest) && is_attackers(&attackers), "{honest} {attackers}");
            let first = honest.host().ip().map(|ip| ip.to_string()).expect("an IP address");
            let first: u8 = first.split('.').next().and_then(|octet| octet.parse().ok()).expect("an octet");
            assert!(first < UNICAST && !SPECIAL.contains(&first), "{honest}");
        }
    }
}
