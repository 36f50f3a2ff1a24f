//! Long sequences of random inputs, also of inputs that no driver would ever send.
//!
//! Deterministic: a seed and a configuration give the same sequence as long as the manager does the same.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of chaos")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::*;

/// The wall clock at birth: 2026-01-01.
const UNIX: u64 = 1_767_225_600;

/// A random generator that no library changes: splitmix64.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    pub fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).expect("an index")].clone()
    }
}

/// What may happen besides ordinary inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// Time moves normally; there is no shutdown.
    Living,
    /// A shutdown somewhere in the second half.
    Mortal,
    /// Time jumps by years, up to its end.
    Eternal,
}

/// The source of inputs.
#[derive(Clone, Debug)]
pub struct Chaos {
    dice: Dice,
    mood: Mood,
    now: Time,
    step: u64,
    steps: u64,
    ids: u64,
    lookups: Vec<LookupId>,
    nonces: Vec<u64>,
}

impl Chaos {
    pub fn new(seed: u64, mood: Mood, steps: u64) -> Self {
        let dice = Dice::new(seed);
        Self { dice, mood, now: Time::ZERO, step: 0, steps, ids: 1, lookups: Vec::new(), nonces: Vec::new() }
    }

    /// Remembers what later inputs can answer.
    pub fn see(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Dial { conn, .. } => self.ids = self.ids.max(conn.as_u64()),
                Action::ResolveSeed { lookup, .. } | Action::ResolveHost { lookup, .. } => self.lookups.push(*lookup),
                Action::Emit(Event::Connected(connected)) => {
                    self.ids = self.ids.max(connected.conn.as_u64());
                    self.nonces.push(connected.nonce);
                }
                _ => {}
            }
        }
        let forget = self.nonces.len().saturating_sub(16);
        self.nonces.drain(..forget);
        let forget = self.lookups.len().saturating_sub(16);
        self.lookups.drain(..forget);
    }

    /// The next input and its time.
    pub fn next(&mut self, manager: &ConnManager) -> (Time, Input) {
        self.step += 1;
        let (now, due) = self.time(manager);
        let shuts = self.mood == Mood::Mortal && self.step > self.steps / 2 && self.dice.one_in(self.steps / 4);
        if shuts {
            return (now, Input::Shutdown);
        }
        if due && !self.dice.one_in(8) {
            return (now, Input::Timeout);
        }
        let input = match self.dice.below(100) {
            0..=54 => self.life(manager),
            55..=69 => self.news(),
            70..=89 => self.command(manager),
            _ => self.nonsense(),
        };
        (now, input)
    }

    /// The next time. Mostly a small step, often the deadline, now and then a long sleep or a step back.
    fn time(&mut self, manager: &ConnManager) -> (Time, bool) {
        let due = manager.poll_timeout();
        let dice = &mut self.dice;
        let (now, meets) = match dice.below(100) {
            0..=29 => (self.now, false),
            30..=64 => (due.map_or(self.now, |due| due.max(self.now)), true),
            65..=69 => (due.map_or(self.now, |due| Time::from_nanos(due.as_nanos().saturating_sub(1))), true),
            70..=84 => (self.now.after(Duration::from_millis(dice.below(2000))), false),
            85..=92 => (self.now.after(Duration::from_secs(dice.below(90))), false),
            93..=95 => (self.now.after(Duration::from_secs(dice.below(6 * 3600))), true),
            96..=97 => (Time::from_nanos(dice.roll() % self.now.as_nanos().max(1)), false),
            _ if self.mood == Mood::Eternal && self.step > self.steps / 2 => match dice.below(8) {
                0 if self.step > self.steps * 9 / 10 => (Time::MAX, true),
                1 => (Time::from_nanos(u64::MAX - dice.below(1 << 40)), true),
                _ => (self.now.after(Duration::from_secs(dice.below(1 << 31))), true),
            },
            _ => (self.now.after(Duration::from_nanos(dice.below(100))), false),
        };
        // A leap to the end of time lasts for one input, so that the sequence goes on before it.
        if now < Time::from_nanos(u64::MAX / 2) {
            self.now = self.now.max(now);
        }
        (now, meets)
    }

    /// What a driver and an application would send.
    fn life(&mut self, manager: &ConnManager) -> Input {
        let conns = manager.connections();
        if conns.is_empty() {
            return self.news();
        }
        let view = self.dice.pick(&conns);
        let conn = view.conn;
        match view.state {
            ConnState::Dialing | ConnState::Silent => match self.dice.below(10) {
                0..=4 => Input::DialResult { conn, result: Ok(()) },
                5..=8 => Input::DialResult { conn, result: Err(self.dial_error()) },
                _ => Input::Disconnect { conn },
            },
            // Half of them are silent for long, most of these for ever.
            ConnState::Handshaking | ConnState::Stalled if conn.as_u64() % 2 == 0 && !self.dice.one_in(8) => {
                self.news()
            }
            ConnState::Handshaking | ConnState::Stalled => match self.dice.below(10) {
                0..=6 => Input::Ready { conn, info: self.info() },
                7 => Input::Closed { conn, cause: CloseCause::Unheard },
                8 => self.end(conn),
                _ => Input::Misbehavior { conn, penalty: self.penalty() },
            },
            _ => match self.dice.below(10) {
                0..=2 => self.end(conn),
                3..=4 => self.addresses(Source::Peer(conn)),
                5 => Input::Misbehavior { conn, penalty: self.penalty() },
                6 => Input::Reconnect { conn },
                7 => Input::Disconnect { conn },
                _ => Input::Activity { conn, activity: self.activity() },
            },
        }
    }

    /// Facts without a cause in the manager: arrivals, errors, changes.
    fn news(&mut self) -> Input {
        match self.dice.below(10) {
            0..=4 => Input::Accept { remote: self.remote(), listener: self.listener() },
            5..=6 => self.addresses(Source::Application),
            7 => self.lookup_result(),
            8 => Input::NetworkChanged,
            _ => Input::AcceptError { listener: self.listener() },
        }
    }

    /// Commands of an operator.
    fn command(&mut self, manager: &ConnManager) -> Input {
        let peers = manager.added_peers();
        let any = self.dice.below(12);
        let peer = if peers.is_empty() { PeerId::from_u64(any) } else { self.dice.pick(&peers).peer };
        match self.dice.below(20) {
            0..=4 => {
                let keep = self.dice.pick(&[Keep::Always, Keep::Always, Keep::Once]);
                Input::AddPeer { peer: AddedPeer::new(self.address()).keep(keep) }
            }
            5..=7 => Input::RemovePeer { peer },
            8..=9 => Input::DialNow { peer },
            10..=11 => Input::Ban { target: self.target(), duration: self.duration() },
            12 => match manager.bans().first() {
                Some(ban) => Input::Unban { target: ban.target.clone() },
                None => Input::Unban { target: self.target() },
            },
            13 => Input::ResetScore { host: self.address().host().clone() },
            14 if self.dice.one_in(2) => Input::AnswerGetaddr { conn: ConnId::from_u64(self.dice.below(self.ids + 3)) },
            14 => Input::SampleAddresses { network: None, count: self.dice.pick(&[0, 1, 1000, u32::MAX]) },
            15..=16 => Input::SetActive { active: !self.dice.one_in(3) },
            17 if self.dice.one_in(2) => Input::ForgetOwnAddress { address: self.address() },
            17 => Input::OwnAddress { address: self.address() },
            18 => Input::Clock { unix: UnixTime::from_secs(self.dice.pick(&[0, UNIX, UNIX + 100_000, u64::MAX])) },
            _ => Input::SetLimits { limits: self.limits() },
        }
    }

    /// Facts about unknown, ended or answered ids, and facts that do not fit the state.
    fn nonsense(&mut self) -> Input {
        let conn = ConnId::from_u64(self.dice.below(self.ids + 3));
        let conn = if self.dice.one_in(10) { ConnId::from_u64(self.dice.pick(&[0, u64::MAX])) } else { conn };
        match self.dice.below(12) {
            0..=2 => Input::DialResult { conn, result: Ok(()) },
            3 => Input::DialResult { conn, result: Err(self.dial_error()) },
            4 => Input::Ready { conn, info: self.info() },
            5 => self.end(conn),
            6 => Input::Misbehavior { conn, penalty: self.penalty() },
            7 => Input::Activity { conn, activity: self.activity() },
            8 => Input::Disconnect { conn },
            9 => Input::Reconnect { conn },
            10 => self.addresses(Source::Peer(conn)),
            _ => {
                let lookup = LookupId::from_u64(self.dice.pick(&[0, 1, 2, 3, u64::MAX]));
                Input::LookupResult { lookup, result: Ok(vec![self.ip().into(), self.ip().into()]) }
            }
        }
    }

    fn lookup_result(&mut self) -> Input {
        let lookup =
            if self.lookups.is_empty() { LookupId::from_u64(1) } else { self.dice.pick(&self.lookups.clone()) };
        let count = self.dice.pick(&[0, 1, 2, 5, 40]);
        let errors = [LookupError::NotFound, LookupError::TimedOut, LookupError::ProxyUnsupported];
        let result = match self.dice.one_in(4) {
            true => Err(self.dice.pick(&errors)),
            false => Ok((0..count).map(|_| self.ip().into()).collect()),
        };
        Input::LookupResult { lookup, result }
    }

    fn addresses(&mut self, source: Source) -> Input {
        let count = self.dice.pick(&[0, 1, 2, 10, 10, 40, 40]);
        let info = |chaos: &mut Self| {
            AddressInfo::new(chaos.address())
                .services(chaos.services())
                .last_seen(UnixTime::from_secs(chaos.dice.pick(&[0, UNIX, UNIX - 100_000, u64::MAX])))
        };
        Input::Addresses { source, addresses: (0..count).map(|_| info(self)).collect() }
    }

    /// One of few hosts, so that they repeat.
    fn ip(&mut self) -> IpAddr {
        let dice = &mut self.dice;
        match dice.below(20) {
            0 => IpAddr::V4(Ipv4Addr::new(127, 0, u8_below(dice, 2), u8_below(dice, 4))),
            1 => match dice.below(4) {
                0 => Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1).into(),
                1 => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).into(),
                _ => Ipv4Addr::new(192, 168, 0, u8_below(dice, 3)).into(),
            },
            2 => Ipv4Addr::new(9, 9, 9, 9).to_ipv6_mapped().into(),
            3..=5 => IpAddr::V6(Ipv6Addr::new(0x2a01, u8_below(dice, 6).into(), 0, 0, 0, 0, 0, 1)),
            _ => IpAddr::V4(Ipv4Addr::new(11 + u8_below(dice, 12), 1, 2, u8_below(dice, 3))),
        }
    }

    fn address(&mut self) -> PeerAddress {
        let number = [u8_below(&mut self.dice, 4); 32];
        let host = match self.dice.below(16) {
            0 => Host::Onion(number),
            1 => Host::I2p(number),
            2 => Host::Cjdns(Ipv6Addr::new(0xfc00 + u16::from(number[0]), 0, 0, 0, 0, 0, 0, 1)),
            3..=4 => Host::Name(HostName::new(&format!("node{}.example", number[0])).expect("a name")),
            _ => Host::from(self.ip()),
        };
        let port = if self.dice.one_in(20) { 0 } else { 8333 };
        PeerAddress::new(host, port)
    }

    fn remote(&mut self) -> SocketAddr {
        let port = u16::try_from(1024 + self.dice.below(3)).expect("a port");
        SocketAddr::new(self.ip(), if self.dice.one_in(5) { 8333 } else { port })
    }

    fn listener(&mut self) -> ListenerId {
        ListenerId(self.dice.pick(&[0, 0, 0, 1, 2, 9]))
    }

    fn services(&mut self) -> Services {
        let useful = Services::NETWORK | Services::WITNESS;
        self.dice.pick(&[useful, useful, useful | Services::P2P_V2, Services::NONE])
    }

    fn info(&mut self) -> PeerInfo {
        let identity = match self.dice.one_in(2) {
            true => Some(Identity([u8_below(&mut self.dice, 5); 32])),
            false => None,
        };
        let nonce = match self.dice.below(10) {
            0 if !self.nonces.is_empty() => Some(self.dice.pick(&self.nonces.clone())),
            1 => Some(0),
            _ => None,
        };
        PeerInfo { services: self.services(), nonce, identity, ..PeerInfo::default() }
    }

    fn dial_error(&mut self) -> DialError {
        self.dice.pick(&[
            DialError::Refused,
            DialError::Reset,
            DialError::TimedOut,
            DialError::TimedOut,
            DialError::HostUnreachable,
            DialError::ServiceUnreachable,
            DialError::ProxyUnreachable,
            DialError::NetworkUnreachable,
            DialError::OutOfResources,
            DialError::Cancelled,
            DialError::Other,
        ])
    }

    fn end(&mut self, conn: ConnId) -> Input {
        let causes = [CloseCause::Eof, CloseCause::Reset, CloseCause::Unheard, CloseCause::Error].map(Some);
        match self.dice.pick(&[causes[0], causes[1], causes[2], causes[3], None]) {
            Some(cause) => Input::Closed { conn, cause },
            None => Input::Dropped { conn },
        }
    }

    fn penalty(&mut self) -> Penalty {
        let points = [0, 1, 30, 60, 101, u32::MAX];
        Penalty { persistent: self.dice.pick(&points), transient: self.dice.pick(&points) }
    }

    fn activity(&mut self) -> Activity {
        let ping = self.dice.pick(&[None, Some(Duration::ZERO), Some(Duration::MAX)]);
        Activity { ping, block: self.dice.one_in(2), transaction: self.dice.one_in(2), ..Activity::default() }
    }

    fn target(&mut self) -> BanTarget {
        let everything = ["0.0.0.0/0", "::/0", "127.0.0.0/8", "11.0.0.0/8", "2a01::/16"];
        match self.dice.below(12) {
            0 => BanTarget::Subnet(self.dice.pick(&everything).parse().expect("a subnet")),
            _ => BanTarget::Host(self.address().host().clone()),
        }
    }

    fn duration(&mut self) -> Duration {
        let secs = Duration::from_secs;
        self.dice.pick(&[Duration::ZERO, Duration::from_nanos(1), secs(1), secs(60), secs(86_400), Duration::MAX])
    }

    fn limits(&mut self) -> Limits {
        let few = [0, 0, 1, 2, 3, 8];
        Limits {
            total: self.dice.pick(&[0, 1, 4, 10, 20, 125, 125, 125, 1_000_001]),
            full: self.dice.pick(&few),
            block_relay: self.dice.pick(&few),
            feeler: self.dice.pick(&few),
            addr_fetch: self.dice.pick(&few),
            added: self.dice.pick(&[0, 2, 8, 8]),
            ..Limits::default()
        }
    }
}

fn u8_below(dice: &mut Dice, bound: u64) -> u8 {
    u8::try_from(dice.below(bound)).expect("a small bound")
}

/// The configurations for random inputs, with their names.
pub fn configs() -> Vec<(&'static str, Config)> {
    let listeners =
        vec![listener(0, None, false), listener(1, Some(NetworkKind::Onion), false), listener(2, None, true)];
    let seed = |name| Seed::new(HostName::new(name).expect("a name")).filters_services(true);
    let seeds = SeedConfig {
        names: vec![seed("seed1.example"), seed("seed2.example"), seed("seed3.example")],
        fixed: vec!["99.1.2.3:8333".parse().expect("an address"), "[2a01:99::1]:8333".parse().expect("an address")],
        ..SeedConfig::default()
    };
    let base = Config { listeners, default_port: 8333, ..Config::default() };
    let bitcoin = Config { listeners: base.listeners.clone(), seeds, ..Config::bitcoin(Chain::Regtest) };
    let proxies = |resolves| {
        let address = "127.0.0.1:9050".parse().expect("an address");
        let proxy = Proxy::new(address).isolation(IsolationMode::Required).resolves(resolves);
        let i2p = Proxy { isolation: IsolationMode::Off, ..proxy.clone() };
        Proxies { all: Some(proxy), onion: None, i2p: Some(i2p), ..Proxies::default() }
    };
    let identity = Some(Identity([2; 32]));
    let hedged = DialConfig { max_hedged: Some(2), ..DialConfig::default() };
    vec![
        ("default", base.clone()),
        ("bitcoin", Config { identity, ..bitcoin.clone() }),
        ("connect-only", Config { mode: Mode::ConnectOnly, ..bitcoin.clone() }),
        ("a proxy that resolves", Config { proxies: proxies(true), ..bitcoin.clone() }),
        ("a proxy that does not resolve", Config { proxies: proxies(false), dial: hedged, ..bitcoin.clone() }),
        ("v2", Config { transport: Transport::V2, identity, ..bitcoin.clone() }),
        ("a LAN", Config { ranges: lan(), networks: NetworkSet::ALL.without(NetworkKind::Cjdns), ..bitcoin.clone() }),
        ("tiny", tiny(&bitcoin)),
        ("nothing", Config { limits: nothing(), ..base.clone() }),
        ("no ban stands", Config { max_bans: 0, networks: NetworkSet::ALL.without(NetworkKind::Ipv6), ..bitcoin }),
    ]
}

fn listener(id: u32, network: Option<NetworkKind>, spared: bool) -> Listener {
    Listener::new(ListenerId(id)).network(network).permissions(Permissions {
        no_ban: spared,
        no_limit: spared,
        ..Permissions::default()
    })
}

/// Private networks alone.
fn lan() -> Ranges {
    Ranges { public: false, private: true, own: vec!["11.1.0.0/16".parse().expect("a net")], ..Ranges::default() }
}

fn nothing() -> Limits {
    Limits { total: 0, full: 0, block_relay: 0, feeler: 0, addr_fetch: 0, added: 0, ..Limits::default() }
}

/// Every bound as low as it can be.
fn tiny(from: &Config) -> Config {
    let one = Duration::from_millis(1);
    Config {
        limits: Limits { total: 6, full: 2, block_relay: 1, feeler: 1, addr_fetch: 1, added: 3, ..Limits::default() },
        max_actions_per_input: 16,
        max_bans: 1,
        score: ScoreConfig { max_hosts: 1, threshold: 0, ban_for: Duration::ZERO, ..ScoreConfig::default() },
        book: BookConfig { max_addresses: 4, max_per_call: 3, save_every: Duration::ZERO, ..BookConfig::default() },
        health: HealthConfig { own_failures: 1, silent_dials: 1, silent_groups: 0, ..HealthConfig::default() },
        retry: Backoff { base: one, cap: one, ..Backoff::default() },
        handshake_timeout: one,
        stable_after: Duration::ZERO,
        ..from.clone()
    }
}

/// A manager with a configuration, starting at time zero.
pub fn birth(config: &Config, seed: u64) -> ConnManager {
    let mut rng_seed = [0; 32];
    rng_seed[..8].copy_from_slice(&seed.to_le_bytes());
    ConnManager::new(Birth {
        config: config.clone(),
        snapshot: None,
        rng_seed,
        unix: UnixTime::from_secs(UNIX),
        now: Time::ZERO,
    })
    .expect("a good configuration")
}

/// All queued actions.
pub fn drain(manager: &mut ConnManager) -> Vec<Action> {
    std::iter::from_fn(|| manager.poll_action()).collect()
}
