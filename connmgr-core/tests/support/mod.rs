//! A manager in virtual time, for tests.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of the bench")]

pub mod world;

use std::net::SocketAddr;
use std::time::Duration;

use connmgr_check::{Suite, Watcher};
use connmgr_core::*;

/// The wall clock at birth: 2026-01-01.
pub const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);

/// A manager, its clock and its checkers: `connmgr-check` checks every input, and panics on a violation.
pub struct Bench {
    pub manager: ConnManager,
    pub now: Time,
    watcher: Watcher,
    /// Actions that the test has not taken yet.
    queued: Vec<Action>,
}

impl Bench {
    /// A new manager, before its first deadline.
    pub fn new(config: Config) -> Self {
        Self::with_snapshot(config, None)
    }

    /// A manager with this rng seed.
    pub fn seeded(config: Config, rng_seed: u64) -> Self {
        let mut seed = [7; 32];
        if rng_seed != 7 {
            seed[..8].copy_from_slice(&rng_seed.to_le_bytes());
        }
        // A world has so many inputs that the audit, which takes time proportional to all that is known, is rare.
        Self::born(Birth { config, snapshot: None, rng_seed: seed, unix: UNIX, now: Time::ZERO }, 256)
    }

    pub fn with_snapshot(config: Config, snapshot: Option<Snapshot>) -> Self {
        Self::born(Birth { config, snapshot, rng_seed: [7; 32], unix: UNIX, now: Time::ZERO }, 1)
    }

    /// A manager made from this, whose checkers compare everything every `audit_every` inputs.
    pub fn born(birth: Birth, audit_every: u64) -> Self {
        let (suite, now) = (Suite::new(&birth.config, birth.snapshot.as_ref(), birth.unix, birth.now), birth.now);
        let manager = ConnManager::new(birth).expect("a good configuration");
        Self { manager, now, watcher: Watcher::new("a test", suite, audit_every), queued: Vec::new() }
    }

    /// Applies an input, and returns the reply; actions stay queued.
    #[track_caller]
    pub fn apply(&mut self, input: &Input) -> Reply {
        let (reply, actions) = self.watcher.step(&mut self.manager, self.now, input);
        self.queued.extend(actions);
        reply
    }

    /// Takes all queued actions.
    pub fn actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.queued)
    }

    /// Applies an input, and takes the actions.
    pub fn tell(&mut self, input: Input) -> Vec<Action> {
        self.apply(&input);
        self.actions()
    }

    /// Lets time pass, meeting each deadline exactly, and takes the actions.
    pub fn pass(&mut self, time: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        let end = self.now.after(time);
        while let Some(due) = self.manager.poll_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            self.apply(&Input::Timeout);
            actions.extend(self.actions());
        }
        self.now = end;
        actions
    }

    /// Adds a peer, and returns its id and the actions.
    pub fn add_peer(&mut self, address: &str, keep: Keep) -> (PeerId, Vec<Action>) {
        let reply = self.apply(&Input::AddPeer { peer: AddedPeer::new(addr(address)).keep(keep) });
        let Reply::Added(Ok(peer)) = reply else { panic!("{address} was not added: {reply:?}") };
        (peer, self.actions())
    }

    /// The application gives these addresses.
    pub fn learn(&mut self, addresses: &[PeerAddress]) -> Vec<Action> {
        let info = |address: &PeerAddress| {
            AddressInfo::new(address.clone())
                .services(Services::NETWORK | Services::WITNESS | Services::P2P_V2)
                .last_seen(UNIX)
        };
        self.tell(Input::Addresses { source: Source::Application, addresses: addresses.iter().map(info).collect() })
    }

    /// A dial succeeds.
    pub fn connect(&mut self, conn: ConnId) -> Vec<Action> {
        self.tell(Input::DialResult { conn, result: Ok(()) })
    }

    /// A dial fails.
    pub fn fail(&mut self, conn: ConnId, error: DialError) -> Vec<Action> {
        self.tell(Input::DialResult { conn, result: Err(error) })
    }

    /// A handshake is done with a useful peer.
    pub fn ready(&mut self, conn: ConnId) -> Vec<Action> {
        let info = PeerInfo {
            services: Services::NETWORK | Services::WITNESS,
            nonce: None,
            identity: None,
            ..PeerInfo::default()
        };
        self.tell(Input::Ready { conn, info })
    }

    /// The other end closes.
    pub fn close(&mut self, conn: ConnId) -> Vec<Action> {
        self.tell(Input::Closed { conn, cause: CloseCause::Eof })
    }

    /// A connection arrives at listener 0.
    pub fn accept(&mut self, remote: &str) -> Result<ConnId, Refusal> {
        let remote: SocketAddr = remote.parse().expect("a socket address");
        match self.apply(&Input::Accept { remote, listener: ListenerId(0) }) {
            Reply::Accepted(result) => result,
            other => panic!("not an answer to accept: {other:?}"),
        }
    }

    /// The number of connections in a state.
    pub fn count(&self, state: ConnState) -> usize {
        self.manager.connections().iter().filter(|conn| conn.state == state).count()
    }
}

/// An address, from its text.
pub fn addr(text: &str) -> PeerAddress {
    text.parse().expect(text)
}

/// `count` public addresses, each in a group of its own.
pub fn addresses(count: u32) -> Vec<PeerAddress> {
    (0..count).map(|n| addr(&format!("{}.{}.7.9:8333", 11 + n / 200, n % 200))).collect()
}

/// `count` onion services.
pub fn onions(count: u32) -> Vec<PeerAddress> {
    let key = |n: u32| {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_be_bytes());
        key[4..8].copy_from_slice(&n.to_be_bytes());
        key
    };
    (0..count).map(|n| PeerAddress::new(Host::Onion(key(n)), 8333)).collect()
}

/// With a proxy for onion services, which are exempt from the group rule.
pub fn with_proxy(config: Config) -> Config {
    let proxy = Proxy::new("127.0.0.1:9050".parse().expect("it parses")).isolation(IsolationMode::Off).resolves(true);
    let proxies = Proxies { onion: Some(proxy), ..Proxies::default() };
    Config { proxies, groups: GroupRule { exempt_overlays: true, ..GroupRule::default() }, ..config }
}

/// With a listener without permissions.
pub fn with_listener(config: Config) -> Config {
    let listener = Listener::new(ListenerId(0));
    Config { listeners: vec![listener], ..config }
}

/// The dials among the actions.
pub fn dials(actions: &[Action]) -> Vec<ConnId> {
    let dial = |action: &Action| match action {
        Action::Dial { conn, .. } => Some(*conn),
        _ => None,
    };
    actions.iter().filter_map(dial).collect()
}

/// The address of a dial among the actions.
pub fn dialed_address(actions: &[Action], id: ConnId) -> PeerAddress {
    let target = actions.iter().find_map(|action| match action {
        Action::Dial { conn, target, .. } if *conn == id => Some(target),
        _ => None,
    });
    match target.expect("the connection is dialed") {
        Target::Direct(addr) => PeerAddress::from(*addr),
        Target::Proxied { address, .. } => address.clone(),
    }
}

/// The closes among the actions, with their reasons.
pub fn closes(actions: &[Action]) -> Vec<(ConnId, CloseReason)> {
    let close = |action: &Action| match action {
        Action::Close { conn, reason } => Some((*conn, *reason)),
        _ => None,
    };
    actions.iter().filter_map(close).collect()
}

/// The events among the actions.
pub fn events(actions: &[Action]) -> Vec<Event> {
    let event = |action: &Action| match action {
        Action::Emit(event) => Some(event.clone()),
        _ => None,
    };
    actions.iter().filter_map(event).collect()
}

/// The retries scheduled among the actions: peer, time, attempt.
pub fn retries(actions: &[Action]) -> Vec<(PeerId, Time, u32)> {
    let retry = |action: &Action| match action {
        Action::ScheduleRetry { peer, at, attempt } => Some((*peer, *at, *attempt)),
        _ => None,
    };
    actions.iter().filter_map(retry).collect()
}

/// Seconds.
pub const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Milliseconds.
pub const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
