//! The list of connections, and what is counted by walking it.

use connmgr_core::{ConnId, ConnState, Host, Input, Kind, ListenerId, PeerAddress, Time};

use super::{Model, Step};

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Dialing,
    Silent,
    Open,
    Ready,
}

/// A connection.
#[derive(Clone, Debug)]
pub(super) struct RConn {
    pub(super) id: ConnId,
    pub(super) kind: Kind,
    pub(super) stage: Stage,
    /// Since when it is in its stage; a silent dial counts from when it was made.
    pub(super) since: Time,
    pub(super) address: Option<PeerAddress>,
    pub(super) listener: Option<ListenerId>,
    pub(super) no_ban: bool,
    /// The misbehaviour of one whose host can't be seen.
    pub(super) account: super::Account,
}

impl RConn {
    pub(super) const fn is_open(&self) -> bool {
        match self.stage {
            Stage::Dialing | Stage::Silent => false,
            Stage::Open | Stage::Ready => true,
        }
    }

    pub(super) fn host(&self) -> Option<&Host> {
        self.address.as_ref().map(PeerAddress::host)
    }
}

pub(super) const AUTOMATIC: [Kind; 2] = [Kind::Full, Kind::BlockRelay];

impl Model {
    /// Slots of a kind that are taken.
    pub(super) fn held(&self, kind: Kind) -> u32 {
        self.count(|conn| conn.kind == kind && conn.stage != Stage::Silent)
    }

    pub(super) fn silent(&self, kind: Kind) -> u32 {
        self.count(|conn| conn.kind == kind && conn.stage == Stage::Silent)
    }

    pub(super) fn count(&self, what: impl Fn(&RConn) -> bool) -> u32 {
        u32::try_from(self.conns.iter().filter(|conn| what(conn)).count()).expect("few")
    }

    /// The most silent dials that a kind may have.
    pub(super) fn max_silent(&self, kind: Kind) -> u32 {
        self.config.dial.max_hedged.unwrap_or_else(|| self.share(kind))
    }

    /// Which dials have given their slots back is read off the view, and judged: not before their time, and not too few.
    pub(super) fn fall_silent(&mut self, step: &Step<'_>) {
        let hedge_after = self.config.dial.direct.hedge_after;
        for kind in AUTOMATIC {
            // Those that end in this step may have made room too late.
            let mut was_free = self.silent(kind) < self.max_silent(kind);
            for view in step.conns.iter().filter(|view| view.kind == kind && view.state == ConnState::Silent) {
                let Some(at) = self.conns.iter().position(|conn| conn.id == view.conn) else { continue };
                if self.conns[at].stage == Stage::Dialing {
                    self.hold(
                        self.is_long_ago(self.conns[at].since, hedge_after),
                        "a dial gave its slot back too early",
                    );
                    self.conns[at].stage = Stage::Silent;
                }
            }
            was_free &= self.silent(kind) < self.max_silent(kind);
            let overdue = |conn: &RConn| {
                conn.stage == Stage::Dialing && conn.kind == kind && conn.since.after(hedge_after) == self.now
            };
            let hedges = step.is_due && *step.input == Input::Timeout && was_free;
            self.hold(!hedges || self.count(overdue) == 0, "a silent dial kept its slot");
        }
    }
}
