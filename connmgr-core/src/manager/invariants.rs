//! What always holds, recounted from scratch. For tests, simulators and fuzzers; too slow for every input.

use crate::conn::Conn;
use crate::peer::Peer;
use crate::types::{Kind, NetworkKind};

use super::{ConnManager, ConnState, Obstacle, PeerState, Phase};

type Checked = Result<(), &'static str>;

const fn hold(holds: bool, otherwise: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(otherwise) }
}

impl ConnManager {
    /// Checks every invariant. Takes time proportional to the whole state.
    ///
    /// # Errors
    /// The first invariant that does not hold: always a bug in this crate.
    pub fn check(&self) -> Result<(), &'static str> {
        self.table.check()?;
        self.peers.check()?;
        self.book.check()?;
        self.bans.check()?;
        self.scores.check()?;
        self.inbound_rates.check()?;
        self.inbound_returns.check()?;
        self.aliases.check()?;
        self.timers.check()?;
        self.check_timers()?;
        self.check_limits()?;
        self.table.iter().try_for_each(|conn| self.check_conn(conn))?;
        self.peers.iter().try_for_each(|peer| self.check_peer(peer))?;
        hold(
            self.redials.is_empty() || self.phase == Phase::Active,
            "a redial is queued while the manager is not active",
        )?;
        hold(self.phase != Phase::Stopped || self.table.len() == 0, "stopped with a connection left")
    }

    fn check_limits(&self) -> Checked {
        if self.sweep_wanted {
            return Ok(());
        }
        let split = self.split();
        hold(split == self.split_now(), "the shares of the total are not those of the limits")?;
        for kind in [Kind::Full, Kind::BlockRelay, Kind::Feeler, Kind::AddrFetch, Kind::Inbound] {
            hold(self.table.slots_held(kind) <= split.of(kind), "more slots of a kind are held than there are")?;
        }
        for kind in super::slots::AUTOMATIC {
            let fits = self.table.without_slot(kind) <= self.max_hedged(kind);
            hold(fits, "more dials and handshakes of a kind go on without a slot than allowed")?;
        }
        // Added peers stay when their limit falls below their number.
        let added = self.table.slots_held(Kind::Added);
        let total = self.limits.total.max(added);
        hold(self.table.len() <= total, "more connections and dials than the total")
    }

    /// Everything under way has a timer, and every timer belongs to something.
    fn check_timers(&self) -> Checked {
        let single = &self.single;
        let of_work = [single.plan, single.seeds, single.fixed_seeds, single.start_over, single.own_addresses];
        let of_state = [single.bans, single.save_bans, single.save_book, single.refusals];
        let set = of_work.iter().chain(&of_state).chain(&single.probes).flatten().count() + single.lookups.len();
        let conns = self.table.iter().filter(|conn| conn.notes.timer.is_some()).count();
        let peers = self.peers.iter().filter(|peer| peer.timer().is_some()).count();
        hold(self.timers.len() == set + conns + peers, "a timer has no owner")?;
        for network in NetworkKind::ALL {
            let health = &self.health[network.index()];
            let waits = health.is_down() && health.owed_probe().is_none();
            hold(
                single.probes[network.index()].is_some() == waits,
                "a network has no probe timer while it is down, or one while it is up",
            )?;
        }
        let tells = single.refusals.is_some();
        hold(tells == (self.refused.total() > 0), "the timer for refusals does not match them")?;
        let forgets = single.own_addresses.is_some();
        hold(forgets == self.own.next_expiry().is_some(), "the timer for own addresses does not match them")?;
        hold(single.bans.is_some() == self.bans.next_expiry().is_some(), "the timer for bans does not match the bans")
    }

    fn check_conn(&self, conn: &Conn) -> Checked {
        let waits = match conn.state() {
            ConnState::Dialing | ConnState::Silent | ConnState::Handshaking | ConnState::Stalled => true,
            ConnState::Ready => {
                // Time may have reached its end, where no deadline lies ahead.
                let is_young = self.now() < conn.since().after(self.config.stable_after);
                conn.kind() == Kind::AddrFetch || (conn.kind().is_automatic() && is_young)
            }
        };
        // A connection may be stable already while its timer has not fired yet.
        let waits = waits || (conn.kind().is_automatic() && conn.notes.timer.is_some());
        hold(
            conn.notes.timer.is_some() == waits,
            "a connection has no timer in a state with one, or one in a state without",
        )?;
        hold(!self.is_banned(conn) || self.sweep_wanted, "a connection to a banned host")?;
        let ours = conn.dialed().is_some_and(|address| self.own.contains(address, self.now()));
        hold(!ours, "a connection to our own address")?;
        let max_per_group = self.config.groups.max_per_group;
        let crowded = conn.group().is_some_and(|group| self.table.in_group(group) > max_per_group.unwrap_or(u32::MAX));
        hold(!crowded, "too many automatic connections to one group")?;
        let claims = |peer| self.peers.get(peer).is_some_and(|peer| peer.claims(conn.id()));
        let orphan = conn.peer().is_some_and(|peer| !claims(peer));
        hold(!orphan, "a connection for an added peer that does not claim it")
    }

    fn check_peer(&self, peer: &Peer) -> Checked {
        let belongs =
            |id, open| self.table.get(id).is_some_and(|conn| conn.peer() == Some(peer.id()) && conn.is_open() == open);
        let may_wait = matches!(peer.state(), PeerState::Waiting | PeerState::Blocked(_));
        hold(peer.timer().is_none() || may_wait, "an added peer has a timer in a state without one")?;
        let dials = peer.dials();
        hold(dials.iter().all(|id| belongs(*id, false)), "a peer being dialed has no dial")?;
        match peer.state() {
            PeerState::Waiting | PeerState::Blocked(Obstacle::Banned) => {
                hold(peer.timer().is_some(), "a waiting or banned added peer has no timer")
            }
            PeerState::Dialing(id) => hold(dials.contains(&id), "a peer being dialed has no dial"),
            PeerState::Connected(id) => {
                hold(belongs(id, true) && dials.is_empty(), "a connected peer has no connection, or a dial beside it")
            }
            PeerState::Resolving => hold(peer.lookup().is_some(), "a peer whose name is looked up has no lookup"),
            PeerState::Queued | PeerState::Blocked(_) => Ok(()),
        }
    }
}
