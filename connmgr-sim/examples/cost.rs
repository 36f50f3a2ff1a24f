//! What the checkers cost a step, beside the manager's own cost: `cargo run --release -p connmgr-sim --example cost`.
//!
//! A small world is played once and written down; then the same inputs are told to a fresh manager, with and without
//! checkers, in turn. Printed is the quickest run of each: what else the machine does only adds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use connmgr_check::Suite;
use connmgr_core::driver::Observer;
use connmgr_core::*;

const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);
const STEPS: usize = 200_000;
const RUNS: usize = 25;

/// What is to happen, and when.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Dialed(ConnId),
    Ready(ConnId),
    Speaks(ConnId),
    Leaves(ConnId),
    Knocks,
    Gossip,
}

/// A world where half of the dials succeed, peers speak every ten seconds and leave after twenty, and strangers come.
struct World {
    manager: ConnManager,
    queue: BinaryHeap<Reverse<(Time, Due)>>,
    chance: u64,
    now: Time,
    told: Vec<(Time, Input)>,
    actions: usize,
}

impl World {
    fn roll(&mut self, below: u64) -> u64 {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % below
    }

    fn later(&mut self, millis: u64, due: Due) {
        let jitter = self.roll(1_000_000);
        self.queue.push(Reverse((self.now.after(Duration::from_nanos(millis * 1_000_000 + jitter)), due)));
    }

    fn tell(&mut self, input: Input) {
        black_box(self.manager.apply(&input, self.now));
        self.told.push((self.now, input));
        while let Some(action) = self.manager.poll_action() {
            self.actions += 1;
            match action {
                Action::Dial { conn, .. } => self.later(50, Due::Dialed(conn)),
                Action::Emit(Event::Connected(Connected { conn, .. })) => self.later(100, Due::Ready(conn)),
                _ => {}
            }
        }
    }

    fn gossip(&mut self) -> Input {
        let info = |world: &mut Self| {
            AddressInfo::new(PeerAddress::from(world.somebody()))
                .services(Services::NETWORK | Services::WITNESS)
                .last_seen(UNIX)
        };
        Input::Addresses { source: Source::Application, addresses: (0..20).map(|_| info(self)).collect() }
    }

    fn somebody(&mut self) -> SocketAddr {
        let bits = u32::try_from(0x0b00_0000 + self.roll(0x5000_0000)).expect("below 2^32");
        SocketAddr::new(Ipv4Addr::from_bits(bits).into(), 8333)
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Dialed(conn) => {
                let result = if self.roll(2) == 0 { Ok(()) } else { Err(DialError::Refused) };
                self.tell(Input::DialResult { conn, result });
            }
            Due::Ready(conn) => {
                let info = PeerInfo { services: Services::NETWORK | Services::WITNESS, ..PeerInfo::default() };
                self.tell(Input::Ready { conn, info });
                self.later(10_000, Due::Speaks(conn));
                self.later(20_000, Due::Leaves(conn));
            }
            Due::Speaks(conn) if self.manager.connection(conn).is_some() => {
                self.tell(Input::Activity { conn, activity: Activity { block: true, ..Activity::default() } });
                self.later(10_000, Due::Speaks(conn));
            }
            Due::Speaks(_) => {}
            Due::Leaves(conn) => self.tell(Input::Closed { conn, cause: CloseCause::Eof }),
            Due::Knocks => {
                let remote = self.somebody();
                self.tell(Input::Accept { remote, listener: ListenerId(0) });
                self.later(500, Due::Knocks);
            }
            Due::Gossip => {
                let input = self.gossip();
                self.tell(input);
                self.later(5000, Due::Gossip);
            }
        }
    }

    fn turn(&mut self) {
        let event = self.queue.peek().map_or(Time::MAX, |Reverse((at, _))| *at);
        let due = self.manager.poll_timeout().unwrap_or(Time::MAX);
        self.now = self.now.max(event.min(due));
        if due <= event {
            return self.tell(Input::Timeout);
        }
        if let Some(Reverse((_, due))) = self.queue.pop() {
            self.happen(due);
        }
    }
}

fn config() -> Config {
    let listener = Listener::new(ListenerId(0));
    let seeds = SeedConfig { names: Vec::new(), ..SeedConfig::default() };
    Config { listeners: vec![listener], seeds, ..Config::bitcoin(Chain::Mainnet) }
}

fn birth() -> ConnManager {
    ConnManager::new(Birth { config: config(), snapshot: None, rng_seed: [7; 32], unix: UNIX, now: Time::ZERO })
        .expect("a good configuration")
}

/// Tells all to a fresh manager, and returns nanoseconds a step.
fn run(told: &[(Time, Input)], mut suite: Option<Suite>) -> f64 {
    let mut manager = birth();
    let begin = Instant::now();
    for (now, input) in told {
        let reply = manager.apply(input, *now);
        suite.input(*now, input, &reply);
        while let Some(action) = manager.poll_action() {
            suite.action(*now, &action);
            black_box(&action);
        }
        if let Some(suite) = &mut suite {
            suite.after(*now, &manager).expect("nothing is broken");
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a report")]
    let nanos = begin.elapsed().as_nanos() as f64 / told.len() as f64;
    nanos
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn main() {
    let mut world = World {
        manager: birth(),
        queue: BinaryHeap::new(),
        chance: 1,
        now: Time::ZERO,
        told: Vec::with_capacity(STEPS),
        actions: 0,
    };
    world.later(1000, Due::Knocks);
    world.later(1, Due::Gossip);
    while world.told.len() < STEPS {
        world.turn();
    }
    let (mut bare, mut checked) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        bare.push(run(&world.told, None));
        checked.push(run(&world.told, Some(Suite::new(&config(), None, UNIX, Time::ZERO))));
    }
    let (bare, checked) = (least(&bare), least(&checked));
    println!("{STEPS} steps with {} actions, {} of virtual time, quickest of {RUNS} runs:", world.actions, world.now);
    println!("manager alone       {bare:7.0} ns a step");
    println!("manager, checkers   {checked:7.0} ns a step");
    println!("the checkers        {:7.0} ns a step", checked - bare);
}
