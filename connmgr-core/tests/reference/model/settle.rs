//! What must have been done by the end of a step, and what the view must show.

use std::time::Duration;

use connmgr_core::{Kind, PeerAddress, PeerState, Time};

use super::lists::AUTOMATIC;
use super::peers::RPeer;
use super::{Model, RConn, Stage, Step};
use crate::system::UNIX;

impl Model {
    pub(super) fn settle(&mut self, step: &Step<'_>) {
        self.nothing_is_owed();
        self.limits_hold();
        self.read_releases(&step.peers);
        self.deadlines_are_set(step);
        self.views_agree(step);
        self.book_is_shown(&step.book);
    }

    fn nothing_is_owed(&mut self) {
        self.hold(self.owed.closes.is_empty(), "a connection that must be closed is not");
        self.hold(self.owed.closing.is_none(), "an end is not told");
        self.hold(self.owed.dial.is_none(), "room is made for a peer that is not dialed");
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
            self.hold(self.without_slot(kind) <= self.max_without_slot(kind), "too many without a slot");
        }
        let added = self.held(Kind::Added);
        self.hold(self.count(|_| true) <= self.limits.total.max(added), "more than the total");
    }

    /// No peer or address is left that may be dialed.
    pub(super) fn wanted_peers_are_dialed(&mut self, step: &Step<'_>) {
        let wanted: Vec<RPeer> = self.peers.iter().filter(|peer| peer.is_wanted()).cloned().collect();
        for peer in wanted {
            if self.is_banned(peer.address.host()) {
                self.peer_mut(peer.id).expect("it is in the list").held_by_ban = true;
                continue;
            }
            let might = self.has_room(Kind::Added) && self.may_have(&peer.address) && !peer.held_by_ban;
            match self.short_until().filter(|_| might) {
                Some(until) => self.wakes_by(until, "nobody waits for the end of a shortage", step),
                None => self.hold(!might, &format!("{} is added, may be dialed, and is not", peer.address)),
            }
        }
    }

    /// Whether an added peer may have this address: no connection has it, or that one is adopted or makes room.
    fn may_have(&self, address: &PeerAddress) -> bool {
        let holders: Vec<&RConn> = self.conns.iter().filter(|conn| conn.address.as_ref() == Some(address)).collect();
        let is_adopted = |conn: &&RConn| conn.kind == Kind::Full && conn.is_open();
        holders.iter().any(is_adopted) || holders.iter().all(|conn| conn.kind == Kind::BlockRelay)
    }

    /// Every timer is covered by the deadline.
    fn deadlines_are_set(&self, step: &Step<'_>) {
        for conn in &self.conns {
            if let Some(look) = conn.look {
                self.wakes_by(look.at, &format!("{} is never looked at", conn.id), step);
            }
        }
        for waits in self.peers.iter().filter_map(|peer| peer.waits) {
            self.wakes_by(waits.at, "a retry without a deadline", step);
        }
        if let Some(start_over) = self.start_over_at {
            self.wakes_by(start_over.at, "a change of network that never has its effect", step);
        }
        if let Some(since) = self.refused.0 {
            self.wakes_by(since.after(Duration::from_secs(1)), "refusals that are never told", step);
        }
        for ban in &self.bans {
            self.wakes_by(ban.until, "a ban without end", step);
        }
    }

    /// The next deadline is at this time or before.
    pub(super) fn wakes_by(&self, time: Time, broken: &str, step: &Step<'_>) {
        let tick = self.now.after(Duration::from_millis(1));
        self.hold(step.due.is_some_and(|due| due <= time.max(tick)), broken);
    }

    fn views_agree(&self, step: &Step<'_>) {
        self.hold(step.conns.len() == self.conns.len(), "more or fewer connections are shown");
        for view in &step.conns {
            let same = |conn: &&RConn| {
                conn.kind == view.kind
                    && conn.address == view.address
                    && conn.stage == Stage::of(view.state)
                    && conn.since == view.since
            };
            let same = self.conn(view.conn).filter(same).is_some();
            self.hold(same, &format!("another connection is shown: {view:?}"));
            self.hold(self.peer_of(view.conn).map(|peer| peer.id) == view.peer, "a connection of another peer");
        }
        self.hold(step.peers.len() == self.peers.len(), "more or fewer peers are shown");
        for view in &step.peers {
            let peer = self.peers.iter().find(|peer| peer.id == view.peer);
            let same = |peer: &RPeer| {
                [peer.address.clone()] == view.addresses[..]
                    && peer.attempt == view.attempt
                    && peer.busy == busy(view.state)
                    && (view.state == PeerState::Waiting) == peer.waits.is_some()
                    && peer.waits.is_none_or(|waits| view.next_retry == Some(waits.at))
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

const fn busy(state: PeerState) -> Option<connmgr_core::ConnId> {
    match state {
        PeerState::Dialing(conn) | PeerState::Connected(conn) => Some(conn),
        _ => None,
    }
}
