//! The state machine.
//!
//! Facts record, the planner decides, the driver acts. This file holds the state and the basics of the run loop. Inputs
//! arrive in [`facts`] and [`commands`], [`rules`] says which addresses may be dialed, and [`plan`] emits every dial.

mod added;
mod apply;
mod birth;
mod clocks;
mod commands;
mod deadlines;
mod doubt;
mod ending;
mod explain;
mod explanation;
mod facts;
mod fingerprint;
mod getaddr;
mod held_back;
mod identity;
mod inbound;
mod invariants;
mod learning;
mod lookups;
mod misbehavior;
mod networks;
mod pacing;
mod plan;
mod queries;
mod refusals;
mod release;
mod rules;
mod saving;
mod seeding;
mod slots;
mod snapshot;
mod sweep;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::time::Duration;

use hashbrown::HashMap;

use crate::book::Book;
use crate::config::{Config, Split};
use crate::conn::Origin;
use crate::mechanisms::aliases::Aliases;
use crate::mechanisms::bans::Bans;
use crate::mechanisms::groups::Groups;
use crate::mechanisms::hasher::Folding;
use crate::mechanisms::health::Health;
use crate::mechanisms::limiter::{Bucket, Limiter};
use crate::mechanisms::own::OwnAddresses;
use crate::mechanisms::pace::Pace;
use crate::mechanisms::rng::Rng;
use crate::mechanisms::score::Scores;
use crate::mechanisms::seeds::Seeds;
use crate::mechanisms::shortage::Shortage;
use crate::mechanisms::timers::{TimerId, Timers};
use crate::mechanisms::trial::Trial;
use crate::peers::Peers;
use crate::table::Table;
use crate::types::{
    Action, ConfigError, ConnId, Event, Kind, Limits, ListenerId, LookupId, NetworkKind, PeerId, RefusalCounts, Time,
    UnixTime,
};
pub(crate) use crate::types::{BanView, ConnState, ConnView, Obstacle, PeerState, PeerView, Stats};
pub use birth::Birth;
pub use explanation::Explanation;

use clocks::Clocks;
use doubt::Doubt;
use ending::Ended;
use getaddr::Answers;
use plan::Redial;
use saving::BookSaves;
use snapshot::RestoredBans;

/// The version of this crate's behavior, written into every trace. A release raises it when the same birth and inputs
/// cause other actions than before. A trace of another version cannot be replayed.
pub const TRACE_VERSION: u32 = 2;

/// The shortest time from setting a deadline to its end, so that no caller can spin.
const TICK: Duration = Duration::from_millis(1);

/// A change of the machine's network takes effect at most once in this time.
const START_OVER_EVERY: Duration = Duration::from_secs(60);

/// The most actions that one cause (a timer, a dial, a close) may emit. A step stops before its limit could be passed,
/// and goes on one tick later.
const ACTIONS_OF_ONE_CAUSE: u32 = 8;

/// What the manager does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// Works.
    Active,
    /// Inactive: makes no dials and admits no connections.
    Inactive,
    /// Shuts down: closes its connections.
    Stopping,
    /// Every connection is closed and `Event::Stopped` was emitted.
    Stopped,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Timer {
    /// The next step of a connection: its slot may go to another dial, its deadline passes, its visit ends, or it is
    /// stable.
    Conn(ConnId),
    /// The next attempt at an added peer, or the end of the ban that blocks it.
    Peer(PeerId),
    /// A lookup has timed out.
    Lookup(LookupId),
    /// The planner has postponed work.
    Plan,
    /// The next probe of a network that is down.
    Probe(NetworkKind),
    /// The next time DNS seeds may be asked.
    Seeds,
    /// The next time fixed seeds may be used.
    FixedSeeds,
    /// The earliest end of a ban.
    Bans,
    /// The next address where we met ourselves is forgotten.
    OwnAddresses,
    /// Changed bans need saving.
    SaveBans,
    /// A changed book needs saving.
    SaveBook,
    /// Refused arrivals are told.
    Refusals,
    /// A change of the machine's network, reported too soon after the last, takes effect.
    StartOver,
}

/// The connection manager: a pure state machine. See the [crate's page](crate) for how it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnManager {
    config: Arc<Config>,
    groups: Groups,
    limits: Limits,
    /// How the total is shared, by the limits and the number of added peers.
    split: Split,
    phase: Phase,
    clocks: Clocks,
    /// While the wall clock may be wrong.
    doubt: Option<Doubt>,
    rng: Rng,
    sample_rng: Rng,
    keys: Folding,

    timers: Timers<Timer>,
    /// `poll_timeout` never returns an earlier time: one tick after the last `handle_timeout`.
    earliest: Time,
    single: SingleTimers,

    table: Table,
    peers: Peers,
    book: Book,
    bans: Bans,
    scores: Scores,
    seeds: Seeds,
    health: [Health; NetworkKind::ALL.len()],
    paces: [Pace; NetworkKind::ALL.len()],
    trials: [Trial; NetworkKind::ALL.len()],
    shortage: Shortage,
    dial_bucket: Bucket,
    inbound_rates: Limiter<Origin>,
    /// How many tokens of dropped handshakes are given back.
    inbound_returns: Limiter<Origin>,
    pauses: HashMap<ListenerId, u32, Folding>,
    /// Refused arrivals that were not told yet.
    refused: RefusalCounts,
    own: OwnAddresses,
    aliases: Aliases,
    answers: Answers,
    ended: Ended,

    /// Dials to repeat as v1, in order. At most one for each connection that we dialed.
    redials: VecDeque<Redial>,
    /// For each kind that found no address to dial: when it may look again.
    starved: [Option<Starved>; Kind::ALL.len()],
    /// Before this time, `AddressesWanted` is not emitted and seeds are not asked again.
    ask_again_at: Time,
    /// When a block-relay connection was last closed to make room for a full one.
    made_room: Option<Time>,
    /// Before this time, no dial into an unproven network loses its slot to a proven network.
    take_slots_again_at: Time,
    /// When a change of the machine's network last took effect.
    started_over: Option<Time>,
    /// A change of the network was reported that has not taken effect yet.
    has_moved: bool,
    /// Attempts at added peers that failed since an added peer was last ready.
    fruitless_attempts: u32,
    /// When an added peer that got ready last had the waiting ones dialed soon.
    released_at: Option<Time>,
    /// The added peer probed last in each network: they take turns.
    last_probed: [PeerId; NetworkKind::ALL.len()],
    /// Limits, bans or the phase have changed: some connections may have to close.
    sweep_wanted: bool,
    book_saves: BookSaves,
    restored_bans: RestoredBans,

    next_conn: ConnId,
    next_peer: PeerId,
    next_lookup: LookupId,
    actions: VecDeque<Action>,
    /// Actions emitted by the current input.
    emitted: u32,
    stats: Stats,
}

/// The timers that belong to no connection and no added peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SingleTimers {
    plan: Option<TimerId>,
    seeds: Option<TimerId>,
    fixed_seeds: Option<TimerId>,
    bans: Option<TimerId>,
    own_addresses: Option<TimerId>,
    save_bans: Option<TimerId>,
    save_book: Option<TimerId>,
    start_over: Option<TimerId>,
    refusals: Option<TimerId>,
    probes: [Option<TimerId>; NetworkKind::ALL.len()],
    /// Sorted by id.
    lookups: VecDeque<(LookupId, Option<TimerId>)>,
}

/// A kind that found no address to dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Starved {
    since: Time,
    until: Time,
    /// How many times in a row it found none.
    times: u32,
}

impl ConnManager {
    /// A manager, born at `birth.now`. It emits nothing before its first input; its first deadline is `birth.now`.
    ///
    /// # Errors
    /// [`ConfigError`] names the first field of the configuration that is out of range.
    pub fn new(birth: Birth) -> Result<Self, ConfigError> {
        let Birth { config, snapshot, rng_seed, now, unix } = birth;
        config.check()?;
        let mut rng = Rng::new(rng_seed, 0);
        let book_keys = (rng.next_u64(), rng.next_u64());
        let keys = Folding::new(rng.next_u64(), rng.next_u64());
        let own_addresses = config.own_addresses.iter().cloned().map(|address| address.settled(config.networks));
        let own = OwnAddresses::new(own_addresses);
        let mut manager = Self {
            groups: Groups::new(&config),
            limits: config.limits,
            split: Split::new(&config.limits, config.mode, config.dial.max_hedged, 0),
            phase: Phase::Active,
            clocks: Clocks::new(unix, now),
            doubt: None,
            sample_rng: Rng::new(rng_seed, 1),
            timers: Timers::new(),
            earliest: now,
            single: SingleTimers::default(),
            table: Table::new(keys),
            peers: Peers::new(keys),
            book: Book::new(&config.book, [config.required.full, config.required.block_relay], book_keys),
            bans: Bans::new(config.max_bans, keys),
            scores: Scores::new(config.score.max_hosts, keys),
            seeds: Seeds::new(config.seeds.names.len()),
            health: core::array::from_fn(|_| Health::new(now)),
            paces: [const { Pace::new() }; NetworkKind::ALL.len()],
            trials: [const { Trial::new() }; NetworkKind::ALL.len()],
            shortage: Shortage::default(),
            dial_bucket: Bucket::default(),
            inbound_rates: Limiter::new(inbound::MAX_RATES, keys),
            inbound_returns: Limiter::new(inbound::MAX_RATES, keys),
            pauses: HashMap::with_hasher(keys),
            refused: RefusalCounts::default(),
            own,
            aliases: Aliases::new(keys),
            answers: Answers::default(),
            ended: Ended::new(),
            redials: VecDeque::new(),
            starved: [None; Kind::ALL.len()],
            ask_again_at: now,
            made_room: None,
            take_slots_again_at: now,
            started_over: None,
            has_moved: false,
            fruitless_attempts: 0,
            released_at: None,
            last_probed: [PeerId::from_u64(0); NetworkKind::ALL.len()],
            sweep_wanted: false,
            book_saves: BookSaves::default(),
            restored_bans: RestoredBans::new(now),
            next_conn: ConnId::FIRST,
            next_peer: PeerId::FIRST,
            next_lookup: LookupId::FIRST,
            actions: VecDeque::new(),
            emitted: 0,
            stats: Stats::default(),
            config: Arc::new(config),
            rng,
            keys,
        };
        manager.arm_at(Timer::Plan, now);
        manager.restore(snapshot.unwrap_or_default());
        manager.begin_seeding();
        Ok(manager)
    }

    /// The next action to carry out. Call until it returns `None`: after every input, or after several.
    #[must_use = "an action that is not carried out is lost"]
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due. `None`: not before another input. A deadline at
    /// [`Time::MAX`] never comes.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.phase {
            Phase::Stopped => None,
            Phase::Active | Phase::Inactive | Phase::Stopping => {
                self.timers.peek().map(|at| at.max(self.earliest)).filter(|at| *at < Time::MAX)
            }
        }
    }

    /// Begins an input.
    fn begin(&mut self, now: Time) {
        self.clocks.advance(now);
        self.emitted = 0;
        self.trust_clock_in_time();
    }

    fn now(&self) -> Time {
        self.clocks.now()
    }

    fn unix(&self) -> UnixTime {
        self.clocks.unix()
    }

    /// Queues an action.
    fn act(&mut self, action: Action) {
        self.emitted += 1;
        self.actions.push_back(action);
    }

    fn tell(&mut self, event: Event) {
        self.act(Action::Emit(event));
    }

    /// Whether this input may emit the actions of one more cause.
    fn has_room(&self) -> bool {
        self.emitted.saturating_add(ACTIONS_OF_ONE_CAUSE) <= self.config.max_actions_per_input
    }

    /// `at`, but no sooner than one tick from now.
    fn at_least_a_tick(&self, at: Time) -> Time {
        at.max(self.now().after(TICK))
    }

    /// How the total is shared among the kinds at present.
    const fn split(&self) -> Split {
        self.split
    }

    /// The limits or the number of added peers have changed.
    fn share_anew(&mut self) {
        self.split = self.split_now();
    }

    fn split_now(&self) -> Split {
        Split::new(&self.limits, self.config.mode, self.config.dial.max_hedged, self.peers.len())
    }

    /// Counts an input that had no effect.
    fn ignore(&mut self) {
        self.stats.ignored_facts += 1;
    }
}
