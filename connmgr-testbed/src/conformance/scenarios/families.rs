//! IPv4 and IPv6, side by side.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use connmgr_core::PeerAddress;
use connmgr_std::StartError;

use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};
use crate::peers::PeerStream;

/// How often to look for a port that is free in both families: another process may take it.
const TRIES: usize = 10;

/// Each family has a listener of its own at that port, and reaches only that.
pub fn both_families_are_let_in_at_one_port<R: Rig>(rig: &R) {
    if let Err(error) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        return eprintln!("not tried: there is no IPv6 loopback here: {error}");
    }
    let mut world = on_both(rig);
    let addresses = world.pool.local_addrs();
    assert_eq!(addresses[0].port(), addresses[1].port());
    let loopbacks = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let listeners = loopbacks.map(|ip| {
        let _theirs = PeerStream::connect(SocketAddr::new(ip, addresses[0].port())).expect("somebody listens");
        let ours = world.connected();
        let seen = ours.address.as_ref().and_then(PeerAddress::socket_addr).map(|address| address.ip());
        assert_eq!(seen, Some(ip));
        ours.listener
    });
    assert_ne!(listeners[0], listeners[1]);
    world.end();
}

/// A pool that listens on all addresses of both families, at a port that is free in both.
fn on_both<R: Rig>(rig: &R) -> TestWorld<R> {
    for _ in 0..TRIES {
        let free = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        let setup = Setup::new(config()).listening_at(v4, None).listening_at(v6, None);
        match TestWorld::try_start(rig, setup) {
            Ok(world) => return world,
            Err(StartError::Listen { error, .. }) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => panic!("not started: {error}"),
        }
    }
    panic!("no port that both families may have")
}
