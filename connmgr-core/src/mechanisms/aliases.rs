//! Aliases: addresses at which we met a peer that is connected through another address.
//!
//! Dialing an alias leads to the same peer again, so it rests while that connection lives. Ids are never reused, so an
//! entry may stay when its connection ends: it has no effect then.

use crate::mechanisms::hasher::Folding;
use crate::mechanisms::lru::Lru;
use crate::types::{ConnId, PeerAddress};

/// How many addresses are remembered. Beyond that, the one met longest ago is forgotten.
const REMEMBERED: u32 = 1024;

/// Other addresses of connected peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aliases(Lru<PeerAddress, ConnId>);

impl Aliases {
    pub(crate) fn new(keys: Folding) -> Self {
        Self(Lru::new(REMEMBERED, keys))
    }

    /// The peer of this connection is also reached at this address.
    pub(crate) fn meet(&mut self, address: &PeerAddress, conn: ConnId) {
        *self.0.touch_or_insert(address, conn) = conn;
    }

    /// The connection whose peer was last met at this address; it may have ended.
    pub(crate) fn connection(&self, address: &PeerAddress) -> Option<ConnId> {
        self.0.get(address).copied()
    }

    /// Every address with its connection, the latest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PeerAddress, ConnId)> {
        self.0.iter().map(|(address, conn)| (address, *conn))
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.0.check()
    }
}
