//! What can lie ahead.

use std::time::Duration;

use connmgr_core::{CloseCause, ConnId, DialError, LookupId, Snapshot};

use crate::world::links::LinkId;

/// What takes hardly any time.
pub(super) const SOON: Duration = Duration::from_millis(1);

/// Something that will happen. Small, for millions of these wait in a large world.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A manager's process starts.
    Start { node: u32 },
    /// A manager's deadline has come, if it still stands.
    Wake { node: u32 },
    /// What came of a dial is known to the dialer.
    DialEnds { link: LinkId, result: Result<(), DialError> },
    /// What came of a dial is reported once more.
    DialEndsAgain { of: ProcessRun, conn: ConnId, result: Result<(), DialError> },
    /// A dial reaches the manager at the other end.
    Reaches { link: LinkId },
    /// Both have said what they say in a handshake.
    Handshake { link: LinkId },
    /// The other end closes.
    Closes { link: LinkId, cause: CloseCause },
    /// A ping should have come back by now.
    Ping { link: LinkId },
    /// The other end tells addresses.
    Gossip { link: LinkId, asked: bool },
    /// The other end misbehaves.
    Misbehaves { link: LinkId },
    /// A name server answers.
    Answer { of: ProcessRun, lookup: LookupId, from: Server },
    /// A stranger comes.
    Arrives { sort: u16, node: u32 },
    /// The operator adds peers.
    Adds { spec: u16, node: u32 },
    /// The operator removes peers.
    Removes { spec: u16, node: u32 },
    /// The application tells addresses it knows.
    Tells { node: u32 },
    /// What was to be saved has reached the disk.
    Saved { of: ProcessRun, snapshot: Box<Snapshot> },
    /// A fault begins.
    Begins { fault: u16 },
    /// A fault ends, of those that began for the so-many-th time.
    Ends { fault: u16 },
    /// A population turns.
    Turns { population: u16 },
    /// All faults are over.
    Healed,
    /// By now every pool must be full.
    MustBeFull,
}

/// One run of a manager's process: a restart makes another.
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
    /// A server that knows of nobody.
    Empty,
    /// A server that tells what is of no use.
    Junk,
    /// No such name.
    NotFound,
    /// The server, or the way to it, fails.
    Failed,
    /// The proxy fails.
    Proxy,
}
