//! The state as one number: everything that decides the future, and nothing else.
//!
//! Times are relative to now, and ids are replaced by their rank. Counters, queued actions and the generators are left
//! out. So two histories with the same future have the same number, and a search follows only one of them. Also left
//! out is what only a fact about an ended connection could bring up.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::conn::{Conn, End};
use crate::peer::Peer;
use crate::peers::Awaited;
use crate::types::{ConnId, NetworkKind, PeerId, Time, nanos};

use super::seeding::LONG_STARVED_AFTER;
use super::{ConnManager, Obstacle, PeerState};

/// The state at a moment, for hashing.
struct StateAt<'a> {
    manager: &'a ConnManager,
    now: Time,
    conns: Vec<ConnId>,
    peers: Vec<PeerId>,
}

impl ConnManager {
    /// The behavioral state as a number, seen from `now`.
    #[must_use]
    pub fn fingerprint(&self, now: Time) -> u128 {
        let mut conns: Vec<ConnId> = self.table.iter().map(Conn::id).collect();
        conns.sort_unstable();
        let moment = StateAt { manager: self, now: now.max(self.now()), conns, peers: self.peers.ids() };
        let mut hasher = SipHasher13::new();
        moment.hash(&mut hasher);
        hasher.finish128().as_u128()
    }
}

impl Hash for StateAt<'_> {
    fn hash<H: Hasher>(&self, to: &mut H) {
        let manager = self.manager;
        (manager.phase, manager.sweep_wanted).hash(to);
        hash_limits(manager, to);
        self.conns.iter().filter_map(|id| manager.table.get(*id)).for_each(|conn| self.hash_conn(conn, to));
        self.peers.iter().filter_map(|id| manager.peers.get(*id)).for_each(|peer| self.hash_peer(peer, to));
        manager.peers.queued().for_each(|id| self.peer_age(id).hash(to));
        self.hash_awaiting(to);
        for redial in &manager.redials {
            (redial.kind, &redial.address, redial.peer.map(|id| (self.peer_age(id), redial.of)), redial.is_trial)
                .hash(to);
        }
        self.hash_book(to);
        for (target, ban, exceptions) in manager.bans.list() {
            exceptions.hash(to);
            (target, self.ahead(ban.until)).hash(to);
        }
        for network in NetworkKind::ALL {
            manager.health[network.index()].fingerprint(&manager.config.health, self.now, to);
            self.peers.partition_point(|id| *id <= manager.last_probed[network.index()]).hash(to);
            manager.paces[network.index()].fingerprint(self.now, to);
            manager.trials[network.index()].fingerprint(self.now, to);
        }
        manager.shortage.fingerprint(self.now, to);
        let may_start_over_at = manager.started_over.map(|at| at.after(super::START_OVER_EVERY));
        manager.released_at.map_or(0, |at| self.ahead(at.after(manager.config.retry.cap))).hash(to);
        let may_make_room_at = manager.made_room.map(|at| at.after(super::plan::MAKE_ROOM_EVERY));
        may_make_room_at.map_or(0, |at| self.ahead(at)).hash(to);
        (self.ahead(manager.take_slots_again_at), may_start_over_at.map_or(0, |at| self.ahead(at))).hash(to);
        manager.has_moved.hash(to);
        manager.fruitless_attempts.min(manager.limits.added.max(2)).hash(to);
        self.hash_turns(to);
        self.hash_aliases(to);
        for starved in &manager.starved {
            let starved_for = |since| nanos(self.now.since(since).min(LONG_STARVED_AFTER));
            starved.map(|starved| (starved_for(starved.since), self.ahead(starved.until), starved.times)).hash(to);
        }
        (self.ahead(manager.dial_bucket.full_at()), self.ahead(manager.ask_again_at)).hash(to);
        manager.own.given().for_each(|address| address.hash(to));
        manager.own.met().for_each(|(address, until)| (address, self.ahead(*until)).hash(to));
        self.hash_inbound(to);
        self.hash_timers(to);
    }
}

impl StateAt<'_> {
    /// The time until `at`; 0 if it is past.
    fn ahead(&self, at: Time) -> u64 {
        nanos(at.since(self.now))
    }

    fn conn_age(&self, id: ConnId) -> usize {
        self.conns.partition_point(|other| *other < id)
    }

    fn peer_age(&self, id: PeerId) -> usize {
        self.peers.partition_point(|other| *other < id)
    }

    /// The order in which the networks were last dialed.
    fn hash_turns<H: Hasher>(&self, to: &mut H) {
        let turns = self.manager.paces.each_ref().map(crate::mechanisms::pace::Pace::last_turn);
        turns.map(|turn| turns.iter().filter(|other| **other < turn).count()).hash(to);
    }

    /// What the blocked peers wait for.
    fn hash_awaiting<H: Hasher>(&self, to: &mut H) {
        for (awaited, id) in self.manager.peers.awaiting() {
            let is_blocked = |peer: &Peer| matches!(peer.state(), PeerState::Blocked(_));
            if self.manager.peers.get(id).is_some_and(is_blocked) {
                match awaited {
                    Awaited::Address(address) => (address, self.peer_age(id)).hash(to),
                    Awaited::Conn(conn) => (self.conn_age(*conn), self.peer_age(id)).hash(to),
                }
            }
        }
    }

    fn hash_aliases<H: Hasher>(&self, to: &mut H) {
        let mut aliases: Vec<_> = self.manager.aliases.iter().collect();
        aliases.retain(|(_, conn)| self.manager.table.get(*conn).is_some());
        aliases.sort_unstable();
        for (address, conn) in aliases {
            (address, self.conn_age(conn)).hash(to);
        }
    }

    fn hash_conn<H: Hasher>(&self, conn: &Conn, to: &mut H) {
        (conn.kind(), conn.state(), conn.is_overdue(), conn.transport(), conn.address(), conn.identity()).hash(to);
        (conn.notes.is_trial, conn.notes.of, conn.notes.is_spared).hash(to);
        conn.peer().map(|id| self.peer_age(id)).hash(to);
        let stable_in = self.manager.config.stable_after.saturating_sub(self.now.since(conn.since()));
        stable_in.hash(to);
        conn.notes.timer.map(|timer| self.ahead(self.manager.timers.at(timer))).hash(to);
        let life = conn.since().max(conn.notes.heard);
        self.now.since(life).min(self.manager.config.health.traffic_within).hash(to);
        (conn.notes.services, conn.notes.score.fingerprint(self.now), conn.listener()).hash(to);
        self.ahead(conn.notes.gossip.full_at()).hash(to);
        self.ahead(conn.deadline()).hash(to);
        if let End::Outbound { group, via, .. } = conn.end() {
            // An isolation token is random.
            (group, via.as_ref().map(|(proxy, _)| proxy)).hash(to);
        }
    }

    fn hash_peer<H: Hasher>(&self, peer: &Peer, to: &mut H) {
        peer.fingerprint(to);
        peer.dials().iter().for_each(|dial| self.conn_age(*dial).hash(to));
        peer.timer().map(|timer| self.ahead(self.manager.timers.at(timer))).hash(to);
        match peer.state() {
            PeerState::Waiting => (0, 0, None::<Obstacle>).hash(to),
            PeerState::Queued => (1, 0, None::<Obstacle>).hash(to),
            PeerState::Blocked(obstacle) => (2, 0, Some(obstacle)).hash(to),
            PeerState::Resolving => (3, 0, None::<Obstacle>).hash(to),
            PeerState::Dialing(conn) => (4, self.conn_age(conn), None::<Obstacle>).hash(to),
            PeerState::Connected(conn) => (5, self.conn_age(conn), None::<Obstacle>).hash(to),
        }
    }

    fn hash_book<H: Hasher>(&self, to: &mut H) {
        let spacing = self.manager.config.dial.spacing;
        let min_spacing = self.manager.config.dial.min_spacing;
        let mut entries: Vec<_> = self.manager.book.choice_state(self.manager.unix(), self.now).collect();
        entries.sort_unstable_by(|(a, ..), (b, ..)| a.address.cmp(&b.address));
        self.manager.book.tried_failures().hash(to);
        for (entry, v1_only, forgiven) in entries {
            let left = |at| [spacing, min_spacing].map(|spacing| spacing.saturating_sub(self.now.since(at)));
            let (tried, succeeded) = (entry.last_try.map(left), entry.last_success.is_some());
            (entry.address, entry.services, entry.failures, tried, succeeded, v1_only, forgiven).hash(to);
        }
    }

    /// What decides inbound admission, besides the connections themselves.
    fn hash_inbound<H: Hasher>(&self, to: &mut H) {
        let mut scores: Vec<_> = self.manager.scores.iter().collect();
        scores.sort_unstable_by_key(|(host, _)| *host);
        for (host, score) in scores {
            (host, score.fingerprint(self.now)).hash(to);
        }
        for limiter in [&self.manager.inbound_rates, &self.manager.inbound_returns] {
            let mut rates: Vec<_> = limiter.iter(self.now).collect();
            rates.sort_unstable();
            for (origin, full_at) in &rates {
                (origin, self.ahead(*full_at)).hash(to);
            }
            rates.len().hash(to);
        }
        for listener in &self.manager.config.listeners {
            self.manager.pauses.get(&listener.id).hash(to);
        }
    }

    fn hash_timers<H: Hasher>(&self, to: &mut H) {
        let single = &self.manager.single;
        let at = |timer: Option<crate::mechanisms::timers::TimerId>| {
            timer.map(|timer| self.ahead(self.manager.timers.at(timer)))
        };
        let timers = [single.plan, single.seeds, single.fixed_seeds, single.bans, single.start_over, single.refusals];
        self.manager.refused.hash(to);
        [single.save_bans, single.save_book].map(at).hash(to);
        self.manager.is_book_unsaved().hash(to);
        timers.map(at).hash(to);
        single.probes.map(at).hash(to);
        for (_, timer) in &single.lookups {
            at(*timer).hash(to);
        }
        self.manager.seeds.fingerprint(self.manager.config.seeds.again_after, self.now, to);
        self.ahead(self.manager.earliest).hash(to);
    }
}

fn hash_limits<H: Hasher>(manager: &ConnManager, to: &mut H) {
    let split = manager.split();
    let limits = &manager.limits;
    (limits.total, limits.added, split.added, split.full, split.block_relay, split.feeler).hash(to);
    (split.hedged, split.inbound).hash(to);
}
