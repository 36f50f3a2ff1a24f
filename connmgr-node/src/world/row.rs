//! What happened in the world, for reports. It knows nothing of sockets.

use super::behavior::Behavior;

/// What happened to all peers of one behavior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which behavior.
    pub behavior: Behavior,
    /// How many behave so.
    pub peers: u32,
    /// Connections they took. (Nobody can count those a black hole swallows.)
    pub accepted: u32,
    /// Handshakes they finished.
    pub ready: u32,
    /// Connections they have now.
    pub live: u32,
}
