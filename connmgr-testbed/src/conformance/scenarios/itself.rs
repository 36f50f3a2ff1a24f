//! A dial that connects to itself.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use crate::conformance::namespace::Namespace;
use crate::conformance::{Rig, RigPool, Setup, TestWorld, config};

/// The only ephemeral port in this namespace.
const PORT: u16 = 40_000;

/// Without a listener, a dial to the port that it was given itself connects to itself (simultaneous
/// open, RFC 9293 §3.5). It counts as refused.
pub fn a_dial_that_meets_itself_has_met_nobody<R: Rig>(rig: &R) {
    match Namespace::enter() {
        Namespace::Inside => {}
        Namespace::Done => return,
        Namespace::Unavailable => return eprintln!("not tried: no user namespaces, or no `unshare` and `ip`"),
    }
    if let Err(error) = fs::write("/proc/sys/net/ipv4/ip_local_port_range", format!("{PORT} {PORT}")) {
        return eprintln!("not tried: the range of ports can't be set: {error}");
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    meet_oneself(address);
    let mut config = config();
    config.retry.base = Duration::from_secs(60);
    config.retry.cap = config.retry.base;
    let mut world = TestWorld::start(rig, Setup::new(config));
    world.add(address);
    world.tells_all(&["dial failed: connection refused", "retry 1"]);
    assert!(world.pool.connections().is_empty());
    world.end();
}

/// Whether a plain socket connects to itself. It ends by a reset, so that the port is free at once.
fn meet_oneself(address: SocketAddr) {
    let socket = TcpStream::connect(address).expect("itself");
    assert_eq!(socket.local_addr().expect("a socket"), address);
    SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("a socket");
}
