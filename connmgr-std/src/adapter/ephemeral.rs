//! Whether a dial may connect to itself. If the system gives a dial the very port of this machine that it connects to,
//! and nobody listens there, TCP's simultaneous open connects the socket with itself.
//!
//! To detect it costs a system call for each connection. Dials are never bound to a port, so only ephemeral ports need
//! the call. See `ip_local_port_range` in Linux's `Documentation/networking/ip-sysctl.rst`.

use std::fs;
use std::net::SocketAddr;
use std::sync::OnceLock;

/// Whether a dial to this address may connect to itself, because the port is one that the system gives to dials. The
/// range is read once. If it is widened later, the handshake finds such a connection, as any other to this node itself.
pub fn may_meet_itself(address: SocketAddr) -> bool {
    static LOWEST: OnceLock<u16> = OnceLock::new();
    address.port() >= *LOWEST.get_or_init(lowest)
}

/// The lowest port that the system gives to dials; zero if that is not known, so that every dial is checked.
fn lowest() -> u16 {
    let told = if cfg!(target_os = "linux") { fs::read_to_string(RANGE).ok() } else { None };
    told.and_then(|range| parse(&range)).unwrap_or(0)
}

/// The first of two numbers.
fn parse(range: &str) -> Option<u16> {
    range.split_whitespace().next()?.parse().ok()
}

/// Linux's file for it, for IPv6 too.
const RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_read_as_linux_writes_it() {
        assert_eq!(parse("32768\t60999\n"), Some(32768));
        assert_eq!([parse(""), parse("none"), parse("70000 1")], [None; 3]);
    }

    #[test]
    fn a_port_that_the_system_gave_away_needs_the_look() {
        let given = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(may_meet_itself(given));
    }
}
