//! The list of connections, and what is counted by walking it.

use connmgr_core::{ConnId, ConnState, ConnView, Host, Input, Kind, ListenerId, PeerAddress, Time};

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
    /// When time was last told, it had been in its stage for as long as a dial is waited for.
    pub(super) is_overdue: bool,
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

    /// Whether a dial of this kind has been silent for long, the manager was told the time since, and it had no room to
    /// give its slot back.
    pub(super) fn has_overdue(&self, kind: Kind) -> bool {
        self.count(|conn| conn.kind == kind && conn.stage == Stage::Dialing && conn.is_overdue) > 0
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
        self.newly_silent.clear();
        if step.is_due && *step.input == Input::Timeout {
            let now = self.now;
            self.conns.iter_mut().for_each(|conn| conn.is_overdue = conn.since.after(hedge_after) <= now);
        }
        for kind in AUTOMATIC {
            for view in step.conns.iter().filter(|view| view.kind == kind && view.state == ConnState::Silent) {
                let Some(at) = self.conns.iter().position(|conn| conn.id == view.conn) else { continue };
                if self.conns[at].stage == Stage::Dialing {
                    self.hold(
                        self.is_long_ago(self.conns[at].since, hedge_after),
                        "a dial gave its slot back too early",
                    );
                    self.conns[at].stage = Stage::Silent;
                    self.newly_silent.push(view.conn);
                }
            }
            let silent = step.conns.iter().filter(|view| view.kind == kind && view.state == ConnState::Silent).count();
            let has_room = silent < self.max_silent(kind) as usize;
            let keeps_slot = |view: &ConnView| {
                view.state == ConnState::Dialing
                    && self.conn(view.conn).is_some_and(|conn| conn.kind == kind && conn.is_overdue)
            };
            self.hold(!(has_room && step.conns.iter().any(keeps_slot)), "a silent dial kept its slot");
        }
    }
}
