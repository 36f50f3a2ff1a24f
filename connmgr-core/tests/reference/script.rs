//! A test's setup, and its list of moves.
//!
//! A move names things by their place ("the second dial"), because the address of a dial is random. So a list keeps its
//! meaning when earlier moves are removed.

use std::time::Duration;

use connmgr_core::{
    Backoff, Config, DialConfig, DialError, GroupRule, Growth, HealthConfig, InboundConfig, Limits, Listener,
    ListenerId, Mode, NetworkKind, PeerAddress, Permissions, Rate, RequiredServices, Services,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;

/// All addresses: two in one group, two on one host, some alone, two of IPv6 in one group; the last is our own.
pub(crate) const POOL: [&str; 12] = [
    "11.1.0.1:8333",
    "11.1.0.2:8333",
    "11.1.7.3:8333",
    "12.1.0.1:8333",
    "12.1.0.1:8334",
    "13.1.0.1:8333",
    "14.1.0.1:8333",
    "15.1.0.1:8333",
    "[2a01:1::1]:8333",
    "[2a01:1:0:5::1]:8333",
    "[2a02:1::1]:8333",
    "16.1.0.1:8333",
];

/// The targets of bans, besides the hosts of the pool.
pub(crate) const SUBNETS: [&str; 4] = ["11.1.0.0/24", "11.1.0.0/16", "12.0.0.0/8", "2a01::/16"];

/// The address with this number.
pub(crate) fn address(number: usize) -> PeerAddress {
    POOL[number % POOL.len()].parse().expect("the pool is well spelled")
}

/// One move.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    /// Time passes, and every deadline on the way is met.
    Wait(Duration),
    /// Time passes, and only then the manager is called.
    Sleep(Duration),
    /// Time passes, and the next input comes before any deadline.
    Late(Duration),
    /// The next deadline is met.
    Due,
    /// For this long, all peers that we dial do the same.
    Storm(Storm, Duration),
    DialOk(usize),
    DialFails(usize, DialError),
    /// A handshake is done, with a useful peer or a useless one.
    Ready(usize, bool),
    Closed(usize),
    Dropped(usize),
    Misbehaves(usize, u32, u32),
    Learn(Vec<usize>),
    /// A connection arrives from the host of this address, from its port or another.
    Accept(usize, bool, u32),
    /// This many connections arrive at once; only the total limits them.
    Crowd(u16),
    Add(usize, bool),
    Remove(usize),
    Disconnect(usize),
    Reconnect(usize),
    DialNow(usize),
    SetRetry(usize, Option<Backoff>),
    BanHost(usize, Duration),
    BanSubnet(usize, Duration),
    Unban(usize),
    ResetScore(usize),
    NetworkChanged,
    SetActive(bool),
    SetLimits(Limits),
}

/// What all peers that we dial do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Storm {
    Refuse,
    /// They become ready, and leave after a second.
    AreReadyAndGo,
    /// They accept, and never send anything.
    NeverSpeak,
}

/// The setup of a test: only what may differ in a configuration, so that a failure prints little. In proptest's
/// state-machine tests the reference predicts states; ours only checks, in [`crate::system`].
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) rng_seed: u8,
    mode: Mode,
    limits: Limits,
    max_per_group: Option<u32>,
    required: Services,
    max_hedged: Option<u32>,
    dial_rate: Rate,
    /// `min_spacing` is a quarter of it.
    spacing: Duration,
    retry: Backoff,
    per_host: u32,
    half_open: u32,
    inbound_rate: Rate,
}

impl Setup {
    pub(crate) fn config(&self) -> Config {
        let dial = DialConfig {
            max_hedged: self.max_hedged,
            rate: self.dial_rate,
            spacing: self.spacing,
            min_spacing: self.spacing / 4,
            ..DialConfig::default()
        };
        let Self { per_host, half_open, inbound_rate: rate, .. } = *self;
        Config {
            mode: self.mode,
            limits: self.limits,
            default_port: 8333,
            required: RequiredServices {
                full: self.required,
                block_relay: Services::NONE,
                ..RequiredServices::default()
            },
            own_addresses: vec![address(POOL.len() - 1)],
            dial,
            retry: self.retry,
            groups: GroupRule { max_per_group: self.max_per_group, exempt_overlays: false, ..GroupRule::default() },
            // Outages are not in the model.
            health: HealthConfig { own_failures: u32::MAX, silent_dials: u32::MAX, ..HealthConfig::default() },
            inbound: InboundConfig { per_host, half_open, rate, ..InboundConfig::default() },
            listeners: listeners(),
            ..Config::default()
        }
    }
}

pub(crate) struct Script;

impl ReferenceStateMachine for Script {
    type State = Setup;
    type Transition = Move;

    fn init_state() -> BoxedStrategy<Setup> {
        setup().boxed()
    }

    fn transitions(_: &Setup) -> BoxedStrategy<Move> {
        let (nth, secs) = (0..8usize, Duration::from_secs);
        let ban_for = select(vec![secs(1), secs(40), secs(86_400)]);
        prop_oneof![
            8 => span().prop_map(Move::Wait),
            1 => select(vec![secs(1), secs(70), secs(4000), secs(90_000)]).prop_map(Move::Sleep),
            1 => span().prop_map(Move::Late),
            6 => Just(Move::Due),
            1 => (storm(), select(vec![secs(5), secs(30), secs(90)])).prop_map(|(storm, time)| Move::Storm(storm, time)),
            14 => nth.clone().prop_map(Move::DialOk),
            7 => (nth.clone(), dial_error()).prop_map(|(nth, error)| Move::DialFails(nth, error)),
            10 => (nth.clone(), prop::bool::weighted(0.9)).prop_map(|(nth, useful)| Move::Ready(nth, useful)),
            4 => nth.clone().prop_map(Move::Closed),
            2 => nth.clone().prop_map(Move::Dropped),
            4 => (nth.clone(), points(), points()).prop_map(|(nth, stays, fades)| Move::Misbehaves(nth, stays, fades)),
            5 => prop::collection::vec(0..POOL.len(), 1..8).prop_map(Move::Learn),
            10 => (0..POOL.len(), any::<bool>(), select(vec![0, 0, 0, 1, 2, 9]))
                .prop_map(|(who, same_port, listener)| Move::Accept(who, same_port, listener)),
            2 => (1..18u16).prop_map(Move::Crowd),
            8 => (0..POOL.len(), prop::bool::weighted(0.8)).prop_map(|(who, always)| Move::Add(who, always)),
            2 => nth.clone().prop_map(Move::Remove),
            3 => nth.clone().prop_map(Move::Disconnect),
            2 => nth.clone().prop_map(Move::Reconnect),
            3 => nth.clone().prop_map(Move::DialNow),
            1 => (nth.clone(), prop::option::of(backoff())).prop_map(|(nth, retry)| Move::SetRetry(nth, retry)),
            2 => (0..POOL.len(), ban_for.clone()).prop_map(|(who, time)| Move::BanHost(who, time)),
            1 => (0..SUBNETS.len(), ban_for).prop_map(|(which, time)| Move::BanSubnet(which, time)),
            2 => nth.prop_map(Move::Unban),
            1 => (0..POOL.len()).prop_map(Move::ResetScore),
            2 => Just(Move::NetworkChanged),
            1 => prop::bool::weighted(0.7).prop_map(Move::SetActive),
            1 => limits().prop_map(Move::SetLimits),
        ]
        .boxed()
    }

    fn apply(setup: Setup, _: &Move) -> Setup {
        setup
    }
}

fn span() -> impl Strategy<Value = Duration> {
    let millis = vec![1, 40, 999, 1000, 1001, 2500, 5000, 5000, 9999, 10_000, 30_000, 60_000, 61_000, 600_000];
    select(millis).prop_map(Duration::from_millis)
}

fn points() -> impl Strategy<Value = u32> {
    select(vec![0, 1, 20, 49, 51, 101, u32::MAX])
}

fn storm() -> impl Strategy<Value = Storm> {
    select(vec![Storm::Refuse, Storm::AreReadyAndGo, Storm::NeverSpeak])
}

fn dial_error() -> impl Strategy<Value = DialError> {
    let theirs = select(vec![DialError::Refused, DialError::Reset, DialError::TimedOut]);
    let ours = select(vec![DialError::Cancelled, DialError::NetworkUnreachable, DialError::OutOfResources]);
    prop_oneof![3 => theirs, 1 => ours]
}

fn backoff() -> impl Strategy<Value = Backoff> {
    let secs = Duration::from_secs;
    (any::<bool>(), any::<bool>(), select(vec![secs(5), Duration::from_millis(1)]), select(vec![secs(300), secs(12)]))
        .prop_map(|(linear, jitter, base, cap)| {
            let growth = if linear { Growth::Linear } else { Growth::Exponential };
            Backoff { growth, base, cap, jitter, ..Backoff::default() }
        })
}

fn limits() -> impl Strategy<Value = Limits> {
    let few = || select(vec![0, 1, 2, 3, 8]);
    (select(vec![0, 2, 5, 20]), few(), few(), few()).prop_map(|(total, full, block_relay, added)| Limits {
        total,
        full,
        block_relay,
        feeler: 0,
        addr_fetch: 0,
        added,
        ..Limits::default()
    })
}

fn setup() -> impl Strategy<Value = Setup> {
    let mode = prop_oneof![4 => Just(Mode::Automatic), 1 => Just(Mode::ConnectOnly)];
    let usual = Limits { total: 20, full: 3, block_relay: 2, feeler: 0, addr_fetch: 0, added: 8, ..Limits::default() };
    let whom = (mode, prop_oneof![2 => Just(usual), 1 => limits()], select(vec![Some(1), Some(2), None]));
    let required = select(vec![Services::NONE, Services::NETWORK]);
    let spacing = select(vec![600, 200, 20, 1]).prop_map(Duration::from_secs);
    let how = (required, select(vec![None, Some(0), Some(1)]), rate(&[(64, 100), (2, 1000)]), spacing, backoff());
    let doors = (1..4u32, 1..4u32, rate(&[(1, 5000), (3, 60_000), (8, 0)]));
    (any::<u8>(), whom, how, doors).prop_map(|(rng_seed, whom, how, doors)| {
        let (mode, limits, max_per_group) = whom;
        let (required, max_hedged, dial_rate, spacing, retry) = how;
        let (per_host, half_open, inbound_rate) = doors;
        Setup {
            rng_seed,
            mode,
            limits,
            max_per_group,
            required,
            max_hedged,
            dial_rate,
            spacing,
            retry,
            per_host,
            half_open,
            inbound_rate,
        }
    })
}

/// One of these rates: a burst, then one in so many milliseconds.
fn rate(rates: &[(u32, u64)]) -> impl Strategy<Value = Rate> + use<> {
    select(rates.to_vec()).prop_map(|(burst, millis)| Rate { burst, interval: Duration::from_millis(millis) })
}

/// 0: ordinary; 1: where hosts can't be seen; 2: with all permissions.
fn listeners() -> Vec<Listener> {
    let listener = |id, network, spared| {
        let permissions = Permissions { no_ban: spared, no_limit: spared, ..Permissions::default() };
        Listener::new(ListenerId(id)).network(network).permissions(permissions)
    };
    vec![listener(0, None, false), listener(1, Some(NetworkKind::Onion), false), listener(2, None, true)]
}
