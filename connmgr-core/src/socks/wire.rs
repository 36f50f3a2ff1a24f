//! The bytes of SOCKS5: encodes messages and checks answers. Knows nothing about their order.
//!
//! RFC 1928 §3, §4 and §6; RFC 1929 §2; Tor's `socks-extensions.txt` for RESOLVE.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

use super::error::{ReplyCode, SocksError};
use crate::types::{Host, HostName, Isolation, PeerAddress};

const VERSION: u8 = 5;
/// The version of the user-and-password sub-negotiation (RFC 1929).
const AUTH_VERSION: u8 = 1;
const RESERVED: u8 = 0;

const TYPE_IPV4: u8 = 1;
const TYPE_NAME: u8 = 3;
const TYPE_IPV6: u8 = 4;

const METHOD_NO_AUTH: u8 = 0;
const METHOD_USER_PASSWORD: u8 = 2;
const METHOD_NONE_ACCEPTABLE: u8 = 0xff;

/// Version, code, reserved, address type, and first byte of the address.
pub(super) const REPLY_HEAD_LEN: usize = 5;
/// The head, a name of 255 bytes, and the port.
pub(super) const MAX_REPLY: usize = REPLY_HEAD_LEN + 255 + 2;

/// The command of a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    Connect,
    /// Tor's extension.
    Resolve,
}

impl Command {
    const fn code(self) -> u8 {
        match self {
            Self::Connect => 1,
            Self::Resolve => 0xf0,
        }
    }
}

/// The greeting, which offers one method or two. Where isolation is required it never offers "none": a proxy that chose
/// it would silently put every connection on one circuit. Where it is preferred, credentials come first, as some proxies
/// take the first method they know.
pub(super) const fn greeting(isolation: Isolation) -> &'static [u8] {
    match isolation {
        Isolation::Shared => &[VERSION, 1, METHOD_NO_AUTH],
        Isolation::Preferred(_) => &[VERSION, 2, METHOD_USER_PASSWORD, METHOD_NO_AUTH],
        Isolation::Token(_) => &[VERSION, 1, METHOD_USER_PASSWORD],
    }
}

/// A method of authentication that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthMethod {
    NoAuth,
    UserPassword,
}

/// `connmgr-` and the token in 16 hexadecimal digits, so that tokens of another program on the same proxy differ from
/// ours. It must not start with `<torS0X>`, which has a special meaning for Tor.
const USER_LEN: usize = 8 + 16;
/// The version, then user name and password, each after its length.
const CREDENTIALS_LEN: usize = 1 + 2 * (1 + USER_LEN);

/// The message of RFC 1929 that separates circuits.
#[derive(Clone, Copy)]
pub(super) struct Credentials([u8; CREDENTIALS_LEN]);

impl Credentials {
    /// `None` if none are offered. The user name is also the password, which must not be empty.
    pub(super) fn new(isolation: Isolation) -> Option<Self> {
        let token = match isolation {
            Isolation::Shared => return None,
            Isolation::Preferred(token) | Isolation::Token(token) => token.as_u64(),
        };
        let user = alloc::format!("connmgr-{token:016x}");
        let mut message = [0; CREDENTIALS_LEN];
        message[0] = AUTH_VERSION;
        for field in message[1..].chunks_exact_mut(1 + USER_LEN) {
            field[0] = name_len(&user);
            field[1..].copy_from_slice(user.as_bytes());
        }
        Some(Self(message))
    }

    pub(super) const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

pub(super) fn connect_request(peer: &PeerAddress) -> Vec<u8> {
    let mut request = request_head(Command::Connect);
    match peer.host() {
        Host::Ip(ip) => push_ip(&mut request, *ip),
        Host::Cjdns(ip) => push_ip(&mut request, IpAddr::V6(*ip)),
        host @ (Host::Onion(_) | Host::I2p(_)) => push_name(&mut request, &host.to_string()),
        Host::Name(name) => push_name(&mut request, name.as_str()),
    }
    request.extend_from_slice(&peer.port().to_be_bytes());
    request
}

pub(super) fn resolve_request(name: &HostName) -> Vec<u8> {
    let mut request = request_head(Command::Resolve);
    // Tor has no search domains, and maps names of its configuration only as they are written there: without a dot.
    push_name(&mut request, name.as_relative());
    // Every request has a port; RESOLVE ignores it.
    request.extend_from_slice(&[0, 0]);
    request
}

fn request_head(command: Command) -> Vec<u8> {
    alloc::vec![VERSION, command.code(), RESERVED]
}

fn push_ip(request: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            request.push(TYPE_IPV4);
            request.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            request.push(TYPE_IPV6);
            request.extend_from_slice(&ip.octets());
        }
    }
}

fn push_name(request: &mut Vec<u8>, name: &str) {
    request.extend_from_slice(&[TYPE_NAME, name_len(name)]);
    request.extend_from_slice(name.as_bytes());
}

fn name_len(name: &str) -> u8 {
    u8::try_from(name.len()).expect("a host name has at most 253 bytes, the other names are of fixed length")
}

/// The method that the proxy chose, if we offered it.
pub(super) fn chosen_method([version, method]: [u8; 2], isolation: Isolation) -> Result<AuthMethod, SocksError> {
    if version != VERSION {
        return Err(SocksError::WrongVersion(version));
    }
    match (method, isolation) {
        (METHOD_NO_AUTH, Isolation::Shared | Isolation::Preferred(_)) => Ok(AuthMethod::NoAuth),
        (METHOD_USER_PASSWORD, Isolation::Token(_) | Isolation::Preferred(_)) => Ok(AuthMethod::UserPassword),
        (METHOD_NONE_ACCEPTABLE, _) => Err(SocksError::NoAcceptableMethod),
        (method, _) => Err(SocksError::MethodNotOffered(method)),
    }
}

/// Whether the proxy accepted our credentials.
pub(super) fn check_verdict([version, status]: [u8; 2]) -> Result<(), SocksError> {
    match (version, status) {
        (AUTH_VERSION, 0) => Ok(()),
        (AUTH_VERSION, _) => Err(SocksError::CredentialsRefused),
        (version, _) => Err(SocksError::WrongAuthVersion(version)),
    }
}

/// Whether the proxy reports success.
pub(super) fn check_reply([version, code]: [u8; 2]) -> Result<(), SocksError> {
    match (version, code) {
        (VERSION, 0) => Ok(()),
        (VERSION, code) => Err(SocksError::Failed(ReplyCode::from_u8(code))),
        (version, _) => Err(SocksError::WrongVersion(version)),
    }
}

/// The length of a whole reply, from its address type and the byte after that.
pub(super) fn reply_len(address_type: u8, first: u8) -> Result<usize, SocksError> {
    match address_type {
        TYPE_IPV4 => Ok(4 + 4 + 2),
        TYPE_IPV6 => Ok(4 + 16 + 2),
        TYPE_NAME => Ok(REPLY_HEAD_LEN + usize::from(first) + 2),
        unknown => Err(SocksError::UnknownAddressType(unknown)),
    }
}

/// The address in a whole reply; `None` if it is a name.
pub(super) fn bound_ip(reply: &[u8; MAX_REPLY]) -> Option<IpAddr> {
    match reply[3] {
        TYPE_IPV4 => reply[4..].first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        TYPE_IPV6 => reply[4..].first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        _ => None,
    }
}
