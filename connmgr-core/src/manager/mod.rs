//! The state machine.
//!
//! Facts record, the planner decides, the driver acts. This file holds the state and the run loop's bare bones: who
//! is told what is in [`facts`] and [`commands`], who may be dialed in [`rules`], the planner in [`dialing`].

mod apply;
mod automatic;
mod birth;
mod choosing;
mod clocks;
mod commands;
mod deadlines;
mod dialing;
mod ending;
mod facts;
mod fingerprint;
mod identity;
mod inbound;
mod invariants;
mod misbehavior;
mod pacing;
mod probing;
mod queries;
mod rules;
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
use crate::mechanisms::hasher::Keyed;
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
use crate::peers::AddedPeers;
use crate::table::Table;
use crate::types::{
    Action, ConfigError, ConnId, Event, Kind, Limits, ListenerId, LookupId, NetworkKind, PeerId, Time, UnixTime,
};
pub(crate) use crate::types::{BanView, ConnState, ConnView, Obstacle, PeerState, PeerView, Stats};
pub use birth::Birth;

use clocks::Clocks;
use ending::Ended;

/// The version of what this crate does: raised by every release in which the same birth and inputs cause other
/// actions. A trace of another version can't be replayed.
pub const TRACE_VERSION: u32 = 2;

/// No deadline is nearer than this to the time it is set at, so that nothing can spin.
const TICK: Duration = Duration::from_millis(1);

/// Changes of the machine's network have an effect once in so long.
const START_OVER_EVERY: Duration = Duration::from_secs(60);

/// The most actions that any single cause can emit at once. A step that could emit more stops and goes on a tick
/// later.
const ACTIONS_OF_ONE_CAUSE: u32 = 8;

/// Whether the manager works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    /// It does.
    Active,
    /// It was told not to: no dial, nobody let in.
    Inactive,
    /// It shuts down; connections are being closed.
    Stopping,
    /// Everything is closed and said.
    Stopped,
}

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Timer {
    /// The next step of a connection: to hedge its dial, to give it up, to end its handshake or its visit.
    Conn(ConnId),
    /// An added peer's retry, or the end of what blocks it.
    Peer(PeerId),
    /// A lookup takes too long.
    Lookup(LookupId),
    /// The planner has work that had to wait.
    Plan,
    /// A network that is down is to be probed.
    Probe(NetworkKind),
    /// Seeds may be asked.
    Seeds,
    /// Fixed seeds may be used.
    FixedSeeds,
    /// A ban ends.
    Bans,
    /// State is to be saved.
    Save,
    /// The machine's network has changed again, too soon after the last time.
    StartOver,
}

/// The connection manager: a pure state machine. See the [crate's page](crate) for how it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnManager {
    config: Arc<Config>,
    limits: Limits,
    phase: Phase,
    clocks: Clocks,
    rng: Rng,
    sample_rng: Rng,
    keys: Keyed,

    timers: Timers<Timer>,
    /// `poll_timeout` is never before this.
    earliest: Time,
    single: SingleTimers,

    table: Table,
    peers: AddedPeers,
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
    pauses: HashMap<ListenerId, u32, Keyed>,
    own: OwnAddresses,
    aliases: Aliases,
    ended: Ended,

    /// Kinds that found nobody to dial, and when they may look again.
    starved: [Option<Starved>; Kind::ALL.len()],
    /// The application and the seeds are not asked for addresses again before this.
    ask_again_at: Time,
    /// When a block-relay connection last made room for a full one.
    made_room: Option<Time>,
    /// No slot is taken from a network of which nothing has come before this.
    push_again_at: Time,
    /// When the machine's network last changed, with effect.
    started_over: Option<Time>,
    /// Attempts at added peers that failed since one was last ready.
    fruitless_attempts: u32,
    /// When one that was ready last had the others dialed soon.
    released_at: Option<Time>,
    /// The added peer that was probed last in each network, so that they take turns.
    last_probed: [PeerId; NetworkKind::ALL.len()],
    /// Something has changed that may leave connections which must go.
    sweep_wanted: bool,

    next_conn: ConnId,
    next_peer: PeerId,
    next_lookup: LookupId,
    actions: VecDeque<Action>,
    /// Actions emitted by the present input.
    spent: u32,
    stats: Stats,
}

/// The timers of which there is at most one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct SingleTimers {
    plan: Option<TimerId>,
    seeds: Option<TimerId>,
    fixed_seeds: Option<TimerId>,
    bans: Option<TimerId>,
    save: Option<TimerId>,
    start_over: Option<TimerId>,
    probes: [Option<TimerId>; NetworkKind::ALL.len()],
    /// In order of their ids.
    lookups: VecDeque<(LookupId, Option<TimerId>)>,
}

/// A kind found nobody to dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Starved {
    since: Time,
    until: Time,
    /// How many times in a row.
    times: u32,
}

impl ConnManager {
    /// A manager, born at `now`. It emits nothing before it is first told something; the first deadline is `now`.
    ///
    /// # Errors
    /// [`ConfigError`] names the first field of the configuration that is out of its range.
    pub fn new(birth: Birth) -> Result<Self, ConfigError> {
        let Birth { config, snapshot, rng_seed, now, unix } = birth;
        config.check()?;
        let mut rng = Rng::new(rng_seed, 0);
        let book_keys = (rng.next_u64(), rng.next_u64());
        let keys = Keyed::new(rng.next_u64(), rng.next_u64());
        let own = OwnAddresses::new(&config.own_addresses);
        let mut manager = Self {
            limits: config.limits,
            phase: Phase::Active,
            clocks: Clocks::new(unix, now),
            sample_rng: Rng::new(rng_seed, 1),
            timers: Timers::new(),
            earliest: now,
            single: SingleTimers::default(),
            table: Table::new(keys),
            peers: AddedPeers::new(keys),
            book: Book::new(&config.book, book_keys),
            bans: Bans::new(config.max_bans, keys),
            scores: Scores::new(config.score.max_hosts, keys),
            seeds: Seeds::new(config.seeds.names.len()),
            health: core::array::from_fn(|_| Health::new(now)),
            paces: [const { Pace::new() }; NetworkKind::ALL.len()],
            trials: [const { Trial::new() }; NetworkKind::ALL.len()],
            shortage: Shortage::default(),
            dial_bucket: Bucket::default(),
            inbound_rates: Limiter::new(inbound::MAX_RATES, keys),
            pauses: HashMap::with_hasher(keys),
            own,
            aliases: Aliases::new(keys),
            ended: Ended::new(),
            starved: [None; Kind::ALL.len()],
            ask_again_at: now,
            made_room: None,
            push_again_at: now,
            started_over: None,
            fruitless_attempts: 0,
            released_at: None,
            last_probed: [PeerId::from_u64(0); NetworkKind::ALL.len()],
            sweep_wanted: false,
            next_conn: ConnId::FIRST,
            next_peer: PeerId::FIRST,
            next_lookup: LookupId::FIRST,
            actions: VecDeque::new(),
            spent: 0,
            stats: Stats::default(),
            config: Arc::new(config),
            rng,
            keys,
        };
        manager.arm_at(Timer::Plan, now);
        if let Some(snapshot) = &snapshot {
            manager.restore(snapshot);
        }
        manager.begin_seeding();
        Ok(manager)
    }

    /// The next action to carry out. Drain when you like: after every input, or after many.
    #[must_use = "an action that is not carried out is lost"]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due; none: not before something else happens. What is
    /// due at [`Time::MAX`] is never due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        match self.phase {
            Phase::Stopped => None,
            Phase::Active | Phase::Inactive | Phase::Stopping => {
                self.timers.peek().map(|at| at.max(self.earliest)).filter(|at| *at < Time::MAX)
            }
        }
    }

    /// An input begins.
    fn begin(&mut self, now: Time) {
        self.clocks.advance(now);
        self.spent = 0;
    }

    fn now(&self) -> Time {
        self.clocks.now()
    }

    fn unix(&self) -> UnixTime {
        self.clocks.unix()
    }

    /// Asks for an action.
    fn act(&mut self, action: Action) {
        self.spent += 1;
        self.actions.push_back(action);
    }

    fn tell(&mut self, event: Event) {
        self.act(Action::Emit(event));
    }

    /// Whether one more cause may emit in this call.
    fn has_room(&self) -> bool {
        self.spent.saturating_add(ACTIONS_OF_ONE_CAUSE) <= self.config.max_actions_per_input
    }

    /// A deadline, a tick away at the least.
    fn at_least_a_tick(&self, at: Time) -> Time {
        at.max(self.now().after(TICK))
    }

    /// How the total is shared now.
    fn split(&self) -> Split {
        Split::new(&self.limits, self.config.mode, self.config.dial.max_hedged, self.peers.len())
    }

    /// A fact or command that led nowhere.
    fn ignore(&mut self) {
        self.stats.ignored_facts += 1;
    }
}
