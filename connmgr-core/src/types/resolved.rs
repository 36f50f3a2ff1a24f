//! One address that a name has.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use core::str::FromStr;

use super::address_text::{AddressError, read_ip};
use super::host::HostError;

/// An IP address that a name was resolved to: what a resolver answers.
///
/// A link-local IPv6 address has a zone, the number of the interface it belongs to (the `scope_id` of the system's
/// answer); without it nobody can be dialed there. As text: `1.2.3.4`, `2001:db8::1`, `fe80::1%2`. An IPv4-mapped IPv6
/// address is its IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolvedIp {
    ip: IpAddr,
    /// 0: none.
    zone: u32,
}

impl ResolvedIp {
    /// This address in this zone; 0: none. Only a link-local IPv6 address keeps its zone.
    pub const fn new(ip: IpAddr, zone: u32) -> Self {
        let ip = ip.to_canonical();
        let zone = match ip {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => zone,
            IpAddr::V6(_) | IpAddr::V4(_) => 0,
        };
        Self { ip, zone }
    }

    /// The address.
    pub const fn ip(self) -> IpAddr {
        self.ip
    }

    /// The zone of a link-local address, if the resolver knew it.
    pub const fn zone(self) -> Option<u32> {
        if self.zone == 0 { None } else { Some(self.zone) }
    }

    /// The socket address of a port there.
    pub const fn socket_addr(self, port: u16) -> SocketAddr {
        match self.ip {
            IpAddr::V4(_) => SocketAddr::new(self.ip, port),
            IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, port, 0, self.zone)),
        }
    }
}

impl From<IpAddr> for ResolvedIp {
    fn from(ip: IpAddr) -> Self {
        Self::new(ip, 0)
    }
}

impl From<Ipv4Addr> for ResolvedIp {
    fn from(ip: Ipv4Addr) -> Self {
        Self::from(IpAddr::V4(ip))
    }
}

impl From<Ipv6Addr> for ResolvedIp {
    fn from(ip: Ipv6Addr) -> Self {
        Self::from(IpAddr::V6(ip))
    }
}

impl From<[u8; 4]> for ResolvedIp {
    fn from(ip: [u8; 4]) -> Self {
        Self::from(IpAddr::from(ip))
    }
}

impl From<SocketAddr> for ResolvedIp {
    /// Its port does not matter.
    fn from(addr: SocketAddr) -> Self {
        match addr {
            SocketAddr::V4(addr) => Self::from(*addr.ip()),
            SocketAddr::V6(addr) => Self::new(IpAddr::V6(*addr.ip()), addr.scope_id()),
        }
    }
}

impl fmt::Display for ResolvedIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.zone() {
            Some(zone) => write!(f, "{}%{zone}", self.ip),
            None => self.ip.fmt(f),
        }
    }
}

impl FromStr for ResolvedIp {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, zone) = read_ip(text)?.ok_or(AddressError::BadHost(HostError::BadName))?;
        host.ip().map(|ip| Self::new(ip, zone)).ok_or(AddressError::BadHost(HostError::BadName))
    }
}

#[cfg(feature = "serde")]
crate::types::data::as_text!(ResolvedIp);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_answer_is_written_and_read_with_its_zone() {
        for text in ["1.2.3.4", "2001:db8::1", "fe80::1%2", "fe80::1"] {
            assert_eq!(text.parse::<ResolvedIp>().expect(text).to_string(), text);
        }
        for text in ["node.example", "", "1.2.3.4:80", "fe80::1%eth0", "2001:db8::1%2"] {
            assert!(text.parse::<ResolvedIp>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_link_local_address_has_a_zone() {
        let zone = |text: &str| ResolvedIp::new(text.parse().expect(text), 7).zone();
        assert_eq!(["fe80::1", "2001:db8::1", "1.2.3.4", "::ffff:1.2.3.4"].map(zone), [Some(7), None, None, None]);
    }
}
