//! The addresses that the manager must dial now. Chance decides among them.

use std::time::Duration;

use connmgr_core::{Action, CloseReason, ConnId, Event, Kind, Mode, NetworkKind, PeerAddress, Time};

use super::book::network;
use super::lists::AUTOMATIC;
use super::pace::{RPace, SLOWEST};
use super::see::target;
use super::slots::Room;
use super::{Model, RConn, Stage, Step};

const SECOND: Duration = Duration::from_secs(1);
/// With no other address left, a rest ends after so long.
const LONGEST_REST_WHERE_SCARCE: Duration = Duration::from_secs(60);
/// The interval at which the application is asked for addresses while none is left.
const ASKS_AGAIN: Duration = Duration::from_secs(32);
/// The interval at which known addresses are searched again.
const LOOKS_AGAIN: Duration = SLOWEST;

/// Fewer known addresses for each slot are few.
const FEW_FOR_EACH_SLOT: usize = 8;
/// After so long no address counts as left.
const FAMISHED: Duration = Duration::from_secs(10);
/// A block-relay connection makes room at most once in so long.
const MAKES_ROOM: Duration = Duration::from_secs(600);

/// A kind with a free slot found no address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Starved {
    since: Time,
    until: Time,
    times: u32,
}

/// The next dial.
enum Next {
    /// One of these.
    OneOf(Vec<PeerAddress>),
    Later(Time),
    Nobody,
}

/// The actions of a plan that the model has not checked yet.
type Left<'a> = std::slice::Iter<'a, Action>;

impl Model {
    /// Checks the plan: added peers first, then the automatic kinds.
    pub(super) fn plan(&mut self, planned: &[Action], step: &Step<'_>) {
        if !self.active || !step.plans() {
            return self.hold(planned.is_empty(), "something is planned at rest, or by an input that did nothing");
        }
        let is_automatic = |action: &Action| step.is_automatic(action) || self.is_room_for_full(action);
        let automatic = planned.iter().position(is_automatic).unwrap_or(planned.len());
        let (added, automatic) = planned.split_at(automatic);
        added.iter().for_each(|action| self.see(action, step));
        self.wanted_peers_are_dialed(step);
        self.hedge();
        self.long_lives_are_noticed();
        let mut left = automatic.iter();
        let hedges = self.without_slot(Kind::Full) > 0;
        for kind in if hedges { [Kind::BlockRelay, Kind::Full] } else { AUTOMATIC } {
            if self.config.mode == Mode::Automatic && !self.comes_after_full(kind) {
                self.fill(kind, &mut left, step);
            }
        }
        let more = left.next();
        self.hold(more.is_none(), &format!("more is done than is to be done: {more:?}"));
    }

    /// A full connection comes before a block-relay one that could have the same addresses, unless it would be a hedge.
    /// Where few addresses are known, a block-relay one waits for a full one to be ready, as long as those under way
    /// make progress.
    fn comes_after_full(&self, kind: Kind) -> bool {
        let full: Vec<&RConn> = self.conns.iter().filter(|conn| conn.kind == Kind::Full).collect();
        let promises = |conn: &&RConn| matches!(conn.stage, Stage::Dialing | Stage::Handshaking) && !conn.is_overdue;
        let slots = self.share(Kind::Full) + self.share(Kind::BlockRelay);
        let are_few = self.book.len() < FEW_FOR_EACH_SLOT * slots as usize;
        let hedges = self.max_without_slot(Kind::Full) > 0;
        let waits = are_few && hedges && !full.is_empty() && full.iter().all(promises);
        let starves = self.starved[place(Kind::Full)].is_some();
        let has_nobody = starves && self.has_room(Kind::Full) && self.without_slot(Kind::Full) == 0;
        kind == Kind::BlockRelay && (has_nobody || waits) && self.full_may_have_its_peers()
    }

    fn full_may_have_its_peers(&self) -> bool {
        self.config.required.block_relay.has(self.config.required.full)
    }

    /// A block-relay connection makes room, because there is no full one and no address left for one.
    fn makes_room_for_full(&self, kind: Kind, starved_for: Duration) -> Option<ConnId> {
        let was_lately = self.made_room.is_some_and(|at| !self.is_long_ago(at, MAKES_ROOM));
        let is_famished =
            kind == Kind::Full && starved_for >= FAMISHED && self.full_may_have_its_peers() && !was_lately;
        let is_alone = !self.conns.iter().any(|conn| conn.kind == Kind::Full);
        let ready = |conn: &&RConn| conn.kind == Kind::BlockRelay && conn.stage == Stage::Ready;
        self.conns.iter().find(ready).filter(|_| is_famished && is_alone).map(|conn| conn.id)
    }

    /// Whether a connection makes room for no added peer.
    fn is_room_for_full(&self, action: &Action) -> bool {
        let Action::Close { conn, reason: CloseReason::MadeRoom } = action else { return false };
        let address = self.conn(*conn).and_then(RConn::dialed);
        !self.peers.iter().any(|peer| peer.is_wanted() && Some(&peer.address) == address)
    }

    /// A kind is filled while it has room and an address, and may dial.
    fn fill(&mut self, kind: Kind, left: &mut Left<'_>, step: &Step<'_>) {
        while let Some(room) = self.room(kind) {
            let looks = self.starved[place(kind)].map(|starved| starved.until);
            if let Some(wait) = looks.filter(|until| *until > self.now).or(self.short_until()) {
                return self.wakes_by(wait, "nobody looks again for somebody to dial", step);
            }
            let token_at = self.dial_credit.next_token(&self.config.dial.rate, self.now);
            if token_at > self.now {
                return self.wakes_by(token_at, "nobody waits for the next automatic dial", step);
            }
            if let Some(addresses) = self.has_trial(kind).filter(|ripe| !ripe.is_empty()) {
                self.starved[place(kind)] = None;
                self.tries_network = true;
                self.must_dial(kind, &addresses, left, step);
                self.tries_network = false;
                continue;
            }
            let hint = network_dialed(left);
            match (self.next(kind, room != Room::Free, hint), room) {
                (Next::OneOf(addresses), room) => {
                    if let Room::Of(other) = room {
                        self.give_slot(other);
                    }
                    self.starved[place(kind)] = None;
                    self.must_dial(kind, &addresses, left, step);
                }
                (Next::Later(_) | Next::Nobody, Room::Of(_)) => return self.push_again_at = self.now.after(SECOND),
                (Next::Later(at), Room::Free) => {
                    if self.paces.iter().any(RPace::is_slow) {
                        self.must_ask(ASKS_AGAIN, left);
                    }
                    return self.wakes_by(at, "nobody waits for the pace", step);
                }
                (Next::Nobody, Room::Free) => {
                    self.starves(kind, left, step);
                    return self.dials_one_that_rests(kind, left, step);
                }
            }
        }
    }

    /// Where the last slot of a kind is free, and all others are held by stable connections, a network without
    /// connections has a trial: with one of these addresses.
    fn has_trial(&mut self, kind: Kind) -> Option<Vec<PeerAddress>> {
        let held: Vec<&RConn> = self.conns.iter().filter(|conn| conn.kind == kind && conn.stage.has_slot()).collect();
        let is_stable =
            |conn: &&RConn| conn.stage == Stage::Ready && self.is_long_ago(conn.since, self.config.stable_after);
        let rests = held.len() >= 2 && held.len() + 1 == self.share(kind) as usize && held.iter().all(is_stable);
        let is_left_out = |pace: &&RPace| {
            let is_known = self.book.iter().any(|entry| network(&entry.address) == pace.network);
            pace.is_trial_due(self.now) && is_known && self.count(|conn| is_in(conn, pace.network)) == 0
        };
        let left_out = self.paces.iter().filter(is_left_out).min_by_key(|pace| pace.last_number());
        let network = left_out.filter(|_| rests)?.network;
        let now = self.now;
        let ripe = self.ripe(kind, network, self.config.dial.spacing);
        if !ripe.is_empty() {
            self.paces.iter_mut().filter(|pace| pace.network == network).for_each(|pace| pace.trial_begins(now));
        }
        Some(ripe)
    }

    /// The next action must be a dial of one of these.
    fn must_dial(&mut self, kind: Kind, addresses: &[PeerAddress], left: &mut Left<'_>, step: &Step<'_>) {
        let Some(Action::Dial { conn, target: whom, .. }) = left.as_slice().first() else {
            return self.hold(false, &format!("no {kind:?} dial, and there is room and any of {addresses:?}"));
        };
        let address = target(whom);
        let is_right = step.kind(*conn) == Some(kind) && addresses.contains(&address);
        self.hold(is_right, &format!("not a {kind:?} dial to any of {addresses:?}"));
        if let Some(action) = left.next() {
            self.see(action, step);
        }
        let (rate, now) = (self.config.dial.rate, self.now);
        let in_time = self.dial_credit.take(&rate, now);
        self.hold(in_time, "automatic dials follow one another too fast");
        let id = *conn;
        self.pace_of(&address).dials(id, now);
    }

    /// The next dial is in the network whose turn it is, or, if that has no address, in the one after it. Where the
    /// turn is random, the network of `hint` is taken.
    fn next(&self, kind: Kind, only_proven: bool, hint: Option<NetworkKind>) -> Next {
        let (mut turns, some_wait) = self.networks_in_turn(only_proven);
        if !self.takes_slots_back(kind) {
            turns = vec![turns.concat()];
        }
        turns.iter_mut().for_each(|rank| rank.sort_by_key(|network| Some(*network) != hint));
        let mut later = some_wait.then(|| self.now.after(SLOWEST));
        for network in turns.concat() {
            let at = self.pace(network).next_at();
            if at > self.now {
                later = Some(later.map_or(at, |other| other.min(at)));
                continue;
            }
            let addresses = self.ripe(kind, network, self.config.dial.spacing);
            if !addresses.is_empty() {
                return Next::OneOf(addresses);
            }
        }
        later.map_or(Next::Nobody, Next::Later)
    }

    /// Whether half of a kind's slots can be taken back from dials without progress. If not, turns are random, because
    /// a turn may take a slot for long.
    fn takes_slots_back(&self, kind: Kind) -> bool {
        let outbound: u32 = [Kind::Added, Kind::Full, Kind::BlockRelay].map(|kind| self.share(kind)).iter().sum();
        let without = self.max_without_slot(kind).min(self.limits.total - outbound);
        2 * without >= self.share(kind)
    }

    /// The networks of known addresses in the order of their turns, equal ones together, and whether another waits
    /// because it has its share under way.
    fn networks_in_turn(&self, only_proven: bool) -> (Vec<Vec<NetworkKind>>, bool) {
        let (mut turns, mut some_wait) = (Vec::<Vec<NetworkKind>>::new(), false);
        for claimant in [NetworkKind::Ipv4, NetworkKind::Ipv6] {
            let is_proven = self.is_proven(claimant);
            let is_known = self.book.iter().any(|entry| network(&entry.address) == claimant);
            let answers = |pace: &&RPace| {
                let is_known = self.book.iter().any(|entry| network(&entry.address) == pace.network);
                let is_as_good = pace.yields() * 16 >= self.pace(claimant).yields();
                pace.network != claimant && pace.has_answered && is_known && is_as_good
            };
            let others = self.paces.iter().find(answers).is_some();
            if !is_known || (only_proven && !is_proven) {
                continue;
            }
            if !is_proven && others && self.has_its_share(claimant) {
                some_wait = true;
                continue;
            }
            match turns.first().map(|other| self.turn(claimant).cmp(&self.turn(other[0]))) {
                Some(std::cmp::Ordering::Less) => turns.insert(0, vec![claimant]),
                Some(std::cmp::Ordering::Equal) => turns[0].push(claimant),
                Some(std::cmp::Ordering::Greater) | None => turns.push(vec![claimant]),
            }
        }
        (turns, some_wait)
    }

    /// The order of turns: least under way for its yield, where what makes no progress counts three times; then the
    /// network with results; then the one dialed longest ago. The product of all other yields is the common
    /// denominator.
    fn turn(&self, network: NetworkKind) -> (u64, bool, u64) {
        let others = self.paces.iter().filter(|pace| pace.network != network);
        let load = (self.under_way(network) + 2 * self.stuck(network) + 1) * others.map(RPace::yields).product::<u64>();
        (load, !self.is_proven(network), self.pace(network).last_number())
    }

    fn under_way(&self, network: NetworkKind) -> u64 {
        self.count(|conn| is_in(conn, network) && conn.stage != Stage::Ready).into()
    }

    /// Dials and handshakes without progress.
    fn stuck(&self, network: NetworkKind) -> u64 {
        self.count(|conn| is_in(conn, network) && (conn.is_overdue || !conn.stage.has_slot())).into()
    }

    /// A network without results has at most three quarters of what may go without a slot under way, where another
    /// network answers and its yield is not much less.
    fn has_its_share(&self, network: NetworkKind) -> bool {
        let all: u32 = AUTOMATIC.iter().map(|kind| self.max_without_slot(*kind).max(self.share(*kind))).sum();
        self.under_way(network) >= u64::from((all / 4 * 3).max(1))
    }

    /// No address is left: the kind looks again later, and the application is asked.
    fn starves(&mut self, kind: Kind, left: &mut Left<'_>, step: &Step<'_>) {
        let (since, times) = self.starved[place(kind)].map_or((self.now, 0), |starved| (starved.since, starved.times));
        if let Some(other) = self.makes_room_for_full(kind, self.now.since(since)) {
            self.owed.closes.push((other, CloseReason::MadeRoom));
            self.made_room = Some(self.now);
            for told in left.by_ref().take(2) {
                self.see(told, step);
            }
            let is_gone = self.conn(other).is_none();
            self.hold(is_gone, "a block-relay connection keeps the only peer from a full one");
        }
        let wait = (0..times.min(6)).fold(SECOND, |wait, _| wait * 2);
        let until = self.now.after(wait.min(if self.book.is_empty() { ASKS_AGAIN } else { LOOKS_AGAIN }));
        self.starved[place(kind)] = Some(Starved { since, until, times: times + 1 });
        self.must_ask(wait.min(ASKS_AGAIN), left);
        self.wakes_by(until, "a kind starves for ever", step);
    }

    /// Asks for addresses, unless that was done lately.
    fn must_ask(&mut self, again_after: Duration, left: &mut Left<'_>) {
        if self.asked_until > self.now {
            return;
        }
        self.asked_until = self.now.after(again_after);
        let asks = matches!(left.next(), Some(Action::Emit(Event::AddressesWanted { network: None, .. })));
        self.hold(asks, "nobody is left to dial, and nobody is asked for more");
    }

    /// With no other address left a resting one is dialed, in the first network in turn that has one and may dial.
    fn dials_one_that_rests(&mut self, kind: Kind, left: &mut Left<'_>, step: &Step<'_>) {
        for mut rank in self.networks_in_turn(false).0 {
            rank.retain(|network| self.pace(*network).next_scarce_at() <= self.now);
            let ripe = |network: &NetworkKind| self.ripe(kind, *network, LONGEST_REST_WHERE_SCARCE);
            let ripe: Vec<PeerAddress> = rank.iter().flat_map(ripe).collect();
            if !ripe.is_empty() {
                return self.must_dial(kind, &ripe, left, step);
            }
        }
    }

    /// Something changed that may give a starved kind an address.
    pub(super) fn feed(&mut self) {
        let now = self.now;
        self.starved.iter_mut().flatten().for_each(|starved| starved.until = now);
    }
}

const fn place(kind: Kind) -> usize {
    match kind {
        Kind::BlockRelay => 1,
        Kind::Full | Kind::Feeler | Kind::AddrFetch | Kind::Added | Kind::Inbound => 0,
    }
}

/// Whether it is an automatic dial or connection in a network.
fn is_in(conn: &RConn, of: NetworkKind) -> bool {
    conn.is_automatic() && conn.dialed().is_some_and(|address| network(address) == of)
}

/// The network into which the next of these actions dials.
fn network_dialed(left: &Left<'_>) -> Option<NetworkKind> {
    match left.as_slice().first() {
        Some(Action::Dial { target: whom, .. }) => Some(network(&target(whom))),
        _ => None,
    }
}
