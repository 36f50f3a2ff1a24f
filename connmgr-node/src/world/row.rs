//! Counts of what happened in the world, for reports.

use super::behavior::PeerBehavior;

/// The counts of all peers of one behavior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BehaviorRow {
    /// Which behavior.
    pub behavior: PeerBehavior,
    /// How many peers have it.
    pub peers: u32,
    /// Connections they accepted. (Those in the queue of a black hole can't be counted.)
    pub accepted: u32,
    /// Handshakes they finished.
    pub ready: u32,
    /// Connections open now.
    pub live: u32,
}
