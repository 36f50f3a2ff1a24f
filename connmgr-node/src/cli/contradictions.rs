//! Options that can't work, alone or together, and what is missing. Starts nothing.

use std::net::SocketAddr;

use connmgr_core::{NetworkKind, PeerAddress};

/// Why the node could never be connected to this peer.
pub(super) fn unreachable(peer: &PeerAddress, has_proxy: bool) -> Option<String> {
    let missing = match peer.network() {
        Some(NetworkKind::Onion) if !has_proxy => {
            "an onion address needs --proxy with Tor's SOCKS5 port, such as --proxy 127.0.0.1:9050"
        }
        Some(NetworkKind::I2p) if !has_proxy => {
            "an I2P address needs --proxy with the SOCKS5 port of an I2P router, such as --proxy 127.0.0.1:4447"
        }
        Some(NetworkKind::I2p | NetworkKind::Onion) => return None,
        Some(NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns) | None if peer.port() == 0 => {
            "nobody listens on port 0: give a port from 1 to 65535, or none for the usual one"
        }
        Some(NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns) | None => {
            return peer.not_dialable().map(|why| why.to_string());
        }
    };
    Some(missing.to_string())
}

/// Why the node can't listen on the last of these beside the others.
pub(super) fn not_listenable(listen: &[SocketAddr]) -> Option<String> {
    let (last, others) = listen.split_last()?;
    if let SocketAddr::V6(address) = last
        && let Some(ip) = address.ip().to_ipv4_mapped()
    {
        let port = address.port();
        return Some(format!("an IPv4 address is written as one: {ip}:{port}"));
    }
    let other = others.iter().find(|other| overlap(other, last))?;
    Some(if other == last { "it is given twice".to_string() } else { format!("it overlaps --listen {other}") })
}

/// Whether both can't be bound: the same port of the same address, or of all addresses. Port 0 is any free one.
fn overlap(one: &SocketAddr, other: &SocketAddr) -> bool {
    let is_all = one.ip().is_unspecified() || other.ip().is_unspecified();
    let is_same_ip = one.ip() == other.ip() || is_all && one.is_ipv4() == other.is_ipv4();
    one.port() == other.port() && one.port() != 0 && is_same_ip
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_can_not_be_reached_is_told_what_is_missing() {
        let onion = format!("{}:8333", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion");
        let i2p = format!("{}.b32.i2p:0", "a".repeat(52));
        for (text, has_proxy, missing) in [
            (onion.as_str(), false, Some("Tor's SOCKS5 port")),
            (&onion, true, None),
            (&i2p, false, Some("an I2P router")),
            (&i2p, true, None),
            ("1.2.3.4:0", true, Some("port 0")),
            ("[2001:db8::1]:0", false, Some("port 0")),
            ("a.example:0", false, Some("port 0")),
            ("a.example:1", false, None),
            ("0.0.0.0:1", false, Some("give the peer's own address")),
            ("[::]:1", true, Some("give the peer's own address")),
            ("0.1.2.3:1", false, Some("no destination")),
            ("224.0.0.1:1", false, Some("multicast")),
            ("[ff02::1]:1", false, Some("multicast")),
            ("255.255.255.255:1", false, Some("broadcast")),
            ("[fe80::1]:1", false, Some("the interface")),
            ("[fe80::1%1]:1", false, None),
        ] {
            let told = unreachable(&text.parse().expect(text), has_proxy);
            assert_eq!(told.is_some(), missing.is_some(), "{text}");
            assert!(told.unwrap_or_default().contains(missing.unwrap_or_default()), "{text}");
        }
    }

    #[test]
    fn a_socket_can_not_be_listened_on_twice() {
        for (listen, why) in [
            (&["1.2.3.4:5", "1.2.3.4:5"][..], Some("given twice")),
            (&["0.0.0.0:5", "1.2.3.4:5"], Some("overlaps --listen 0.0.0.0:5")),
            (&["1.2.3.4:5", "[::1]:5", "0.0.0.0:5"], Some("overlaps --listen 1.2.3.4:5")),
            (&["[::]:5", "0.0.0.0:5"], None),
            (&["1.2.3.4:0", "1.2.3.4:0"], None),
            (&["1.2.3.4:5", "1.2.3.4:6", "1.2.3.5:5"], None),
            (&["[::ffff:127.0.0.1]:5"], Some("written as one: 127.0.0.1:5")),
            (&["[::1]:5"], None),
            (&[], None),
        ] {
            let listen: Vec<SocketAddr> = listen.iter().map(|text| text.parse().expect(text)).collect();
            let told = not_listenable(&listen);
            assert_eq!(told.is_some(), why.is_some(), "{listen:?}: {told:?}");
            assert!(told.unwrap_or_default().contains(why.unwrap_or_default()), "{listen:?}");
        }
    }
}
