//! Parts of configurations that are tried.

use alloc::format;
use alloc::vec::Vec;
use core::net::SocketAddr;

use ipnet::IpNet;

use crate::config::{Listener, Proxy, Seed};
use crate::types::{AsnTable, HostName, Limits, ListenerId, PeerAddress, ProxyAddress};

pub(super) fn limits(total: u32, full: u32, block_relay: u32, feeler: u32) -> Limits {
    Limits { total, full, block_relay, feeler, ..Limits::default() }
}

pub(super) fn addresses(count: u16) -> Vec<PeerAddress> {
    (1..=count).map(|port| PeerAddress::from(SocketAddr::from(([203, 0, 113, 1], port)))).collect()
}

pub(super) fn proxy(port: u16) -> Proxy {
    let name = HostName::new("tor").expect("a host name");
    Proxy::new(ProxyAddress::Name(name, port))
}

pub(super) fn seed(name: &str) -> Seed {
    Seed::new(HostName::new(name).expect("a host name"))
}

pub(super) fn subnets(count: u8) -> Vec<IpNet> {
    (0..count).map(|number| format!("10.0.{number}.0/24").parse().expect("a subnet")).collect()
}

pub(super) fn listener(id: u32) -> Listener {
    Listener::new(ListenerId(id))
}

pub(super) fn asn_table() -> AsnTable {
    AsnTable::new([("1.2.0.0/16".parse().expect("a subnet"), 64500)]).expect("few ranges")
}
