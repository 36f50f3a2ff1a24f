//! Connections and dials, each from beginning to end. Of those that ended, the most telling are kept.

use std::collections::BTreeMap;
use std::fmt;

use connmgr_core::{CloseReason, ConnId, DialFailure, EndReason, Kind, PeerAddress, PeerId};

use crate::types::Instant;

/// Ended lanes that are kept; at this many, the less telling half goes.
const MOST_ENDED: usize = 4096;
/// Open lanes that are followed. A manager has fewer; a trace may claim anything.
const MOST_OPEN: usize = 1 << 16;

/// A dial or connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its id.
    pub conn: ConnId,
    /// The run of the process, from 1: ids start anew with each.
    pub start: u32,
    /// Its kind, if known.
    pub kind: Option<Kind>,
    /// The other end.
    pub address: Option<PeerAddress>,
    /// The added peer it is for.
    pub peer: Option<PeerId>,
    /// The other end is an adversary.
    pub is_adversary: bool,
    /// When it was dialed or accepted.
    pub begun: Instant,
    /// When it was open.
    pub connected: Option<Instant>,
    /// When its handshake was done.
    pub ready: Option<Instant>,
    /// When and how it ended.
    pub ended: Option<(Instant, LaneEnding)>,
}

/// How a lane ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneEnding {
    /// The dial failed.
    Failed(DialFailure),
    /// The connection ended.
    Ended(EndReason),
    /// The process died.
    Died,
}

impl LaneEnding {
    /// Whether the end tells something about the other end or about a rule of ours.
    const fn is_notable(self) -> bool {
        match self {
            Self::Ended(EndReason::Ours(reason)) => matches!(
                reason,
                CloseReason::HandshakeTimeout
                    | CloseReason::Banned
                    | CloseReason::Misbehaved
                    | CloseReason::OwnAddress
                    | CloseReason::Duplicate
                    | CloseReason::MissingServices
                    | CloseReason::Evicted
                    | CloseReason::Late
            ),
            Self::Ended(_) | Self::Failed(_) | Self::Died => false,
        }
    }
}

impl fmt::Display for LaneEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(DialFailure::GivenUp(reason)) => write!(f, "given up: {reason}"),
            Self::Failed(failure) => write!(f, "dial failed: {failure}"),
            Self::Ended(EndReason::Ours(reason)) => write!(f, "closed by us: {reason}"),
            Self::Ended(reason) => reason.fmt(f),
            Self::Died => f.write_str("the process died"),
        }
    }
}

/// How much a lane tells; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tells {
    /// A failed dial.
    Little,
    /// A connection that was not ready, or a failed dial of an added peer.
    Something,
    /// An outbound connection that was ready.
    Much,
    /// A ready connection to an added peer, or a telling end.
    Most,
}

impl Lane {
    /// A lane that begins.
    pub const fn new(conn: ConnId, start: u32, address: Option<PeerAddress>, begun: Instant) -> Self {
        Self {
            conn,
            start,
            kind: None,
            address,
            peer: None,
            is_adversary: false,
            begun,
            connected: None,
            ready: None,
            ended: None,
        }
    }

    /// How much it tells.
    pub fn tells(&self) -> Tells {
        let is_inbound = self.kind.is_some_and(Kind::is_inbound);
        let is_notable = self.ended.is_some_and(|(_, ending)| ending.is_notable());
        match (self.ready.is_some(), self.connected.is_some()) {
            _ if is_notable && !is_inbound => Tells::Most,
            (true, _) if self.peer.is_some() => Tells::Most,
            (true, _) if !is_inbound => Tells::Much,
            (true, _) | (_, true) => Tells::Something,
            (false, false) if self.peer.is_some() => Tells::Something,
            (false, false) => Tells::Little,
        }
    }

    /// How long it was ready.
    fn lasted(&self) -> u64 {
        let (Some(ready), Some((ended, _))) = (self.ready, self.ended) else { return 0 };
        u64::try_from(ended.since(ready).as_nanos()).unwrap_or(u64::MAX)
    }

    /// The order in which lanes are kept: how much they tell, how long they lasted, then a hash, so that what is
    /// kept of many alike is spread over all of the time.
    pub fn rank(&self) -> (Tells, u64, u64) {
        let chance = crate::types::fold(self.begun.as_nanos(), self.conn.as_u64());
        (self.tells(), self.lasted(), chance)
    }
}

/// Lanes: all that are open, and the most telling of those that ended.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    open: BTreeMap<ConnId, Lane>,
    ended: Vec<Lane>,
    total: u64,
}

impl Lanes {
    /// How many there were, kept or not.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Those that are kept, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Lane> {
        self.ended.iter().chain(self.open.values())
    }

    pub(super) fn open_ids(&self) -> Vec<ConnId> {
        self.open.keys().copied().collect()
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Lane> {
        self.open.get_mut(&conn)
    }

    pub(super) fn open(&mut self, lane: Lane) {
        self.total += 1;
        if self.open.len() < MOST_OPEN {
            self.open.insert(lane.conn, lane);
        }
    }

    /// Ends a lane, and shows it; none if it is not open.
    pub(super) fn end(&mut self, conn: ConnId, now: Instant, ending: LaneEnding) -> Option<&Lane> {
        let mut lane = self.open.remove(&conn)?;
        lane.ended = Some((now, ending));
        if self.ended.len() >= MOST_ENDED {
            self.ended.sort_by_key(|lane| std::cmp::Reverse(lane.rank()));
            self.ended.truncate(MOST_ENDED / 2);
        }
        self.ended.push(lane);
        self.ended.last()
    }
}
