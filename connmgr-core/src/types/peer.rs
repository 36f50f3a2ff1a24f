//! What is known and wanted of a peer.

use super::address::Services;

/// What a peer said of itself in its handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PeerInfo {
    /// What it offers.
    pub services: Services,
    /// The nonce it sent; ours coming back means that we reached ourselves.
    #[cfg_attr(feature = "serde", serde(with = "crate::types::data::option_u64"))]
    pub nonce: Option<u64>,
    /// Its identity, where the protocol has one. Two connections with the same identity are one too many.
    pub identity: Option<Identity>,
}

/// A peer's own name for itself, proved in the handshake (a public key, or its hash).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identity(pub [u8; 32]);

/// How long an added peer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Keep {
    /// Until it is removed: it is dialed again whenever the connection is lost.
    Always,
    /// For one attempt and the connection that may come of it.
    Once,
}
