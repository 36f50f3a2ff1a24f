//! The proxy's side of SOCKS5 (RFC 1928, RFC 1929), said in pieces, so that a proxy may go wrong between any two.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::peers::PeerStream;

/// The method of those who send a user name and a password.
pub const USER_PASSWORD: u8 = 2;

/// The command of those who want a connection.
pub const CONNECT: u8 = 1;

/// The command of those who want the address of a name: Tor's own.
pub const RESOLVE: u8 = 0xf0;

/// The credentials are good.
pub const WELCOME: [u8; 2] = [1, 0];

/// It is done; what was asked for is bound to no address in particular.
pub const DONE: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocksRequest {
    /// What to do.
    pub command: u8,
    /// Whom to reach, as text.
    pub host: String,
    /// On which port.
    pub port: u16,
}

/// Hears the greeting: the one method that is offered.
pub fn hear_greeting(line: &mut PeerStream) -> u8 {
    let [version, count, method] = line.hear();
    assert_eq!((version, count), (5, 1), "one method is offered");
    method
}

/// Hears the user name; the password is of no account.
pub fn hear_credentials(line: &mut PeerStream) -> Vec<u8> {
    assert_eq!(line.hear(), [1]);
    let user = line.hear_field();
    let _password = line.hear_field();
    user
}

/// Hears what is asked for.
pub fn hear_request(line: &mut PeerStream) -> SocksRequest {
    let [version, command, reserved, kind] = line.hear();
    assert_eq!((version, reserved), (5, 0));
    let host = match kind {
        1 => Ipv4Addr::from(line.hear::<4>()).to_string(),
        3 => String::from_utf8(line.hear_field()).expect("text"),
        4 => Ipv6Addr::from(line.hear::<16>()).to_string(),
        other => panic!("an address of type {other}"),
    };
    SocksRequest { command, host, port: u16::from_be_bytes(line.hear()) }
}

/// Goes along with a client up to what it asks for: its user name, if it has one, and that. Answers byte by byte.
pub fn serve(line: &mut PeerStream, pause: Duration) -> (Option<Vec<u8>>, SocksRequest) {
    let method = hear_greeting(line);
    line.drip(&[5, method], pause);
    let user = (method == USER_PASSWORD).then(|| {
        let user = hear_credentials(line);
        line.drip(&WELCOME, pause);
        user
    });
    (user, hear_request(line))
}
