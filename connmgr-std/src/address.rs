//! Reads an address whose zone is the name of an interface, such as `[fe80::1%eth0]:8333`.
//!
//! Everything else about the text of an address is in [`PeerAddress::parse`]; only the operating system knows the
//! number of an interface.

use std::net::{SocketAddr, ToSocketAddrs as _};

use connmgr_core::{AddressError, PeerAddress};

/// Parses an address like [`PeerAddress::parse`]; the zone of a link-local address may also be the name of an interface
/// of this machine. Asks the operating system for the interface's number, and no name server.
///
/// # Errors
/// [`AddressError`] names the part that is wrong; [`AddressError::UnknownInterface`] if this machine has no interface of
/// that name.
pub fn parse_address(text: &str, default_port: u16) -> Result<PeerAddress, AddressError> {
    match PeerAddress::parse(text, default_port) {
        Err(AddressError::ZoneName) => {
            let numbered = with_number(text).ok_or(AddressError::UnknownInterface)?;
            PeerAddress::parse(&numbered, default_port)
        }
        other => other,
    }
}

/// The text with the interface's number in place of its name.
fn with_number(text: &str) -> Option<String> {
    let (before, rest) = text.split_once('%')?;
    let (name, after) = rest.find(']').map_or((rest, ""), |end| rest.split_at(end));
    let number = interface_number(name)?;
    Some(format!("{before}%{number}{after}"))
}

/// The number of an interface. The system's resolver knows it: it reads an address with a zone without asking anybody.
fn interface_number(name: &str) -> Option<u32> {
    (format!("fe80::1%{name}").as_str(), 0).to_socket_addrs().ok()?.find_map(|addr| match addr {
        SocketAddr::V6(addr) => Some(addr.scope_id()).filter(|number| *number != 0),
        SocketAddr::V4(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn an_interface_is_known_by_its_name() {
        // Every Linux machine numbers its loopback 1 in a new network namespace.
        let number = interface_number("lo").expect("there is a loopback interface");
        for (text, full) in [
            ("[fe80::1%lo]:8333", format!("[fe80::1%{number}]:8333")),
            ("fe80::1%lo", format!("[fe80::1%{number}]:18444")),
            ("[fe80::1%7]:8333", "[fe80::1%7]:8333".into()),
            ("1.2.3.4", "1.2.3.4:18444".into()),
        ] {
            assert_eq!(parse_address(text, 18444).expect(text).to_string(), full);
        }
    }

    #[test]
    fn an_unknown_interface_is_told() {
        assert_eq!(parse_address("[fe80::1%nosuch0]:8333", 0), Err(AddressError::UnknownInterface));
    }
}
