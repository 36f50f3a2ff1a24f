//! What a peer says about itself, and how long it is wanted.

use super::address::Services;

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
}

/// A peer's identity, proved in the handshake (a public key or its hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identity(pub [u8; 32]);

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
