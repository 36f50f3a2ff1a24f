//! Reads the text of an address: host, zone and port, and says what is wrong with a text that is none.
//!
//! This file does not judge the address: port 0 and `0.0.0.0` have a text too, because peers tell such addresses and
//! traces repeat them. Read first: RFC 3986 §3.2.2 for brackets, RFC 4007 §11 for zones.

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

use super::host::{Host, HostError};

/// The parts of a text.
pub(super) struct AddressText {
    pub(super) host: Host,
    /// The number of the interface of a link-local address; 0: none.
    pub(super) zone: u32,
    /// `None` if the text has no port.
    pub(super) port: Option<u16>,
}

const CJDNS_PREFIX: &str = "cjdns:";

/// The fewest digits at the end of an IPv6 address without brackets that look like a port.
const DIGITS_OF_A_PORT: usize = 4;

impl AddressText {
    pub(super) fn read(text: &str) -> Result<Self, AddressError> {
        check_sort(text)?;
        let (is_cjdns, rest) = match text.strip_prefix(CJDNS_PREFIX) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (ip_or_name, port) = split_port(rest)?;
        let (host, zone) = match ip_or_name {
            Part::Bracketed(ip) => read_ip(ip)?.ok_or(AddressError::BadHost(HostError::BadName))?,
            Part::Bare(text) => match read_ip(text)? {
                Some(found) => found,
                None => (text.parse().map_err(AddressError::BadHost)?, 0),
            },
        };
        let host = if is_cjdns { cjdns(&host)? } else { host };
        let port = port.map(|port| port.parse().map_err(|_| AddressError::BadPort)).transpose()?;
        Ok(Self { host, zone, port })
    }
}

/// Refuses what is no address but something else that is often given for one.
fn check_sort(text: &str) -> Result<(), AddressError> {
    if text.is_empty() {
        return Err(AddressError::Empty);
    }
    if text.contains("://") {
        return Err(AddressError::Url);
    }
    if let Some((ip, length)) = text.rsplit_once('/') {
        let is_subnet = ip.parse::<IpAddr>().is_ok() && length.parse::<u8>().is_ok();
        return Err(if is_subnet { AddressError::Subnet } else { AddressError::Url });
    }
    if text.contains('@') { Err(AddressError::User) } else { Ok(()) }
}

/// A host, as it is written.
enum Part<'a> {
    /// It was in brackets, so it must be an IP address.
    Bracketed(&'a str),
    Bare(&'a str),
}

/// Host and port, if there is a port.
fn split_port(text: &str) -> Result<(Part<'_>, Option<&str>), AddressError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (ip, after) = rest.split_once(']').ok_or(AddressError::OpenBracket)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((Part::Bracketed(ip), Some(port))),
            None if after.is_empty() => Ok((Part::Bracketed(ip), None)),
            None => Err(AddressError::BadPort),
        };
    }
    match text.split_once(':') {
        None => Ok((Part::Bare(text), None)),
        Some(("", port)) if !port.contains(':') => Err(AddressError::NoHost),
        Some((host, port)) if !port.contains(':') => Ok((Part::Bare(host), Some(port))),
        Some(_) if lacks_brackets(text) => Err(AddressError::NoBrackets),
        Some(_) => Ok((Part::Bare(text), None)),
    }
}

/// Whether a text with several colons is an IPv6 address and a port without brackets.
///
/// `2001:db8::1:8333` is a valid IPv6 address as well. It is refused all the same: who writes it means the port, and
/// the address would be of somebody else.
fn lacks_brackets(text: &str) -> bool {
    let Some((before, last)) = text.rsplit_once(':') else { return false };
    let is_ip = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    let is_port = last.bytes().all(|byte| byte.is_ascii_digit()) && last.parse::<u16>().is_ok();
    let ip = before.split_once('%').map_or(before, |(ip, _)| ip);
    is_port && is_ip(ip) && (!is_ip(text) || last.len() >= DIGITS_OF_A_PORT)
}

/// An IP address and its zone; `None` if the text is no IP address.
pub(super) fn read_ip(text: &str) -> Result<Option<(Host, u32)>, AddressError> {
    let Some((ip, zone)) = text.split_once('%') else {
        return Ok(text.parse::<IpAddr>().ok().map(|ip| (Host::from(ip), 0)));
    };
    let Ok(ip) = ip.parse::<IpAddr>() else { return Ok(None) };
    if !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()) {
        return Err(AddressError::BadZone);
    }
    match zone.parse::<u32>() {
        Ok(number @ 1..) => Ok(Some((Host::from(ip), number))),
        Ok(0) => Err(AddressError::BadZone),
        Err(_) if zone.is_empty() => Err(AddressError::BadZone),
        Err(_) => Err(AddressError::ZoneName),
    }
}

fn cjdns(host: &Host) -> Result<Host, AddressError> {
    match host {
        Host::Ip(IpAddr::V6(ip)) if Host::is_cjdns_range(*ip) => Ok(Host::Cjdns(*ip)),
        Host::Ip(_) | Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_) | Host::Name(_) => {
            Err(AddressError::BadHost(HostError::BadCjdns))
        }
    }
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// The text is empty.
    Empty,
    /// The port is missing.
    NoPort,
    /// The host is missing.
    NoHost,
    /// The port is not a number from 0 to 65535.
    BadPort,
    /// A URL or a path.
    Url,
    /// A subnet, such as `10.0.0.0/8`.
    Subnet,
    /// Something before `@`: a user or the id of a node.
    User,
    /// An IPv6 address with a port, without brackets. Where that could be an address without a port as well (the last
    /// group is four decimal digits), it must be written with brackets too: `[2001:db8::1:8333]`.
    NoBrackets,
    /// A bracket is not closed.
    OpenBracket,
    /// A zone that is the name of an interface. Only the operating system knows its number: `parse_address` of
    /// `connmgr-std` asks it.
    ZoneName,
    /// This machine has no interface of that name. Only `parse_address` of `connmgr-std` says so.
    UnknownInterface,
    /// A zone at an address that is not link-local, or no zone after `%`.
    BadZone,
    /// The part before the port is not a host.
    BadHost(HostError),
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "nothing given: expected host:port",
            Self::NoPort => "no port: expected host:port",
            Self::NoHost => "no host before the port: expected host:port",
            Self::BadPort => "the port is not a number from 0 to 65535",
            Self::Url => "a URL or path, not an address: expected host:port, as in node.example:8333",
            Self::Subnet => "a subnet, not the address of a peer: leave out '/' and the prefix length",
            Self::User => "an address has no '@': leave out what is before it",
            Self::NoBrackets => "an IPv6 address with a port needs brackets: expected [2001:db8::1]:8333",
            Self::OpenBracket => "a bracket is not closed: expected [2001:db8::1]:8333",
            Self::ZoneName => "the zone is a name: expected the number of the interface, as in fe80::1%2",
            Self::UnknownInterface => "this machine has no interface of the name after '%'",
            Self::BadZone => "only a link-local address (fe80::/10) has a zone: the interface, as in fe80::1%2",
            Self::BadHost(why) => return why.fmt(f),
        })
    }
}

impl core::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a text.
    fn check(text: &str, wrong: AddressError) {
        assert_eq!(AddressText::read(text).map(|_| ()), Err(wrong), "{text}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = [
            ("", AddressError::Empty),
            (":8333", AddressError::NoHost),
            ("1.2.3.4:", AddressError::BadPort),
            ("1.2.3.4:70000", AddressError::BadPort),
            ("1.2.3.4:8333:8333", AddressError::BadHost(HostError::BadName)),
            ("[::1:8333", AddressError::OpenBracket),
            ("[::1]8333", AddressError::BadPort),
            ("a b:1", AddressError::BadHost(HostError::BadName)),
            ("[nonsense]:1", AddressError::BadHost(HostError::BadName)),
            ("cjdns:[fd00::1]:1", AddressError::BadHost(HostError::BadCjdns)),
            ("cjdns:1.2.3.4:1", AddressError::BadHost(HostError::BadCjdns)),
        ];
        wrong.into_iter().for_each(|(text, wrong)| check(text, wrong));
    }

    #[test]
    fn a_url_a_subnet_and_a_node_id_are_no_addresses() {
        for text in ["http://1.2.3.4:8333", "https://node.example", "tcp://[::1]:1", "node.example:8333/path", "a/b"] {
            check(text, AddressError::Url);
        }
        check("10.0.0.0/8", AddressError::Subnet);
        check("fd00::/8", AddressError::Subnet);
        check("02ab@1.2.3.4:9735", AddressError::User);
    }

    #[test]
    fn an_ipv6_address_with_a_port_needs_brackets() {
        for text in [
            "2001:db8::1:8333",
            "::1:18444",
            "1:2:3:4:5:6:7:8:8333",
            "fe80::1%2:8333",
            "fe80::1%eth0:8333",
            "cjdns:fc00::1:8333",
        ] {
            check(text, AddressError::NoBrackets);
        }
        for text in ["2001:db8::1", "::1", "fe80::1:2", "2001:db8::1234", "2001:db8::1:83ab", "[2001:db8::1:8333]"] {
            assert!(AddressText::read(text).is_ok_and(|read| read.port.is_none()), "{text}");
        }
    }

    #[test]
    fn a_zone_is_the_number_of_an_interface_at_a_link_local_address() {
        let zone = |text: &str| AddressText::read(text).map(|read| (read.zone, read.port));
        assert_eq!(zone("[fe80::1%2]:8333"), Ok((2, Some(8333))));
        assert_eq!(zone("fe80::1%17"), Ok((17, None)));
        check("[fe80::1%eth0]:8333", AddressError::ZoneName);
        for text in ["[2001:db8::1%2]:8333", "127.0.0.1%2:1", "[fe80::1%]:8333", "[fe80::1%0]:8333"] {
            check(text, AddressError::BadZone);
        }
    }
}
