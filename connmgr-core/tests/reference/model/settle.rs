//! What must have been done by the end of a step, and what must be seen.

use std::time::Duration;

use connmgr_core::{ConnState, Kind, Mode, PeerAddress, PeerState, Services, Time};

use super::lists::AUTOMATIC;
use super::peers::RPeer;
use super::{Model, RConn, Stage, Step};
use crate::system::UNIX;

/// So long after it could, an automatic dial must have been made, if deadlines are met: the manager looks for somebody
/// at least every 8 s where some are known.
const PATIENCE: Duration = Duration::from_secs(60);

impl Model {
    pub(super) fn settle(&mut self, step: &Step<'_>) {
        self.nothing_is_owed();
        self.limits_hold();
        self.wanted_peers_are_dialed();
        AUTOMATIC.into_iter().enumerate().for_each(|(n, kind)| self.hunger(n, kind, step));
        self.deadlines_are_set(step);
        self.views_agree(step);
    }

    fn nothing_is_owed(&mut self) {
        self.hold(self.owed.closes.is_empty(), "a connection that must be closed is not");
        self.hold(self.owed.closing.is_none(), "an end is not told");
        self.hold(self.owed.ends.is_none() && self.owed.opens.is_none(), "a fact has no consequence");
        let late = self.owed.late.is_some_and(|late| late <= self.newest && late.as_u64() > 0);
        self.hold(!late, "a late success is leaked");
        let must_warn = |score: f64| score >= f64::from(self.config.score.threshold / 2) + 1.0 + super::scores::CLOSE;
        self.hold(!self.owed.warning.is_some_and(must_warn), "no warning");
        self.hold(
            !self.peers.iter().any(|peer| peer.owes_retry && peer.keep == connmgr_core::Keep::Always && self.active),
            "a failed peer has no retry",
        );
        self.hold(
            !self.peers.iter().any(|peer| peer.owes_retry && peer.keep == connmgr_core::Keep::Once),
            "a peer added once stays",
        );
        self.hold(!self.owed.evicts, "let in without room");
    }

    fn limits_hold(&self) {
        for kind in [Kind::Full, Kind::BlockRelay, Kind::Inbound] {
            self.hold(self.held(kind) <= self.share(kind), "more of a kind than its share");
        }
        for kind in AUTOMATIC {
            self.hold(self.silent(kind) <= self.max_silent(kind), "too many silent dials");
        }
        let added = self.held(Kind::Added);
        self.hold(self.count(|_| true) <= self.limits.total.max(added), "more than the total");
    }

    /// Whoever may be dialed has been.
    fn wanted_peers_are_dialed(&mut self) {
        let wanted: Vec<RPeer> = self.peers.iter().filter(|peer| peer.is_wanted()).cloned().collect();
        for peer in wanted {
            if self.is_banned(peer.address.host()) {
                self.peer_mut(peer.id).expect("it is in the list").held_by_ban = true;
                continue;
            }
            let adoptable = self
                .conns
                .iter()
                .any(|conn| conn.kind == Kind::Full && conn.is_open() && conn.address.as_ref() == Some(&peer.address));
            let free = adoptable || !self.is_in_use(&peer.address);
            let owed = self.active && self.has_room(Kind::Added) && free && !peer.held_by_ban;
            self.hold(!owed, "an added peer that may be dialed is not");
        }
    }

    /// A kind that has room and somebody to dial does not wait for ever.
    fn hunger(&mut self, n: usize, kind: Kind, step: &Step<'_>) {
        let ripe_at = step.book.iter().filter_map(|address| self.ripe_at(kind, address)).min();
        let works = self.active && self.config.mode == Mode::Automatic && self.has_room(kind);
        let Some(ripe_at) = ripe_at.filter(|_| works) else { return self.hungry_since[n] = None };
        self.wakes_by(ripe_at.max(self.now).after(PATIENCE), "nobody will look for somebody to dial", step);
        if ripe_at > self.now || self.dial_credit_is_empty() {
            self.hungry_since[n] = None;
            return;
        }
        let since = *self.hungry_since[n].get_or_insert(self.now);
        self.hold(!self.is_long_ago(since, PATIENCE), "room and somebody to dial, and no dial");
    }

    /// Whatever happens at a time of its own has a deadline.
    fn deadlines_are_set(&self, step: &Step<'_>) {
        let (dial, handshake) = (self.config.dial.direct.timeout, self.config.handshake_timeout);
        for conn in &self.conns {
            match conn.stage {
                Stage::Dialing | Stage::Silent => self.wakes_by(conn.since.after(dial), "a dial without end", step),
                Stage::Open => self.wakes_by(conn.since.after(handshake), "a handshake without end", step),
                Stage::Ready => {}
            }
        }
        for waits in self.peers.iter().filter_map(|peer| peer.waits) {
            self.wakes_by(waits, "a retry without a deadline", step);
        }
        for ban in &self.bans {
            self.wakes_by(ban.until, "a ban without end", step);
        }
    }

    /// The next deadline is at this time or before.
    fn wakes_by(&self, time: Time, broken: &str, step: &Step<'_>) {
        let tick = self.now.after(Duration::from_millis(1));
        self.hold(step.due.is_some_and(|due| due <= time.max(tick)), broken);
    }

    fn dial_credit_is_empty(&mut self) -> bool {
        let (rate, now) = (self.config.dial.rate, self.now);
        !self.dial_credit.has_token(&rate, now)
    }

    /// From when on nothing at all speaks against an automatic dial, if only time does.
    fn ripe_at(&self, kind: Kind, address: &PeerAddress) -> Option<Time> {
        let demanding = kind == Kind::Full && self.config.required.full != Services::NONE;
        let forbidden = self.is_in_use(address)
            || self.is_banned(address.host())
            || self.config.own_addresses.contains(address)
            || !self.group_has_room(address)
            || (demanding && self.useless.contains(address));
        let touched = self.touched.iter().find(|(known, _)| known == address);
        (!forbidden).then(|| touched.map_or(Time::ZERO, |(_, at)| at.after(self.config.dial.spacing)))
    }

    fn views_agree(&self, step: &Step<'_>) {
        self.hold(step.conns.len() == self.conns.len(), "more or fewer connections are shown");
        for view in &step.conns {
            let same = |conn: &&RConn| {
                conn.kind == view.kind && conn.address == view.address && conn.stage == stage(view.state)
            };
            let same = self.conn(view.conn).filter(same).is_some();
            self.hold(same, &format!("another connection is shown: {view:?}"));
            self.hold(self.peer_of(view.conn).map(|peer| peer.id) == view.peer, "a connection of another peer");
        }
        self.hold(step.peers.len() == self.peers.len(), "more or fewer peers are shown");
        for view in &step.peers {
            let peer = self.peers.iter().find(|peer| peer.id == view.peer);
            let same = |peer: &RPeer| {
                peer.address == view.address
                    && peer.attempt == view.attempt
                    && peer.busy == busy(view.state)
                    && (view.state == PeerState::Waiting) == peer.waits.is_some()
                    && peer.waits.is_none_or(|at| view.next_retry == Some(at))
            };
            self.hold(peer.is_some_and(same), &format!("another peer is shown: {view:?}"));
        }
        let standing = self.bans.iter().filter(|ban| ban.until > self.now).count();
        self.hold(step.bans.len() == standing, "more or fewer bans are shown");
        for view in &step.bans {
            let ban = self.bans.iter().find(|ban| ban.target == view.target);
            let until = ban.map(|ban| UNIX.after(ban.until.since(Time::ZERO)));
            self.hold(until == Some(view.until), &format!("another ban is shown: {view:?}"));
        }
    }
}

const fn stage(state: ConnState) -> Stage {
    match state {
        ConnState::Dialing => Stage::Dialing,
        ConnState::Silent => Stage::Silent,
        ConnState::Handshaking | ConnState::Stalled => Stage::Open,
        ConnState::Ready => Stage::Ready,
    }
}

const fn busy(state: PeerState) -> Option<connmgr_core::ConnId> {
    match state {
        PeerState::Dialing(conn) | PeerState::Connected(conn) => Some(conn),
        PeerState::Waiting | PeerState::Queued | PeerState::Blocked(_) | PeerState::Resolving => None,
    }
}
