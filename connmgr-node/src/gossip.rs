//! Converts addresses between messages and the manager's types.
//!
//! `addr` carries IPv4 and IPv6 only, `addrv2` every network (BIP 155). Only addresses that can't be dialed are left out;
//! the manager decides which of the others to keep.

use std::net::{IpAddr, Ipv6Addr};

use bitcoin::p2p::address::{AddrV2, AddrV2Message};
use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::{Address, ServiceFlags};
use connmgr_core::{AddressInfo, Host, PeerAddress, Services, UnixTime};

/// The most addresses one message may carry: Core's `MAX_ADDR_TO_SEND`.
pub const MAX_ADDRESSES: usize = 1000;

/// The addresses of an `addr` message.
pub fn from_addr(entries: &[(u32, Address)]) -> Vec<AddressInfo> {
    let read = |(time, entry): &(u32, Address)| {
        let ip = Ipv6Addr::from(entry.address);
        let host = (!is_onioncat(ip)).then(|| Host::from(IpAddr::V6(ip)))?;
        info(host, entry.port, entry.services, *time)
    };
    entries.iter().filter_map(read).collect()
}

/// The addresses of an `addrv2` message.
pub fn from_addrv2(entries: &[AddrV2Message]) -> Vec<AddressInfo> {
    let read = |entry: &AddrV2Message| info(host_of(&entry.addr)?, entry.port, entry.services, entry.time);
    entries.iter().filter_map(read).collect()
}

/// The message with these addresses, at most [`MAX_ADDRESSES`]; none if no address fits into it.
pub fn to_message(addresses: &[AddressInfo], as_addrv2: bool) -> Option<NetworkMessage> {
    if as_addrv2 {
        let entries: Vec<_> = addresses.iter().filter_map(to_addrv2).take(MAX_ADDRESSES).collect();
        (!entries.is_empty()).then_some(NetworkMessage::AddrV2(entries))
    } else {
        let entries: Vec<_> = addresses.iter().filter_map(to_addr).take(MAX_ADDRESSES).collect();
        (!entries.is_empty()).then_some(NetworkMessage::Addr(entries))
    }
}

fn info(host: Host, port: u16, services: ServiceFlags, time: u32) -> Option<AddressInfo> {
    // I2P has no ports; BIP 155 sends 0.
    let needs_port = !matches!(host, Host::I2p(_));
    (port != 0 || !needs_port).then(|| {
        AddressInfo::new(PeerAddress::new(host, port))
            .services(Services::from_bits(services.to_u64()))
            .last_seen(UnixTime::from_secs(time.into()))
    })
}

fn host_of(address: &AddrV2) -> Option<Host> {
    match address {
        AddrV2::Ipv4(ip) => Some(Host::from(*ip)),
        AddrV2::Ipv6(ip) => Some(Host::from(IpAddr::V6(*ip))),
        AddrV2::TorV3(key) => Some(Host::Onion(*key)),
        AddrV2::I2p(hash) => Some(Host::I2p(*hash)),
        AddrV2::Cjdns(ip) => Some(Host::Cjdns(*ip)),
        // Onion services of version 2 no longer exist.
        AddrV2::TorV2(_) | AddrV2::Unknown(..) => None,
    }
}

/// `fd87:d87e:eb43::/48`, which stood for onion services of version 2 before BIP 155.
fn is_onioncat(ip: Ipv6Addr) -> bool {
    ip.segments()[..3] == [0xfd87, 0xd87e, 0xeb43]
}

fn to_addr(known: &AddressInfo) -> Option<(u32, Address)> {
    let Host::Ip(_) = known.address.host() else { return None };
    let address = Address::new(&known.address.socket_addr()?, ServiceFlags::from(known.services.bits()));
    Some((seconds(known.last_seen), address))
}

fn to_addrv2(known: &AddressInfo) -> Option<AddrV2Message> {
    let addr = match known.address.host() {
        Host::Ip(IpAddr::V4(ip)) => AddrV2::Ipv4(*ip),
        Host::Ip(IpAddr::V6(ip)) => AddrV2::Ipv6(*ip),
        Host::Onion(key) => AddrV2::TorV3(*key),
        Host::I2p(hash) => AddrV2::I2p(*hash),
        Host::Cjdns(ip) => AddrV2::Cjdns(*ip),
        Host::Name(_) => return None,
    };
    let services = ServiceFlags::from(known.services.bits());
    Some(AddrV2Message { time: seconds(known.last_seen), services, addr, port: known.address.port() })
}

fn seconds(time: UnixTime) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_NETWORK: [&str; 5] = [
        "1.2.3.4:8333",
        "[2001:db8::1]:8333",
        "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:8333",
        "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0",
        "cjdns:[fc00::1]:8333",
    ];

    fn known(text: &str) -> AddressInfo {
        AddressInfo::new(text.parse().expect(text))
            .services(Services::NETWORK)
            .last_seen(UnixTime::from_secs(1_700_000_000))
    }

    #[test]
    fn addrv2_carries_every_network() {
        let told = EVERY_NETWORK.map(known);
        let Some(NetworkMessage::AddrV2(entries)) = to_message(&told, true) else { panic!("an addrv2 message") };
        assert_eq!(from_addrv2(&entries), told);
    }

    #[test]
    fn addr_carries_ip_addresses_only() {
        let told = EVERY_NETWORK.map(known);
        let Some(NetworkMessage::Addr(entries)) = to_message(&told, false) else { panic!("an addr message") };
        assert_eq!(from_addr(&entries), told[..2]);
    }

    #[test]
    fn what_can_not_be_dialed_is_left_out() {
        let entry = |addr, port| AddrV2Message { time: 0, services: ServiceFlags::NONE, addr, port };
        let entries = [
            entry(AddrV2::Ipv4([1, 2, 3, 4].into()), 0),
            entry(AddrV2::TorV2([0; 10]), 1),
            entry(AddrV2::Unknown(99, vec![1]), 1),
        ];
        assert_eq!(from_addrv2(&entries), []);
        let onioncat =
            Address { services: ServiceFlags::NONE, address: [0xfd87, 0xd87e, 0xeb43, 1, 2, 3, 4, 5], port: 1 };
        assert_eq!(from_addr(&[(0, onioncat)]), []);
    }

    #[test]
    fn no_message_tells_more_than_the_protocol_allows() {
        let Some(NetworkMessage::Addr(entries)) = to_message(&vec![known("1.2.3.4:1"); 1500], false) else {
            panic!("an addr message")
        };
        assert_eq!(entries.len(), MAX_ADDRESSES);
        assert_eq!(to_message(&[known("node.example:1")], true), None);
    }
}
