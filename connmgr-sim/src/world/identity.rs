//! Identities: of managers, and of peers with several addresses.

use crate::types::text_key;

/// The identity of a manager.
pub(super) fn identity(node: u32) -> [u8; 32] {
    let mut identity = [0; 32];
    identity[..4].copy_from_slice(&(node + 1).to_be_bytes());
    identity
}

/// The identity of a peer of a population; no manager has the same.
pub(super) fn identity_of_peer(population: &str, peer: u32) -> [u8; 32] {
    let mut identity = [0xff; 32];
    identity[..8].copy_from_slice(&text_key(population).to_be_bytes());
    identity[8..12].copy_from_slice(&peer.to_be_bytes());
    identity
}
