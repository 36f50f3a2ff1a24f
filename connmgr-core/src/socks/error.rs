//! Errors of a SOCKS5 negotiation, and what they mean for a dial or a lookup.

use core::fmt;

use crate::types::{DialError, LookupError};

/// Why a negotiation with a SOCKS5 proxy failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocksError {
    /// Not SOCKS5: an answer began with this byte instead of 5. (`H`, 0x48, is an HTTP server.)
    WrongVersion(u8),
    /// The proxy accepts no method we offer: it requires credentials and we sent none, or it supports none.
    NoAcceptableMethod,
    /// Isolation is required, and the stream ended where the choice of a method was due. OpenSSH, which takes no
    /// credentials, closes so.
    NoMethodChosen,
    /// The proxy chose this method, which we did not offer. Where isolation is required, "no authentication" (0) is not
    /// accepted: it would put every connection on one circuit.
    MethodNotOffered(u8),
    /// The answer to our credentials began with this byte instead of 1.
    WrongAuthVersion(u8),
    /// The proxy refused our credentials.
    CredentialsRefused,
    /// The proxy reports a failure.
    Failed(ReplyCode),
    /// A reply of success has an address of this unknown type, so its length is unknown.
    UnknownAddressType(u8),
    /// The answer to RESOLVE is a name instead of an address.
    NotAnIp,
    /// The stream ended where a reply to the request was due. Some proxies (OpenSSH) close so on a command that they
    /// don't support.
    Unanswered,
    /// The stream ended elsewhere, before the reply did.
    Closed,
    /// The driver wrote or read more bytes than it was told to. The driver's fault, not the proxy's.
    Overrun,
}

impl SocksError {
    /// What it means for a dial through the proxy.
    pub const fn dial_error(self) -> DialError {
        match self {
            Self::WrongVersion(_) | Self::WrongAuthVersion(_) | Self::UnknownAddressType(_) | Self::NotAnIp => {
                DialError::ProxyProtocol
            }
            Self::NoAcceptableMethod | Self::NoMethodChosen | Self::MethodNotOffered(_) => DialError::ProxyMethod,
            Self::CredentialsRefused => DialError::ProxyAuth,
            Self::Failed(code) => code.dial_error(),
            Self::Unanswered | Self::Closed => DialError::ProxyFailed,
            Self::Overrun => DialError::Other,
        }
    }

    /// What it means for a lookup through the proxy.
    pub const fn lookup_error(self) -> LookupError {
        match self {
            Self::Failed(code) => code.lookup_error(),
            Self::Overrun => LookupError::Failed,
            // Also where a proxy that supports lookups has died: to dial the seed through it does no harm.
            Self::Unanswered => LookupError::ProxyUnsupported,
            Self::NoAcceptableMethod | Self::NoMethodChosen | Self::MethodNotOffered(_) | Self::CredentialsRefused => {
                LookupError::ProxyAuth
            }
            Self::WrongVersion(_)
            | Self::WrongAuthVersion(_)
            | Self::UnknownAddressType(_)
            | Self::NotAnIp
            | Self::Closed => LookupError::Proxy,
        }
    }
}

impl fmt::Display for SocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongVersion(byte) => write!(f, "the proxy does not speak SOCKS5: answered version {byte:#04x}"),
            Self::NoAcceptableMethod => f.write_str("the proxy accepts none of our authentication methods"),
            Self::NoMethodChosen => {
                f.write_str("the proxy closed the connection instead of choosing an authentication method")
            }
            Self::MethodNotOffered(method) => {
                write!(f, "the proxy chose the authentication method {method:#04x}, which was not offered")
            }
            Self::WrongAuthVersion(byte) => write!(f, "the proxy answered our credentials in version {byte:#04x}"),
            Self::CredentialsRefused => f.write_str("the proxy refused our credentials"),
            Self::Failed(code) => write!(f, "the proxy failed: {code}"),
            Self::UnknownAddressType(byte) => write!(f, "the proxy replied with an address of type {byte:#04x}"),
            Self::NotAnIp => f.write_str("the proxy resolved a name to another name"),
            Self::Unanswered => f.write_str("the proxy closed the connection instead of replying"),
            Self::Closed => f.write_str("the proxy closed the connection before it replied"),
            Self::Overrun => f.write_str("the driver moved more bytes than it was told to"),
        }
    }
}

impl core::error::Error for SocksError {}

/// The failure that a proxy reports: RFC 1928 §6, and Tor's own codes, which it sends if its `SocksPort` has
/// `ExtendedErrors`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyCode {
    /// 01: the proxy failed; no details.
    GeneralFailure,
    /// 02: its rules forbid the target.
    NotAllowed,
    /// 03: the proxy has no route to the network.
    NetworkUnreachable,
    /// 04: the host can't be reached. Tor's only answer to a failed RESOLVE, whatever the reason.
    HostUnreachable,
    /// 05: the target refused.
    ConnectionRefused,
    /// 06: a timeout. Tor's answer if it got no circuit or no answer in time.
    TtlExpired,
    /// 07: the proxy does not support the command. Most proxies except Tor answer RESOLVE so.
    CommandUnsupported,
    /// 08: the proxy does not support the address type.
    AddressTypeUnsupported,
    /// F0: the onion service's descriptor was not found.
    OnionDescriptorNotFound,
    /// F1: the onion service's descriptor is invalid.
    OnionDescriptorInvalid,
    /// F2: the onion service did not answer its introduction.
    OnionIntroductionFailed,
    /// F3: the rendezvous with the onion service failed.
    OnionRendezvousFailed,
    /// F4: the onion service requires client authorisation, and Tor has none.
    OnionAuthMissing,
    /// F5: the onion service refused Tor's client authorisation.
    OnionAuthWrong,
    /// F6: the onion address is malformed.
    OnionAddressInvalid,
    /// F7: the introduction to the onion service timed out.
    OnionIntroductionTimedOut,
    /// A code that neither RFC 1928 nor Tor has assigned.
    Unassigned(u8),
}

impl ReplyCode {
    /// The code as sent; never 0, which means success.
    pub(super) const fn from_u8(code: u8) -> Self {
        match code {
            0x01 => Self::GeneralFailure,
            0x02 => Self::NotAllowed,
            0x03 => Self::NetworkUnreachable,
            0x04 => Self::HostUnreachable,
            0x05 => Self::ConnectionRefused,
            0x06 => Self::TtlExpired,
            0x07 => Self::CommandUnsupported,
            0x08 => Self::AddressTypeUnsupported,
            0xf0 => Self::OnionDescriptorNotFound,
            0xf1 => Self::OnionDescriptorInvalid,
            0xf2 => Self::OnionIntroductionFailed,
            0xf3 => Self::OnionRendezvousFailed,
            0xf4 => Self::OnionAuthMissing,
            0xf5 => Self::OnionAuthWrong,
            0xf6 => Self::OnionAddressInvalid,
            0xf7 => Self::OnionIntroductionTimedOut,
            unassigned => Self::Unassigned(unassigned),
        }
    }

    /// Only what the proxy reports about the target is the target's fault. "Network unreachable" is about the proxy's
    /// network, and an unassigned code says only that it failed.
    const fn dial_error(self) -> DialError {
        match self {
            Self::GeneralFailure
            | Self::NotAllowed
            | Self::NetworkUnreachable
            | Self::CommandUnsupported
            | Self::AddressTypeUnsupported
            | Self::Unassigned(_) => DialError::ProxyFailed,
            Self::HostUnreachable => DialError::HostUnreachable,
            Self::ConnectionRefused => DialError::Refused,
            Self::TtlExpired => DialError::TimedOut,
            Self::OnionDescriptorNotFound
            | Self::OnionDescriptorInvalid
            | Self::OnionIntroductionFailed
            | Self::OnionRendezvousFailed
            | Self::OnionAuthMissing
            | Self::OnionAuthWrong
            | Self::OnionAddressInvalid
            | Self::OnionIntroductionTimedOut => DialError::ServiceUnreachable,
        }
    }

    /// Never [`LookupError::NotFound`]: for Tor, a name without an address and a resolver that does not answer are the
    /// same [`HostUnreachable`](Self::HostUnreachable).
    const fn lookup_error(self) -> LookupError {
        match self {
            Self::GeneralFailure | Self::NotAllowed | Self::NetworkUnreachable | Self::Unassigned(_) => {
                LookupError::Proxy
            }
            Self::CommandUnsupported | Self::AddressTypeUnsupported => LookupError::ProxyUnsupported,
            Self::TtlExpired => LookupError::TimedOut,
            Self::HostUnreachable
            | Self::ConnectionRefused
            | Self::OnionDescriptorNotFound
            | Self::OnionDescriptorInvalid
            | Self::OnionIntroductionFailed
            | Self::OnionRendezvousFailed
            | Self::OnionAuthMissing
            | Self::OnionAuthWrong
            | Self::OnionAddressInvalid
            | Self::OnionIntroductionTimedOut => LookupError::Failed,
        }
    }
}

impl fmt::Display for ReplyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GeneralFailure => "general failure",
            Self::NotAllowed => "not allowed by its rules",
            Self::NetworkUnreachable => "network unreachable",
            Self::HostUnreachable => "host unreachable",
            Self::ConnectionRefused => "connection refused",
            Self::TtlExpired => "timed out (TTL expired)",
            Self::CommandUnsupported => "command not supported",
            Self::AddressTypeUnsupported => "address type not supported",
            Self::OnionDescriptorNotFound => "onion service descriptor not found",
            Self::OnionDescriptorInvalid => "onion service descriptor invalid",
            Self::OnionIntroductionFailed => "onion service introduction failed",
            Self::OnionRendezvousFailed => "onion service rendezvous failed",
            Self::OnionAuthMissing => "onion service wants client authorisation",
            Self::OnionAuthWrong => "onion service refused the client authorisation",
            Self::OnionAddressInvalid => "onion address invalid",
            Self::OnionIntroductionTimedOut => "onion service introduction timed out",
            Self::Unassigned(code) => return write!(f, "unassigned code {code:#04x}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_failure_code_says_whose_fault_it_was() {
        use DialError::{HostUnreachable, ProxyFailed, Refused, ServiceUnreachable, TimedOut};
        for (code, dial, lookup) in [
            (0x01, ProxyFailed, LookupError::Proxy),
            (0x02, ProxyFailed, LookupError::Proxy),
            (0x03, ProxyFailed, LookupError::Proxy),
            (0x04, HostUnreachable, LookupError::Failed),
            (0x05, Refused, LookupError::Failed),
            (0x06, TimedOut, LookupError::TimedOut),
            (0x07, ProxyFailed, LookupError::ProxyUnsupported),
            (0x08, ProxyFailed, LookupError::ProxyUnsupported),
            (0x09, ProxyFailed, LookupError::Proxy),
            (0xef, ProxyFailed, LookupError::Proxy),
            (0xf0, ServiceUnreachable, LookupError::Failed),
            (0xf1, ServiceUnreachable, LookupError::Failed),
            (0xf2, ServiceUnreachable, LookupError::Failed),
            (0xf3, ServiceUnreachable, LookupError::Failed),
            (0xf4, ServiceUnreachable, LookupError::Failed),
            (0xf5, ServiceUnreachable, LookupError::Failed),
            (0xf6, ServiceUnreachable, LookupError::Failed),
            (0xf7, ServiceUnreachable, LookupError::Failed),
            (0xf8, ProxyFailed, LookupError::Proxy),
            (0xff, ProxyFailed, LookupError::Proxy),
        ] {
            let why = SocksError::Failed(ReplyCode::from_u8(code));
            assert_eq!((why.dial_error(), why.lookup_error()), (dial, lookup), "{code:#04x}: {why}");
        }
    }

    #[test]
    fn every_error_has_a_text_of_its_own() {
        let codes = (1..=255).map(|code| SocksError::Failed(ReplyCode::from_u8(code)));
        let others = [
            SocksError::WrongVersion(4),
            SocksError::NoAcceptableMethod,
            SocksError::NoMethodChosen,
            SocksError::MethodNotOffered(0),
            SocksError::WrongAuthVersion(5),
            SocksError::CredentialsRefused,
            SocksError::UnknownAddressType(0),
            SocksError::NotAnIp,
            SocksError::Unanswered,
            SocksError::Closed,
            SocksError::Overrun,
        ];
        let mut texts: Vec<_> = codes.chain(others).map(|why| why.to_string()).collect();
        let count = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), count);
    }
}
