//! How peers of the world behave.

use std::fmt;

/// How a peer of the world behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Behavior {
    /// Speaks the protocol and stays.
    Good,
    /// The same, and tells the addresses of all the others.
    Gossip,
    /// Nobody listens: connections are refused.
    Refusing,
    /// Accepts and never says a word.
    Silent,
    /// Never answers at all, as a firewall that drops everything. (Where its queue can't be kept full, silent.)
    BlackHole,
    /// Accepts and closes at once.
    AcceptAndClose,
    /// A good peer that disappears every few seconds, with all its connections, and comes back.
    ComingAndGoing,
    /// A good peer that drops each connection after a few seconds.
    Dropping,
    /// Shakes hands, then sends garbage.
    Garbage,
    /// Shakes hands, then sends more addresses than a message may carry.
    Oversized,
}

impl Behavior {
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

impl fmt::Display for Behavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
