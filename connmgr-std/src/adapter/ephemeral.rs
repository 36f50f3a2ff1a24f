//! Whether a dial may meet itself: by chance the system gives it the very port of this machine that it connects to, and
//! with nobody there to listen, TCP's simultaneous open connects it with itself.
//!
//! To see it costs a call into the system for every connection, and a dial is never bound to a port: so only ports that
//! the system gives away need the look. See `ip_local_port_range` in Linux's `Documentation/networking/ip-sysctl.rst`.

use std::fs;
use std::net::SocketAddr;
use std::sync::OnceLock;

/// Whether a dial to this address, when it is connected, has to be asked for its own address: the port is one that the
/// system gives to dials. The range is read once; if it is widened later, a dial that met itself is found by its
/// handshake, as any connection to ourselves is.
pub fn may_meet_itself(address: SocketAddr) -> bool {
    static LOWEST: OnceLock<u16> = OnceLock::new();
    address.port() >= *LOWEST.get_or_init(lowest)
}

/// The lowest port that is given away; zero, and so all of them, where it is not known.
fn lowest() -> u16 {
    let told = if cfg!(target_os = "linux") { fs::read_to_string(RANGE).ok() } else { None };
    told.and_then(|range| parse(&range)).unwrap_or(0)
}

/// The first of two numbers.
fn parse(range: &str) -> Option<u16> {
    range.split_whitespace().next()?.parse().ok()
}

/// Where Linux tells it; for IPv6 too.
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
