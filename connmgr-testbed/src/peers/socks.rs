//! The proxy's side of SOCKS5 (RFC 1928, RFC 1929) in steps, so that a test's proxy may fail between any two.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::peers::PeerStream;

/// The method with user name and password.
pub const USER_PASSWORD: u8 = 2;

/// The command for a connection.
pub const CONNECT: u8 = 1;

/// Tor's command for the address of a name.
pub const RESOLVE: u8 = 0xf0;

/// The reply that accepts the credentials.
pub const WELCOME: [u8; 2] = [1, 0];

/// The reply of success, with no particular bound address.
pub const DONE: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

/// A client's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocksRequest {
    /// The command.
    pub command: u8,
    /// The target's host, as text.
    pub host: String,
    /// The target's port.
    pub port: u16,
}

/// "No authentication".
pub const NO_AUTH: u8 = 0;

/// Reads the greeting. Returns the methods that are offered, in order.
pub fn hear_methods(line: &mut PeerStream) -> Vec<u8> {
    assert_eq!(line.hear(), [5]);
    line.hear_field()
}

/// Reads the greeting. Returns the method that is offered first.
pub fn hear_greeting(line: &mut PeerStream) -> u8 {
    hear_methods(line)[0]
}

/// Reads the credentials. Returns the user name.
pub fn hear_credentials(line: &mut PeerStream) -> Vec<u8> {
    assert_eq!(line.hear(), [1]);
    let user = line.hear_field();
    let _password = line.hear_field();
    user
}

/// Reads the request.
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

/// Serves a client up to its request as a proxy that knows no credentials. Returns the request.
pub fn serve_plainly(line: &mut PeerStream) -> SocksRequest {
    let methods = hear_methods(line);
    assert!(methods.contains(&NO_AUTH), "{methods:?}");
    line.say(&[5, NO_AUTH]);
    hear_request(line)
}

/// Serves a client up to its request, answering byte by byte. Returns its user name, if it has one, and the request.
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
