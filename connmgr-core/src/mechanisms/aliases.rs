//! Addresses at which we met somebody who is connected already, by another address.
//!
//! Dialing such an address again leads to the same peer, so it rests for as long as that connection lives. Ids are
//! never used again, so an entry need not be taken out when the connection ends: it just means nothing any more.

use crate::mechanisms::hasher::Keyed;
use crate::mechanisms::lru::Lru;
use crate::types::{ConnId, PeerAddress};

/// How many addresses are remembered; the one met longest ago makes room.
const REMEMBERED: u32 = 1024;

/// Other addresses of peers that are connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Aliases(Lru<PeerAddress, ConnId>);

impl Aliases {
    pub(crate) fn new(keys: Keyed) -> Self {
        Self(Lru::new(REMEMBERED, keys))
    }

    /// Whoever is at the other end of this connection is also behind this address.
    pub(crate) fn meet(&mut self, address: &PeerAddress, conn: ConnId) {
        *self.0.touch_or_insert(address, conn) = conn;
    }

    /// The connection whose peer was met at this address last; it may have ended.
    pub(crate) fn connection(&self, address: &PeerAddress) -> Option<ConnId> {
        self.0.get(address).copied()
    }

    /// Every address and connection, the latest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PeerAddress, ConnId)> {
        self.0.iter().map(|(address, conn)| (address, *conn))
    }

    /// Recounts everything from scratch.
    ///
    /// # Errors
    /// What is broken.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.0.check()
    }
}
