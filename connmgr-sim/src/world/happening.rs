//! The events of the world.

use std::time::Duration;

use connmgr_core::{CloseCause, ConnId, DialError, LookupId, Snapshot};

use crate::world::links::LinkId;

/// A short time: for what happens right after.
pub(super) const SOON: Duration = Duration::from_millis(1);

/// A future event. Keep it small: millions of them wait in a large world.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A manager's process starts.
    Start { node: u32 },
    /// A manager's deadline is due, unless it was moved.
    Wake { node: u32 },
    /// The dialer learns the result of a dial.
    DialEnds { link: LinkId, result: Result<(), DialError> },
    /// The result of a dial is reported a second time.
    DialEndsAgain { of: ProcessRun, conn: ConnId, result: Result<(), DialError> },
    /// A dial reaches the manager at the other end.
    Reaches { link: LinkId },
    /// The handshake is complete.
    Handshake { link: LinkId },
    /// The other end closes.
    Closes { link: LinkId, cause: CloseCause },
    /// The answer to a ping is due.
    Ping { link: LinkId },
    /// The other end gossips addresses.
    Gossip { link: LinkId, asked: bool },
    /// The other end misbehaves.
    Misbehaves { link: LinkId },
    /// A name server answers.
    Answer { of: ProcessRun, lookup: LookupId, from: Server },
    /// An inbound connection arrives.
    Arrives { sort: u16, node: u32 },
    /// The operator adds peers.
    Adds { spec: u16, node: u32 },
    /// The operator removes peers.
    Removes { spec: u16, node: u32 },
    /// The operator bans a subnet.
    Bans { spec: u16, node: u32 },
    /// The operator lifts the ban.
    Lifts { spec: u16, node: u32 },
    /// The application adds addresses.
    Tells { node: u32 },
    /// A save has reached the disk; without its content where nobody reads it.
    Saved { of: ProcessRun, snapshot: Option<Box<Snapshot>> },
    /// A fault begins.
    Begins { fault: u16 },
    /// A fault ends.
    Ends { fault: u16 },
    /// A population changes its behavior.
    Turns { population: u16 },
    /// All faults are over.
    Healed,
    /// By now every pool must be full.
    MustBeFull,
}

/// One run of a manager's process; a restart begins another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessRun {
    pub(super) node: u32,
    pub(super) start: u32,
}

/// Who answers a lookup, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// The server of a seed.
    Seed(u16),
    /// The server of a host's name: the host.
    Host(u32),
    /// A server without any address.
    Empty,
    /// A server with useless addresses.
    Junk,
    /// No such name.
    NotFound,
    /// The server, or the way to it, fails.
    Failed,
    /// The proxy fails.
    Proxy,
}
