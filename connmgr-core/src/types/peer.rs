//! What a peer says about itself, and how an added peer is described.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::address::{PeerAddress, Services};
use super::backoff::Backoff;
use super::more::More;

/// What a peer said about itself in the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PeerInfo {
    /// The services it offers.
    pub services: Services,
    /// The nonce it sent. If it is one of ours, we have reached ourselves.
    #[cfg_attr(feature = "serde", serde(with = "crate::types::data::option_u64"))]
    pub nonce: Option<u64>,
    /// Its identity, if the protocol has one. Of two connections with the same identity, one is closed.
    pub identity: Option<Identity>,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl PeerInfo {
    /// A peer that offers these services.
    #[must_use]
    pub const fn new(services: Services) -> Self {
        Self { services, nonce: None, identity: None, _more: More(()) }
    }

    /// The nonce it sent.
    #[must_use]
    pub const fn nonce(mut self, nonce: u64) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// Its identity.
    #[must_use]
    pub const fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }
}

/// A peer's identity, proved in the handshake (a public key or its hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identity(pub [u8; 32]);

/// 64 hexadecimal digits.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Identity {
    type Err = IdentityError;

    /// Reads 64 hexadecimal digits, in either case.
    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = [0; 32];
        if text.len() != 2 * bytes.len() {
            return Err(IdentityError);
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = [pair[0], pair[1]].map(digit);
            *byte = high.ok_or(IdentityError)? << 4 | low.ok_or(IdentityError)?;
        }
        Ok(Self(bytes))
    }
}

/// A text is not an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityError;

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an identity: 64 hexadecimal digits")
    }
}

impl core::error::Error for IdentityError {}

/// How long an added peer is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Keep {
    /// Until it is removed: it is dialed again whenever its connection ends.
    Always,
    /// For one attempt and the connection it may yield.
    Once,
}

/// The exemptions of an inbound connection or of an added peer. Each is independent. Default: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct Permissions {
    /// Its misbehavior closes the connection and does not ban its host. To an inbound connection, no ban applies; to
    /// an added peer, those apply that you impose or that others earn its host.
    pub no_ban: bool,
    /// Limits by host, group and rate, and of unfinished handshakes, do not apply. The total does. Without effect on an
    /// added peer: it has a slot of its own and no group.
    pub no_limit: bool,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

impl Permissions {
    /// No exemption.
    pub const NONE: Self = Self { no_ban: false, no_limit: false, _more: More(()) };
}

/// A peer to add: where it is, and how it is treated. Only the first address is required.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use connmgr_core::{AddedPeer, Keep};
///
/// let peer = AddedPeer::new("192.0.2.1:8333".parse()?).or("[2001:db8::1]:8333".parse()?).keep(Keep::Once).tag(7);
/// # let _ = peer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct AddedPeer {
    /// Where it is, the preferred address first. All lead to one node, which gets one connection. At most
    /// [`MAX_ADDRESSES`](Self::MAX_ADDRESSES); repetitions do not count.
    pub addresses: Vec<PeerAddress>,
    /// How long it is kept. Default: [`Keep::Always`].
    pub keep: Keep,
    /// Its identity. A connection that tells another is closed, and the next address is tried. Default: any.
    #[cfg_attr(feature = "serde", serde(default))]
    pub identity: Option<Identity>,
    /// Its exemptions. Default: [`no_ban`](Permissions::no_ban), so that a node does not lose a peer that its operator
    /// chose.
    pub permissions: Permissions,
    /// Its own back-off. Default: the configuration's.
    #[cfg_attr(feature = "serde", serde(default))]
    pub retry: Option<Backoff>,
    /// A number of your own. Every event and view of the peer carries it, the first event included, which may come
    /// before you have the peer's id. Default: none.
    #[cfg_attr(feature = "serde", serde(default, with = "crate::types::data::option_u64"))]
    pub tag: Option<u64>,
}

impl AddedPeer {
    /// The most addresses of one peer.
    pub const MAX_ADDRESSES: usize = 16;

    /// A peer at this address, kept until it is removed.
    #[must_use]
    pub fn new(address: PeerAddress) -> Self {
        Self {
            addresses: Vec::from([address]),
            keep: Keep::Always,
            identity: None,
            permissions: Permissions { no_ban: true, no_limit: false, _more: More(()) },
            retry: None,
            tag: None,
        }
    }

    /// Another address of the same peer.
    #[must_use]
    pub fn or(mut self, address: PeerAddress) -> Self {
        self.addresses.push(address);
        self
    }

    /// How long it is kept.
    #[must_use]
    pub const fn keep(mut self, keep: Keep) -> Self {
        self.keep = keep;
        self
    }

    /// The identity that it must have.
    #[must_use]
    pub const fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Its exemptions.
    #[must_use]
    pub const fn permissions(mut self, permissions: Permissions) -> Self {
        self.permissions = permissions;
        self
    }

    /// Its own back-off.
    #[must_use]
    pub const fn retry(mut self, retry: Backoff) -> Self {
        self.retry = Some(retry);
        self
    }

    /// A number of your own.
    #[must_use]
    pub const fn tag(mut self, tag: u64) -> Self {
        self.tag = Some(tag);
        self
    }
}

impl From<core::net::SocketAddr> for AddedPeer {
    fn from(address: core::net::SocketAddr) -> Self {
        Self::new(address.into())
    }
}

impl From<PeerAddress> for AddedPeer {
    fn from(address: PeerAddress) -> Self {
        Self::new(address)
    }
}

/// The addresses, separated by `|`, and `once` if it is not kept.
impl fmt::Display for AddedPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, address) in self.addresses.iter().enumerate() {
            write!(f, "{}{address}", if place == 0 { "" } else { " | " })?;
        }
        match self.keep {
            Keep::Always => Ok(()),
            Keep::Once => f.write_str(" once"),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_identity_reads_and_spells_the_same() {
        let identity = Identity(core::array::from_fn(|byte| 0xf8 ^ u8::try_from(byte).expect("less than 32")));
        assert_eq!(identity.to_string().parse(), Ok(identity));
        assert_eq!(identity.to_string().to_uppercase().parse(), Ok(identity));
        for wrong in ["", "ab", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66), &"\u{e9}".repeat(32)] {
            assert_eq!(wrong.parse::<Identity>(), Err(IdentityError), "{wrong}");
        }
    }
}
