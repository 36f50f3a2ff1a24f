//! Timers, in order of time; those of one time in the order in which they were set.

use connmgr_core::{CloseReason, ConnId, PeerId, Time};

use super::lists::AUTOMATIC;
use super::{Model, Stage};

/// The time of a timer, and how many timers had been set before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: Time,
    turn: u64,
}

/// What a timer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Conn(ConnId),
    Peer(PeerId),
    /// A change of the machine's network that came too soon after the last takes effect.
    StartOver,
}

impl Model {
    pub(super) fn due(&mut self, at: Time) -> Due {
        self.turns += 1;
        Due { at, turn: self.turns }
    }

    /// When a dial or handshake that makes progress now is looked at again.
    pub(super) fn look_at(&mut self, id: ConnId) {
        let conn = self.conn(id).expect("it is live");
        let (kind, deadline) = (conn.kind, conn.deadline);
        let hedges = AUTOMATIC.contains(&kind) && self.max_without_slot(kind) > 0 && !conn.is_trial;
        let hedged = self.now.after(self.config.dial.direct.hedge_after);
        let due = self.due(if hedges { deadline.min(hedged) } else { deadline });
        self.conn_mut(id).look = Some(due);
    }

    /// The first timer that is due, if any.
    fn first_due(&self) -> Option<What> {
        let conns = self.conns.iter().filter_map(|conn| Some((conn.look?, What::Conn(conn.id))));
        let peers = self.peers.iter().filter_map(|peer| Some((peer.waits?, What::Peer(peer.id))));
        let start_over = self.start_over_at.map(|due| (due, What::StartOver));
        let all = conns.chain(peers).chain(start_over).filter(|(due, _)| due.at <= self.now);
        all.min_by_key(|(due, _)| *due).map(|(_, what)| what)
    }

    /// Why a connection is given up, if its time is over.
    fn is_over(&self, what: What) -> Option<(ConnId, CloseReason)> {
        let What::Conn(id) = what else { return None };
        let conn = self.conn(id).filter(|conn| conn.deadline <= self.now)?;
        match conn.stage {
            Stage::Dialing | Stage::Silent => Some((id, CloseReason::DialTimeout)),
            Stage::Handshaking | Stage::Stalled => Some((id, CloseReason::HandshakeTimeout)),
            Stage::Ready => None,
        }
    }

    /// Runs the timers that are due, up to the first connection that must be given up.
    pub(super) fn time_passes(&mut self) -> Option<(ConnId, CloseReason)> {
        while let Some(what) = self.first_due().filter(|_| self.rings) {
            let over = self.is_over(what);
            if over.is_some() {
                return over;
            }
            self.happens(what);
        }
        None
    }

    fn happens(&mut self, what: What) {
        match what {
            What::Conn(id) => self.conn_is_looked_at(id),
            What::Peer(id) => {
                if let Some(peer) = self.peer_mut(id) {
                    peer.wake();
                }
            }
            What::StartOver => self.start_over(),
        }
    }

    fn conn_is_looked_at(&mut self, id: ConnId) {
        let conn = self.conn_mut(id);
        conn.look = None;
        let deadline = conn.deadline;
        match conn.stage {
            Stage::Ready => return self.is_stable(id),
            Stage::Dialing | Stage::Handshaking => conn.is_overdue = conn.is_automatic(),
            Stage::Silent | Stage::Stalled => {}
        }
        let due = self.due(deadline);
        self.conn_mut(id).look = Some(due);
    }
}
