//! Which dials and handshakes lose their slot, and which take one.

use connmgr_core::{ConnId, Kind, NetworkKind};

use super::book::network;
use super::lists::AUTOMATIC;
use super::{Model, RConn, Stage};

/// How many dials and handshakes may be without a slot, for each slot of their kind.
const HEDGED_FOR_EACH_SLOT: u32 = 2;

/// Where an automatic dial gets its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Free,
    /// From this dial, into a network without results.
    Of(ConnId),
}

impl Model {
    /// The most dials and handshakes of a kind without a slot.
    pub(super) fn max_without_slot(&self, kind: Kind) -> u32 {
        self.config.dial.max_hedged.unwrap_or_else(|| HEDGED_FOR_EACH_SLOT * self.share(kind))
    }

    /// Dials and handshakes without progress lose their slot, the oldest first, as long as more may be without.
    pub(super) fn hedge(&mut self) {
        for kind in AUTOMATIC {
            loop {
                let overdue = self.conns.iter().find(|conn| conn.kind == kind && conn.is_overdue);
                let Some(overdue) = overdue.map(|conn| conn.id) else { break };
                if self.without_slot(kind) >= self.max_without_slot(kind) {
                    break;
                }
                self.give_slot(overdue);
            }
        }
    }

    pub(super) fn give_slot(&mut self, id: ConnId) {
        let now = self.now;
        let conn = self.conn_mut(id);
        conn.stage = match conn.stage {
            Stage::Dialing => Stage::Silent,
            Stage::Handshaking => Stage::Stalled,
            other => panic!("{other:?} gives no slot up"),
        };
        conn.since = now;
        conn.is_overdue = false;
    }

    /// A dial or handshake without a slot makes progress. Returns whether it gets one, free or from another.
    pub(super) fn takes_slot(&mut self, kind: Kind, is_ready: bool) -> bool {
        let (held, share) = (self.held(kind), self.share(kind));
        if held != share {
            return held < share;
        }
        let behind = self.furthest_behind(kind, is_ready);
        if let Some(other) = behind {
            self.give_slot(other);
        }
        behind.is_some()
    }

    /// The one that loses its slot, of those that have come less far: the oldest without progress, else the youngest
    /// dial, else the youngest handshake.
    fn furthest_behind(&self, kind: Kind, is_ready: bool) -> Option<ConnId> {
        let is_behind = |conn: &&RConn| match conn.stage {
            Stage::Dialing => conn.kind == kind,
            Stage::Handshaking => conn.kind == kind && is_ready,
            Stage::Silent | Stage::Stalled | Stage::Ready => false,
        };
        let behind: Vec<&RConn> = self.conns.iter().filter(is_behind).collect();
        let overdue = behind.iter().find(|conn| conn.is_overdue);
        let dial = behind.iter().rfind(|conn| conn.stage == Stage::Dialing);
        overdue.or(dial).or(behind.last()).map(|conn| conn.id)
    }

    /// Where one more automatic dial gets its slot, if it may be made at all.
    pub(super) fn room(&self, kind: Kind) -> Option<Room> {
        if self.has_room(kind) {
            return Some(Room::Free);
        }
        let fits = self.count(|_| true) < self.limits.total && self.without_slot(kind) < self.max_without_slot(kind);
        if !fits || self.push_again_at > self.now || !self.paces.iter().any(|pace| pace.is_proven()) {
            return None;
        }
        let is_doubtful = |conn: &&RConn| {
            conn.kind == kind
                && conn.stage == Stage::Dialing
                && !conn.is_trial
                && !self.is_proven(network(conn.dialed().expect("dialed")))
        };
        self.conns.iter().rfind(is_doubtful).map(|conn| Room::Of(conn.id))
    }

    pub(super) fn is_proven(&self, network: NetworkKind) -> bool {
        self.pace(network).is_proven()
    }
}
