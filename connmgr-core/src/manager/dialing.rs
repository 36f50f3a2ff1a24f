//! The planner, and the only place that emits a dial.
//!
//! [`plan`](ConnManager::plan) ends every input. It is a fixpoint: planning twice at the same time does nothing the
//! second time. What it must leave undone (no slot, nobody to dial, too fast, too much for one call) it does when a
//! fact changes that, or at a deadline of its own.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;

use crate::action::{Action, Isolation, IsolationToken, Route, Transport};
use crate::address::PeerAddress;
use crate::book::Choice;
use crate::config::{Mode, Patience, Split};
use crate::conn::{Conn, End, Notes, via};
use crate::error::LookupError;
use crate::event::{Event, Kind};
use crate::host::{Host, HostName};
use crate::id::{ConnId, LookupId, PeerId};
use crate::network::NetworkSet;
use crate::time::Time;

use super::rules::Rules;
use super::{ConnManager, Obstacle, PeerState, Phase, Starved, Timer};

/// The kinds that the planner fills from the book, in order.
pub(super) const AUTOMATIC: [Kind; 2] = [Kind::Full, Kind::BlockRelay];

/// The first wait of a kind that found nobody to dial; doubled each time, …
const STARVED_WAIT: Duration = Duration::from_secs(1);
/// … at most so long before it looks again where some are known, …
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(8);
/// … and so long before others are asked for addresses again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(32);

/// A dial that was decided on.
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) address: PeerAddress,
    pub(super) peer: Option<PeerId>,
    pub(super) transport: Transport,
    /// The route of an earlier attempt that this one repeats.
    pub(super) same_route: Option<Option<(core::net::SocketAddr, Isolation)>>,
}

impl ConnManager {
    /// Does all that is to be done now.
    pub(super) fn plan(&mut self) {
        if self.sweep_wanted {
            self.sweep();
        }
        if self.phase != Phase::Active {
            return;
        }
        let split = self.split();
        self.hedge();
        self.dial_added(&split);
        self.dial_probes(&split);
        for kind in AUTOMATIC {
            self.dial_automatic(kind, &split);
        }
        self.dial_addr_fetches(&split);
    }

    /// Dials without an answer for `hedge_after` give their slots back, the oldest first, while there is room beside them.
    fn hedge(&mut self) {
        for kind in AUTOMATIC {
            while let Some(id) = self.table.first_overdue(kind) {
                if self.table.silent(kind) >= self.max_hedged(kind) {
                    break;
                }
                self.table.hedge(id, self.now());
            }
        }
    }

    /// Whether one more connection of this kind fits: into its share and into the total.
    pub(super) fn has_slot(&self, kind: Kind, split: &Split) -> bool {
        let lookups = self.peers.lookups();
        let held = self.table.slots_held(kind) + if kind == Kind::Added { lookups } else { 0 };
        held < split.of(kind) && self.table.len() + lookups < self.limits.total
    }

    fn dial_added(&mut self, split: &Split) {
        while let Some(peer) = self.peers.first_queued() {
            if !self.has_slot(Kind::Added, split) {
                return;
            }
            if !self.has_room() {
                return self.plan_at(self.now());
            }
            self.dial_peer(peer);
        }
    }

    /// Begins an attempt at an added peer, or notes what forbids it.
    fn dial_peer(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(id) else { return };
        let address = peer.address.clone();
        if let Some(obstacle) = self.rules().obstacle(&address) {
            return self.meet_obstacle(id, &address, obstacle);
        }
        match (address.name(), self.rules().proxy(&address)) {
            (Some(name), None) => self.resolve_peer(id, name.clone()),
            (Some(_) | None, _) => {
                self.dial_for_peer(id, address);
            }
        }
    }

    /// Dials an address for an added peer.
    pub(super) fn dial_for_peer(&mut self, id: PeerId, address: PeerAddress) {
        let Some(peer) = self.peers.get_mut(id) else { return };
        if let (Some(turns), Some(ip)) = (&mut peer.turns, address.host().ip()) {
            turns.take(ip);
        }
        let transport = if peer.v1_only { Transport::V1 } else { self.config.transport };
        let plan = Plan { kind: Kind::Added, address, peer: Some(id), transport, same_route: None };
        self.dial(plan);
    }

    fn meet_obstacle(&mut self, id: PeerId, address: &PeerAddress, obstacle: Obstacle) {
        if obstacle == Obstacle::AddressInUse && self.try_adopt(id, address) {
            return;
        }
        let ban_ends = self.bans.until(address.host(), self.now());
        if obstacle == Obstacle::Banned {
            self.arm_peer(id, ban_ends.unwrap_or(Time::MAX));
        }
        if let Some(peer) = self.peers.get_mut(id) {
            peer.state = PeerState::Blocked(obstacle);
        }
    }

    /// An automatic connection with the peer's address becomes the peer's. A dial does when it succeeds; until then
    /// the peer waits.
    fn try_adopt(&mut self, id: PeerId, address: &PeerAddress) -> bool {
        let Some(conn) = self.table.dialed(address).and_then(|conn| self.table.get(conn)) else { return false };
        if conn.kind() != Kind::Full || !conn.is_open() {
            return false;
        }
        self.adopt(conn.id(), id);
        true
    }

    /// A connection belongs to an added peer from now on.
    pub(super) fn adopt(&mut self, conn: ConnId, id: PeerId) {
        self.table.adopt(conn, id);
        if let Some(peer) = self.peers.get_mut(id) {
            peer.state = PeerState::Connected(conn);
        }
        self.tell(Event::Adopted { conn, peer: id });
    }

    fn resolve_peer(&mut self, id: PeerId, host: HostName) {
        let lookup = self.begin_lookup();
        self.peers.begin_lookup(id, lookup);
        let deadline = self.now().after(self.config.dial.lookup_timeout);
        self.act(Action::ResolveHost { lookup, host, route: Route::Direct, deadline });
    }

    /// A new lookup with its deadline.
    pub(super) fn begin_lookup(&mut self) -> LookupId {
        let lookup = self.next_lookup.take();
        let at = self.at_least_a_tick(self.now().after(self.config.dial.lookup_timeout));
        let timer = self.timers.insert(at, Timer::Lookup(lookup));
        self.single.lookups.push_back((lookup, timer));
        self.stats.lookups += 1;
        lookup
    }

    /// A peer's name was looked up: try its addresses one after the other. Looks at `book.max_per_call` of them.
    pub(super) fn use_peer_lookup(&mut self, id: PeerId, result: Result<&[IpAddr], LookupError>) {
        match result {
            Ok(ips) => {
                self.note_candidates(id, ips);
                if !self.dial_next_candidate(id, true) {
                    self.fail_lookup(id, LookupError::NotFound);
                }
            }
            Err(error) => self.fail_lookup(id, error),
        }
    }

    /// Those that this attempt tries: each address once, an IPv4 one and its mapped form being the same; where there are
    /// more than [`MAX_CANDIDATES`], those that the attempts before have not come to.
    fn note_candidates(&mut self, id: PeerId, ips: &[IpAddr]) {
        let most = usize::try_from(self.config.book.max_per_call).unwrap_or(usize::MAX);
        let mut seen = BTreeSet::new();
        let each = ips.iter().take(most).map(IpAddr::to_canonical).filter(|ip| seen.insert(*ip));
        let answer: Vec<IpAddr> = each.collect();
        let Some(peer) = self.peers.get_mut(id) else { return };
        let (port, turns) = (peer.address.port(), peer.turns.get_or_insert_default());
        let mut candidates = turns.order(&answer);
        candidates.retain(|ip| self.may_be_candidate(*ip, port));
        candidates.truncate(MAX_CANDIDATES);
        candidates.reverse();
        if let Some(peer) = self.peers.get_mut(id) {
            peer.candidates = candidates;
        }
    }

    /// Whether an outage is all that may forbid to dial this address of a name.
    fn may_be_candidate(&self, ip: IpAddr, port: u16) -> bool {
        let obstacle = self.rules().obstacle(&PeerAddress::new(Host::from(ip), port));
        matches!(obstacle, None | Some(Obstacle::NetworkDown))
    }

    fn fail_lookup(&mut self, id: PeerId, error: LookupError) {
        self.tell(Event::LookupFailed { peer: id, error });
        // Only that there is no such name is an answer.
        self.attempt_failed(id, error != LookupError::NotFound, None);
    }

    /// Dials the next address of a peer's name that may be dialed. If an outage alone forbids those that are left,
    /// and it is worth waiting for, they are left to the probes. Where the limits have fallen meanwhile, the peer waits
    /// for a slot, and its name is resolved again then. Returns whether the attempt goes on.
    pub(super) fn dial_next_candidate(&mut self, id: PeerId, may_wait: bool) -> bool {
        let Some(peer) = self.peers.get_mut(id) else { return false };
        let port = peer.address.port();
        let mut left = core::mem::take(&mut peer.candidates);
        left.retain(|ip| self.may_be_candidate(*ip, port));
        if !left.is_empty() && !self.has_slot(Kind::Added, &self.split()) {
            self.peers.enqueue(id);
            return true;
        }
        let obstacle = |ip: &IpAddr| self.rules().obstacle(&PeerAddress::new(Host::from(*ip), port));
        let next = left.iter().rposition(|ip| obstacle(ip).is_none());
        let ip = next.map(|at| left.remove(at));
        if ip.is_none() && (left.is_empty() || !may_wait) {
            return false;
        }
        if let Some(peer) = self.peers.get_mut(id) {
            peer.candidates = left;
            peer.state = PeerState::Blocked(Obstacle::NetworkDown);
        }
        if let Some(ip) = ip {
            self.dial_for_peer(id, PeerAddress::new(Host::from(ip), port));
        }
        true
    }

    fn dial_automatic(&mut self, kind: Kind, split: &Split) {
        if self.config.mode == Mode::ConnectOnly {
            return;
        }
        while self.has_slot(kind, split) {
            if let Some(starved) = self.starved[kind.index()].filter(|starved| starved.until > self.now()) {
                // Said anew each time: the planner's one timer may have fired for another reason meanwhile.
                return self.plan_at(starved.until);
            }
            if !self.has_room() {
                return self.plan_at(self.now());
            }
            let now = self.now();
            let ready_at = self.dial_bucket.ready_at(&self.config.dial.rate, now);
            if ready_at > now {
                return self.plan_at(ready_at);
            }
            let Some(address) = self.choose(kind, self.networks_up(), |rules, address| rules.obstacle(address)) else {
                return self.starve(kind);
            };
            self.dial_bucket.take(&self.config.dial.rate, now);
            self.starved[kind.index()] = None;
            self.dial_from_book(kind, address);
        }
    }

    /// Dials an address that was chosen from the book.
    pub(super) fn dial_from_book(&mut self, kind: Kind, address: PeerAddress) {
        let transport = if self.book.is_v1_only(&address) { Transport::V1 } else { self.config.transport };
        self.dial(Plan { kind, address, peer: None, transport, same_route: None });
    }

    /// Chooses whom to dial, in these networks, where no obstacle of this sort is met.
    pub(super) fn choose(
        &mut self,
        kind: Kind,
        networks: NetworkSet,
        obstacle: impl Fn(&Rules<'_>, &PeerAddress) -> Option<Obstacle>,
    ) -> Option<PeerAddress> {
        let choice = Choice {
            networks,
            services: self.config.required.of(kind),
            default_port: self.config.default_port,
            spacing: self.config.dial.spacing,
            min_spacing: self.config.dial.min_spacing,
        };
        let now = self.clocks.now();
        let rules = Rules {
            config: &self.config,
            table: &self.table,
            bans: &self.bans,
            own: &self.own,
            health: &self.health,
            now,
        };
        let allowed = |address: &PeerAddress| obstacle(&rules, address).is_none() && rules.group_is_free(kind, address);
        self.book.pick(&mut self.rng, &choice, now, allowed)
    }

    /// The enabled networks that are not suspected down.
    fn networks_up(&self) -> NetworkSet {
        self.config.networks.iter().filter(|network| !self.health[network.index()].is_down()).collect()
    }

    /// Nobody is left to dial: wait, and ask the application and the seeds for more.
    fn starve(&mut self, kind: Kind) {
        let (since, times) =
            self.starved[kind.index()].map_or((self.now(), 0), |starved| (starved.since, starved.times));
        let wait = STARVED_WAIT.saturating_mul(1 << times.min(16));
        let is_all_down = self.networks_up().is_empty();
        // Those we know come to the end of their rest at any time; where there are none, news wakes us.
        let may_find_some = !self.book.is_empty() && !is_all_down;
        let longest = if may_find_some { LOOK_AGAIN_AFTER } else { ASK_AGAIN_AFTER };
        let until = self.now().after(wait.min(longest));
        self.starved[kind.index()] = Some(Starved { since, until, times: times.saturating_add(1) });
        self.plan_at(until);
        if self.ask_again_at <= self.now() && (self.book.is_empty() || !is_all_down) {
            self.ask_again_at = self.now().after(wait.min(ASK_AGAIN_AFTER));
            self.ask_for_addresses();
        }
    }

    fn ask_for_addresses(&mut self) {
        let mut enabled = self.config.networks.iter();
        let only = enabled.next().filter(|_| enabled.next().is_none());
        self.tell(Event::AddressesWanted { network: only });
        self.seed_again();
    }

    /// Something has changed that may give a starved kind somebody to dial.
    pub(super) fn feed(&mut self) {
        let now = self.now();
        self.starved.iter_mut().flatten().for_each(|starved| starved.until = now);
    }

    fn dial_addr_fetches(&mut self, split: &Split) {
        while self.has_slot(Kind::AddrFetch, split) {
            if !self.has_room() {
                return self.plan_at(self.now());
            }
            let Some(seed) = self.seeds.next_fetch() else { return };
            let address = self.fetch_address(seed);
            if self.rules().obstacle(&address).is_some() {
                self.end_fetch(&address, false);
                continue;
            }
            let transport = self.config.transport;
            self.dial(Plan { kind: Kind::AddrFetch, address, peer: None, transport, same_route: None });
        }
    }

    /// Dials. Slot, address and group are taken in the same step.
    pub(super) fn dial(&mut self, plan: Plan) {
        let Plan { kind, address, peer, transport, same_route } = plan;
        let id = self.next_conn.take();
        let now = self.now();
        let via = same_route.unwrap_or_else(|| self.route(&address));
        let patience = self.patience(via.is_some());
        let deadline = self.at_least_a_tick(now.after(patience.timeout));
        let group = self.rules().group(kind, &address);
        let end = End::Outbound { address: address.clone(), via, group, deadline };
        let notes = Notes::new(self.rng.next_u64());
        self.table.insert(Conn::dial(id, kind, end, peer, transport, notes, now));
        let first_step = if self.may_hedge(kind) { deadline.min(now.after(patience.hedge_after)) } else { deadline };
        self.arm_conn(id, first_step);
        if let Some(peer) = peer.and_then(|peer| self.peers.get_mut(peer)) {
            peer.state = PeerState::Dialing(id);
        }
        self.book.record_try(&address, now);
        self.stats.dials += 1;
        if let Some(action) = self.table.get(id).and_then(Conn::dial_action) {
            self.act(action);
        }
    }

    fn route(&mut self, address: &PeerAddress) -> Option<(core::net::SocketAddr, Isolation)> {
        let proxy = self.rules().proxy(address);
        via(proxy, self.isolation(proxy.is_some_and(|proxy| proxy.isolate)))
    }

    /// A circuit of its own, or any.
    pub(super) fn isolation(&mut self, isolate: bool) -> Isolation {
        if isolate { Isolation::Token(IsolationToken::from_u64(self.rng.next_u64())) } else { Isolation::Shared }
    }

    pub(super) fn patience(&self, proxied: bool) -> Patience {
        if proxied { self.config.dial.proxied } else { self.config.dial.direct }
    }

    /// Whether a silent dial of this kind may leave its slot to another.
    pub(super) fn may_hedge(&self, kind: Kind) -> bool {
        AUTOMATIC.contains(&kind) && self.max_hedged(kind) > 0
    }

    /// How many silent dials of this kind may stay open.
    pub(super) fn max_hedged(&self, kind: Kind) -> u32 {
        self.config.dial.max_hedged.unwrap_or_else(|| self.split().of(kind))
    }

    /// Sets the one timer of a connection.
    pub(super) fn arm_conn(&mut self, id: ConnId, at: Time) {
        let at = self.at_least_a_tick(at);
        let Some(notes) = self.table.notes(id) else { return };
        match notes.timer {
            Some(timer) => self.timers.reset(timer, at),
            None => notes.timer = Some(self.timers.insert(at, Timer::Conn(id))),
        }
    }

    /// Sets the one timer of an added peer.
    pub(super) fn arm_peer(&mut self, id: PeerId, at: Time) {
        let at = self.at_least_a_tick(at);
        let Some(peer) = self.peers.get_mut(id) else { return };
        match peer.timer {
            Some(timer) => self.timers.reset(timer, at),
            None => peer.timer = Some(self.timers.insert(at, Timer::Peer(id))),
        }
    }

    /// An added peer waits for nothing any more.
    pub(super) fn disarm_peer(&mut self, id: PeerId) {
        if let Some(timer) = self.peers.get_mut(id).and_then(|peer| peer.timer.take()) {
            self.timers.cancel(timer);
        }
    }
}

/// How many addresses of one name are tried in one attempt. The next attempt goes on behind them; a peer that is added for
/// one attempt has these.
const MAX_CANDIDATES: usize = 16;
