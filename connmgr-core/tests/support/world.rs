//! A small world around a manager. It answers dials and lookups after 50 ms, each address by its fate.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::*;

/// The time of every answer.
pub const LATENCY: Duration = Duration::from_millis(50);

/// The result of dials to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It connects, and the handshake is done.
    Good,
    /// It connects, and the other end closes at once.
    HangsUp,
    /// It fails.
    Fails(DialError),
    /// It fails after this time, instead of [`LATENCY`].
    FailsAfter(DialError, Duration),
    /// It connects after the first time, and the handshake is done after the second.
    Slow(Duration, Duration),
    /// It connects, and the other end closes at once before it sends anything, by either transport.
    Unheard,
    /// It connects, and never sends anything.
    Mute,
    /// It connects, the handshake is done, and the other end closes after this time.
    Leaves(Duration),
    /// It never answers.
    Silent,
}

type Fates = Box<dyn Fn(&PeerAddress) -> Fate>;
type Names = Box<dyn Fn(&HostName) -> Result<Vec<IpAddr>, LookupError>>;

/// A manager, its world, and a record of what happened.
pub struct World {
    pub bench: Bench,
    pub fate: Fates,
    pub names: Names,
    due: BTreeMap<(Time, u64), Input>,
    sent: u64,
    /// Every dial: time and address.
    pub dials: Vec<(Time, PeerAddress)>,
    /// Every lookup: time and name.
    pub lookups: Vec<(Time, String)>,
    pub events: Vec<(Time, Event)>,
    /// How often `handle_timeout` was called.
    pub wakes: usize,
    /// The most connections, without dials, that were open at once.
    pub most_open: usize,
}

impl World {
    pub fn new(config: Config, fate: impl Fn(&PeerAddress) -> Fate + 'static) -> Self {
        Self::seeded(config, 7, fate)
    }

    /// A world whose manager has this rng seed.
    pub fn seeded(config: Config, rng_seed: u64, fate: impl Fn(&PeerAddress) -> Fate + 'static) -> Self {
        Self {
            bench: Bench::seeded(config, rng_seed),
            fate: Box::new(fate),
            names: Box::new(|_| Err(LookupError::NotFound)),
            due: BTreeMap::new(),
            sent: 0,
            dials: Vec::new(),
            lookups: Vec::new(),
            events: Vec::new(),
            wakes: 0,
            most_open: 0,
        }
    }

    /// From now on, dials end like this.
    pub fn becomes(&mut self, fate: impl Fn(&PeerAddress) -> Fate + 'static) {
        self.fate = Box::new(fate);
    }

    /// From now on, names resolve like this.
    pub fn resolves(&mut self, names: impl Fn(&HostName) -> Result<Vec<IpAddr>, LookupError> + 'static) {
        self.names = Box::new(names);
    }

    /// Applies an input, and lets the world react.
    pub fn tell(&mut self, input: Input) -> Reply {
        let reply = self.bench.apply(&input);
        for action in self.bench.actions() {
            self.react(action);
        }
        self.most_open = self.most_open.max(self.open());
        reply
    }

    pub fn add_peer(&mut self, address: &str) -> PeerId {
        match self.tell(Input::AddPeer { peer: AddedPeer::new(addr(address)) }) {
            Reply::Added(Ok(peer)) => peer,
            other => panic!("{address} was not added: {other:?}"),
        }
    }

    /// The application gives these addresses.
    pub fn learn(&mut self, addresses: &[PeerAddress]) {
        let actions = self.bench.learn(addresses);
        actions.into_iter().for_each(|action| self.react(action));
    }

    /// Every open connection is lost, and from now on all dials have this fate.
    pub fn goes_dark(&mut self, fate: Fate) {
        self.becomes(move |_| fate);
        for conn in self.bench.manager.connections() {
            if conn.state.is_open() {
                self.tell(Input::Closed { conn: conn.conn, cause: CloseCause::Error });
            }
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.bench.now.after(time);
        self.run_until(end, |_| false);
        self.bench.now = end;
    }

    /// Lets time pass until a condition holds. Returns when it did.
    pub fn run_until(&mut self, end: Time, holds: impl Fn(&Self) -> bool) -> Option<Time> {
        loop {
            if holds(self) {
                return Some(self.bench.now);
            }
            let timeout = self.bench.manager.poll_timeout().unwrap_or(Time::MAX);
            let next = self.due.first_key_value().map_or(Time::MAX, |((at, _), _)| *at);
            if timeout.min(next) > end {
                return None;
            }
            self.bench.now = self.bench.now.max(timeout.min(next));
            if next <= timeout {
                let (_, input) = self.due.pop_first().expect("the first was just seen");
                self.tell(input);
            } else {
                self.wakes += 1;
                self.tell(Input::Timeout);
            }
        }
    }

    /// Lets at most this much time pass until the network is found down.
    pub fn run_until_down(&mut self, network: NetworkKind, at_most: Duration) {
        let end = self.bench.now.after(at_most);
        let is_down = |world: &Self| world.has_happened(&Event::NetworkDown { network });
        self.run_until(end, is_down).expect("the outage is noticed");
    }

    pub fn has_happened(&self, event: &Event) -> bool {
        self.events.iter().any(|(_, other)| other == event)
    }

    pub fn ready(&self) -> usize {
        self.bench.count(ConnState::Ready)
    }

    pub fn open(&self) -> usize {
        self.ready() + self.bench.count(ConnState::Handshaking) + self.bench.count(ConnState::Stalled)
    }

    /// Waits until `count` are ready, at most this long. Returns how long that took, and the dials so far.
    pub fn fills(&mut self, count: usize, at_most: Duration) -> Option<(Duration, usize)> {
        let begun = self.bench.now;
        let full = self.run_until(begun.after(at_most), |world| world.ready() == count)?;
        Some((full.since(begun), self.dials.len()))
    }

    fn react(&mut self, action: Action) {
        let now = self.bench.now;
        match action {
            Action::Dial { conn, target, .. } => self.answer_dial(conn, target),
            Action::ResolveSeed { lookup, seed: name, .. } | Action::ResolveHost { lookup, host: name, .. } => {
                self.lookups.push((now, name.to_string()));
                let result = (self.names)(&name);
                self.later(
                    LATENCY,
                    Input::LookupResult { lookup, result: result.map(|ips| ips.into_iter().map(Into::into).collect()) },
                );
            }
            Action::Emit(event) => self.events.push((now, event)),
            Action::Close { .. } | Action::ScheduleRetry { .. } | Action::PauseAccept { .. } | Action::Save => {}
        }
    }

    fn answer_dial(&mut self, conn: ConnId, target: Target) {
        let address = match target {
            Target::Direct(addr) => PeerAddress::from(addr),
            Target::Proxied { address, .. } => address,
        };
        let fate = (self.fate)(&address);
        self.dials.push((self.bench.now, address));
        match fate {
            Fate::Good => self.connects(conn, LATENCY, LATENCY),
            Fate::Slow(opens, shakes) => self.connects(conn, opens, shakes),
            Fate::Leaves(after) => {
                self.connects(conn, LATENCY, LATENCY);
                self.later(2 * LATENCY + after, Input::Closed { conn, cause: CloseCause::Eof });
            }
            Fate::Unheard => {
                self.later(LATENCY, Input::DialResult { conn, result: Ok(()) });
                self.later(2 * LATENCY, Input::Closed { conn, cause: CloseCause::Unheard });
            }
            Fate::Mute => self.later(LATENCY, Input::DialResult { conn, result: Ok(()) }),
            Fate::HangsUp => {
                self.later(LATENCY, Input::DialResult { conn, result: Ok(()) });
                self.later(2 * LATENCY, Input::Closed { conn, cause: CloseCause::Eof });
            }
            Fate::Fails(error) => self.later(LATENCY, Input::DialResult { conn, result: Err(error) }),
            Fate::FailsAfter(error, wait) => self.later(wait, Input::DialResult { conn, result: Err(error) }),
            Fate::Silent => {}
        }
    }

    fn connects(&mut self, conn: ConnId, opens: Duration, shakes: Duration) {
        self.later(opens, Input::DialResult { conn, result: Ok(()) });
        let info = PeerInfo { services: Services::NETWORK | Services::WITNESS, ..PeerInfo::default() };
        self.later(opens + shakes, Input::Ready { conn, info });
    }

    fn later(&mut self, wait: Duration, input: Input) {
        self.sent += 1;
        self.due.insert((self.bench.now.after(wait), self.sent), input);
    }
}

/// Whether an address is IPv4.
pub fn is_v4(address: &PeerAddress) -> bool {
    address.network() == Some(NetworkKind::Ipv4)
}

/// A fixed pseudo-random number below `n` for an address, to choose its fate.
pub fn lot(address: &PeerAddress, n: u64) -> u64 {
    let hash = address
        .to_string()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (hash >> 20) % n
}

/// `count` public IPv6 addresses, each in a group of its own.
pub fn v6_addresses(count: u32) -> Vec<PeerAddress> {
    (0..count).map(|n| addr(&format!("[2a00:{:x}::1]:8333", n + 1))).collect()
}

/// The retries scheduled for a peer: how far ahead each is.
pub fn waits(actions: &[Action], now: Time) -> Vec<Duration> {
    retries(actions).into_iter().map(|(_, at, _)| at.since(now)).collect()
}
