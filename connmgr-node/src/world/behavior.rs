//! The behaviors of the world's peers.

use std::fmt;

/// The behavior of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerBehavior {
    /// Speaks the protocol and stays connected.
    Good,
    /// Good, and gossips the addresses of all others.
    Gossip,
    /// Does not listen: connections are refused.
    Refusing,
    /// Accepts and never sends anything.
    Silent,
    /// Never answers a dial, like a firewall that drops everything. (Where its accept queue can't be kept full: silent.)
    BlackHole,
    /// Accepts and closes at once.
    AcceptAndClose,
    /// Good, but every few seconds it goes away with all its connections and comes back later.
    ComingAndGoing,
    /// Good, but drops each connection after a few seconds.
    Dropping,
    /// Does the handshake, then sends garbage.
    Garbage,
    /// Does the handshake, then sends more addresses than a message may carry.
    Oversized,
}

impl PeerBehavior {
    /// Every behavior, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Good,
        Self::Gossip,
        Self::Refusing,
        Self::Silent,
        Self::BlackHole,
        Self::AcceptAndClose,
        Self::ComingAndGoing,
        Self::Dropping,
        Self::Garbage,
        Self::Oversized,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Gossip => "gossip",
            Self::Refusing => "refusing",
            Self::Silent => "silent",
            Self::BlackHole => "black hole",
            Self::AcceptAndClose => "accept and close",
            Self::ComingAndGoing => "coming and going",
            Self::Dropping => "dropping",
            Self::Garbage => "garbage",
            Self::Oversized => "oversized",
        }
    }
}

impl fmt::Display for PeerBehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
