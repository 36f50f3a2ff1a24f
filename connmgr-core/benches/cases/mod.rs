//! The cases that are measured in time, instructions and allocations: a manager in virtual time, and inputs that are
//! repeated.

#![allow(dead_code, unreachable_pub, reason = "shared by benches and tests, each of which is a crate and uses a part")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use connmgr_core::*;

/// The wall clock at birth: 2026-01-01.
const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);
const SECOND: Duration = Duration::from_secs(1);

/// A manager, its clock, and its last dial.
#[derive(Clone)]
pub struct Node {
    pub manager: ConnManager,
    pub now: Time,
    /// The dial emitted last.
    dial: Option<ConnId>,
    /// Actions taken so far.
    pub actions: u64,
}

/// The default pool of 8, with a listener, without pacing, spacing and outages, so that everything goes at full speed.
/// Retries have no jitter.
fn config() -> Config {
    let mut config = Config::default();
    config.dial.rate = Rate { burst: 1, interval: Duration::ZERO };
    config.dial.spacing = SECOND / 1000;
    config.dial.min_spacing = SECOND / 1000;
    config.health.own_failures = u32::MAX;
    config.health.silent_dials = u32::MAX;
    config.inbound.rate = Rate { burst: 1, interval: Duration::ZERO };
    config.listeners = vec![Listener::new(ListenerId(0))];
    config
}

/// The public address with this number, each in a group of its own for the first 20 000.
pub fn address(number: u32) -> SocketAddr {
    let (group, host) = (number % 20_000, number / 20_000);
    let ip = Ipv4Addr::from((11 + group / 256) << 24 | (group % 256) << 16 | (host + 1));
    SocketAddr::new(IpAddr::V4(ip), 8333)
}

impl Node {
    fn new(config: Config) -> Self {
        let manager =
            ConnManager::new(Birth { config, snapshot: None, rng_seed: [7; 32], unix: UNIX, now: Time::ZERO })
                .expect("a good configuration");
        let mut node = Self { manager, now: Time::ZERO, dial: None, actions: 0 };
        node.manager.handle_timeout(node.now);
        node.drain();
        node
    }

    /// No known address, default configuration.
    pub fn empty() -> Self {
        Self::new(Config::default())
    }

    /// `count` known addresses. All slots of the pool are taken by dials; the last one is the next to be answered.
    pub fn dialing(known: u32) -> Self {
        let mut node = Self::new(Config { limits: Limits { full: 0, ..Limits::default() }, ..config() });
        node.learn(known);
        node.manager.set_limits(Limits::default(), node.now).expect("good limits");
        node.drain();
        node
    }

    /// `count` addresses of a file, each of which was connected, by a clock that may be wrong: their dates are kept. All
    /// are reported again if `is_told`.
    pub fn doubting(known: u32, is_told: bool) -> Self {
        let config = Config { limits: Limits { full: 0, ..Limits::default() }, ..config() };
        let mut snapshot = Node::dialing(known).manager.snapshot();
        for saved in &mut snapshot.addresses {
            (saved.last_try, saved.last_success) = (UNIX, UNIX);
        }
        let birth =
            Birth { config, snapshot: Some(snapshot), rng_seed: [7; 32], unix: UnixTime::default(), now: Time::ZERO };
        let manager = ConnManager::new(birth).expect("a good configuration");
        let mut node = Self { manager, now: Time::ZERO, dial: None, actions: 0 };
        if is_told {
            node.learn(known);
        }
        node
    }

    fn learn(&mut self, known: u32) {
        let info =
            |number| AddressInfo::new(PeerAddress::from(address(number))).services(Services::NETWORK).last_seen(UNIX);
        let numbers: Vec<u32> = (0..known).collect();
        for chunk in numbers.chunks(1000) {
            let infos: Vec<AddressInfo> = chunk.iter().map(|number| info(*number)).collect();
            self.manager.handle_addresses(Source::Application, &infos, self.now);
            self.drain();
        }
    }

    /// `count` known addresses, and a pool of 200 that dials them.
    pub fn dialing_many(known: u32) -> Self {
        let mut node = Self::dialing(known);
        node.manager.set_limits(Limits { total: 500, full: 200, ..Limits::default() }, node.now).expect("good limits");
        node.drain();
        node
    }

    /// As [`dialing`](Self::dialing), but all connections are ready, except one that is only open.
    pub fn connected(known: u32) -> Self {
        let mut node = Self::dialing(known);
        for conn in node.manager.connections() {
            node.dial = Some(conn.conn);
            node.succeed();
        }
        let ready = node.manager.connections().into_iter().skip(1);
        let ready: Vec<ConnId> = ready.map(|conn| conn.conn).collect();
        for conn in ready {
            node.manager.handle_ready(conn, PeerInfo::default(), node.now);
        }
        node.drain();
        node.dial = node.manager.connections().first().map(|conn| conn.conn);
        node
    }

    /// One added peer, connected.
    pub fn with_peer() -> Self {
        let mut node = Self::new(Config { mode: Mode::ConnectOnly, ..config() });
        let peer = PeerAddress::from(address(0));
        node.manager.add_peer(AddedPeer::new(peer), node.now).expect("room for one");
        node.drain();
        node.succeed();
        node
    }

    /// `count` added peers, each of which failed once and waits.
    pub fn waiting(peers: u32) -> Self {
        let limits = Limits { total: 1_000_000, added: 1_000_000, ..Limits::default() };
        let mut node = Self::new(Config { mode: Mode::ConnectOnly, limits, ..config() });
        for number in 0..peers {
            node.add_waiting(number);
        }
        node
    }

    /// Adds a peer, which fails and waits.
    pub fn add_waiting(&mut self, number: u32) {
        self.manager.add_peer(AddedPeer::new(PeerAddress::from(address(number))), self.now).expect("room for all");
        self.drain();
        self.fail();
    }

    /// `count` banned hosts.
    pub fn banning(bans: u32) -> Self {
        let mut node = Self::new(config());
        for number in 0..bans {
            let target = BanTarget::Host(Host::from(address(number).ip()));
            node.manager.ban(&target, 86_400 * SECOND, node.now).expect("bannable");
            node.drain();
        }
        node
    }

    /// Takes the actions, as a driver does.
    pub fn drain(&mut self) {
        while let Some(action) = self.manager.poll_action() {
            self.actions += 1;
            if let Action::Dial { conn, .. } = action {
                self.dial = Some(conn);
            }
        }
    }

    /// Whether the last round made a dial that has not failed.
    pub fn has_dialed(&self) -> bool {
        self.dial.is_some()
    }

    fn pass(&mut self, wait: Duration) {
        self.now = self.now.after(wait);
    }

    /// The last dial fails; a moment later the next one is made.
    pub fn fail(&mut self) {
        let Some(conn) = self.dial.take() else { return };
        self.manager.handle_dial_result(conn, Err(DialError::Refused), self.now);
        self.drain();
        self.pass(SECOND / 1000);
    }

    fn succeed(&mut self) {
        let Some(conn) = self.dial else { return };
        self.manager.handle_dial_result(conn, Ok(()), self.now);
        self.drain();
    }

    /// The last connection is closed; the pool dials another one, which succeeds.
    pub fn replace(&mut self) {
        let Some(conn) = self.dial.take() else { return };
        self.manager.handle_closed(conn, CloseCause::Eof, self.now);
        self.drain();
        self.succeed();
        self.pass(SECOND / 1000);
    }

    /// The added peer's connection is closed; after its wait it is dialed again, and that succeeds.
    pub fn retry(&mut self) {
        let Some(conn) = self.dial.take() else { return };
        self.manager.handle_closed(conn, CloseCause::Eof, self.now);
        self.drain();
        self.now = self.manager.poll_timeout().expect("a retry");
        self.manager.handle_timeout(self.now);
        self.drain();
        self.succeed();
    }

    /// A host connects to the listener, and leaves.
    pub fn visit(&mut self, number: u32) {
        if let Ok(conn) = self.accept(number) {
            self.manager.handle_closed(conn, CloseCause::Eof, self.now);
            self.drain();
        }
    }

    /// A host connects to the listener.
    pub fn accept(&mut self, number: u32) -> Result<ConnId, Refusal> {
        let accepted = self.manager.accept(address(number), ListenerId(0), self.now);
        self.drain();
        accepted
    }

    /// The last connected peer misbehaves a little.
    pub fn misbehave(&mut self) {
        let Some(conn) = self.dial else { return };
        self.pass(60 * SECOND);
        self.manager.handle_misbehavior(conn, Penalty { persistent: 0, transient: 10 }, self.now);
        self.drain();
    }

    /// The last connected peer sends something useful.
    pub fn activity(&mut self) {
        let Some(conn) = self.dial else { return };
        self.manager.handle_activity(conn, Activity { block: true, ..Activity::default() }, self.now);
        self.drain();
    }

    /// No answers: only timeouts.
    pub fn silence(&mut self) {
        self.now = self.manager.poll_timeout().expect("dials");
        self.tick();
    }

    /// Time passes, and nothing is due.
    pub fn tick(&mut self) {
        self.manager.handle_timeout(self.now);
        self.drain();
    }

    /// A stray result: the planner runs, and finds nothing to do.
    pub fn stray(&mut self) {
        self.manager.handle_closed(ConnId::from_u64(1 << 60), CloseCause::Eof, self.now);
        self.drain();
    }
}
