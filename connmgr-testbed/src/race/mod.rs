//! A pool against the bare connect loop of its runtime, by turns in one process.
//!
//! The adapter implements [`Racer`]; what is measured and printed is the same for all. The far end is another process,
//! whose CPU is not counted. The medians of nine turns are compared, so that other load on the machine affects both
//! alike.

mod config;
mod idle;
mod sample;
mod table;

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::Sender;

use connmgr_core::{AddressInfo, Config, Keep, PeerAddress};

use connmgr_std::adapter::Clock;

pub use sample::{Sample, Stopwatch};

use crate::far_end::{self, ClosedPort, FarEnd};
use crate::process;
use table::{Contest, Contestant, RaceRate};

/// Turns of each that are counted, after one to warm up.
const TURNS: usize = 9;

/// Connections held at the end of a run.
const HELD: u32 = 2000;

/// Runs of each in one turn.
const FILLS: usize = 5;

/// Addresses in the book from which the pool chooses.
const KNOWN: u32 = 20_000;

/// Refused dials in one turn, and how many are under way at a time.
const REFUSED: u32 = 10_000;
const WIDTH: u32 = 64;

/// The pool's builder gets this as `max_waiting_events`: the goal counts events, so none may be dropped.
pub const WAITING_EVENTS: usize = 4 * REFUSED as usize;

/// The task of a pool in one run.
#[derive(Clone, Debug)]
pub struct RaceTrial {
    /// The pool's configuration.
    pub config: Config,
    /// Peers to add before the start.
    pub peers: Vec<PeerAddress>,
    /// For how long they are added.
    pub keep: Keep,
    /// Addresses to learn before the start.
    pub addresses: Vec<AddressInfo>,
    /// When the run is over.
    pub goal: RaceGoal,
}

/// When a run is over.
#[derive(Clone, Copy, Debug)]
pub enum RaceGoal {
    /// The application holds so many connections.
    Open(u32),
    /// The application was told of so many dials that failed.
    Refused(u32),
}

/// One runtime: its bare connect loop, and its adapter.
pub trait Racer: Send + Sync + 'static {
    /// The runtime, for the heading.
    const RUNTIME: &'static str;

    /// The loop of a program without a pool: connects to each address, so many at a time, by non-blocking sockets
    /// without Nagle's algorithm, and holds the streams. Measures from the first dial to the end of the last, and
    /// counts how dials ended.
    fn bare(&self, to: &[SocketAddr], width: u32) -> (Sample, DialCounts);

    /// The same by a pool, which is started, made inactive and told peers and addresses. Measures from its activation
    /// to its goal. Then it is shut down. Each connection is reported ready at once.
    fn pool(&self, trial: RaceTrial) -> (Sample, DialCounts);

    /// Reaches the goal, signals it, and then takes events for ever.
    fn hold(&self, trial: RaceTrial, full: Sender<()>);
}

/// How dials ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DialCounts {
    /// With a connection.
    pub opened: u32,
    /// With an error.
    pub failed: u32,
}

impl DialCounts {
    /// Whether the goal is reached.
    pub const fn is_at(self, goal: RaceGoal) -> bool {
        match goal {
            RaceGoal::Open(count) => self.opened >= count,
            RaceGoal::Refused(count) => self.failed >= count,
        }
    }
}

/// Runs the races and prints the table. Fails beyond the limits. With `bare` or `pool` on the command line only that
/// one runs, for a profiler.
///
/// # Panics
/// When the operating system refuses what is needed, or a dial ends in an unexpected way.
pub fn run(racer: impl Racer) -> ExitCode {
    far_end::serve_if_asked();
    process::raise_descriptor_limit();
    let mut far_end = FarEnd::start(2 * HELD as usize).expect("a second process");
    if let Some(runner) = env::args().skip(1).find_map(|word| Contestant::named(&word)) {
        run_alone(&racer, runner, &mut far_end);
        return ExitCode::SUCCESS;
    }
    println!("{}: pool against bare connect loop, medians of {TURNS} turns, by turns\n", racer_name(&racer));
    let mut opening = Opening::of_added(&mut far_end);
    let added =
        Contest::hold(TURNS * FILLS, FILLS, RaceRate::Opened("peers added"), |runner| opening.run(&racer, runner));
    let mut opening = Opening::of_known(&mut far_end);
    let chosen =
        Contest::hold(TURNS * FILLS, FILLS, RaceRate::Opened("peers chosen"), |runner| opening.run(&racer, runner));
    let refused = refused(&racer);
    let is_fast = table::print([&added, &chosen], &refused);
    let is_quiet = idle::print(racer, opening.trial);
    if is_fast && is_quiet { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const fn racer_name<R: Racer>(_: &R) -> &'static str {
    R::RUNTIME
}

/// For a profiler: only one of the two opens connections.
fn run_alone(racer: &impl Racer, runner: Contestant, far_end: &mut FarEnd) {
    let mut opening = Opening::of_added(far_end);
    let samples: Vec<Sample> = (0..TURNS * FILLS).map(|_| opening.run(racer, runner)).collect();
    let sum: Sample = samples.into_iter().sum();
    println!("{}, {runner:?} alone: {:.1} µs of CPU a connection", racer_name(racer), sum.cpu_micros());
}

/// A race to open connections.
struct Opening<'a> {
    far_end: &'a mut FarEnd,
    trial: RaceTrial,
    targets: Vec<SocketAddr>,
}

impl<'a> Opening<'a> {
    /// The pool chooses peers from its book.
    fn of_known(far_end: &'a mut FarEnd) -> Self {
        let addresses = known(far_end.port());
        let targets = sockets(&addresses, HELD);
        let (config, peers) = (config::filled_to(HELD), Vec::new());
        Self {
            far_end,
            trial: RaceTrial { config, peers, keep: Keep::Always, addresses, goal: RaceGoal::Open(HELD) },
            targets,
        }
    }

    /// Every peer is added to the pool.
    fn of_added(far_end: &'a mut FarEnd) -> Self {
        let peers = far_end::addresses(HELD, far_end.port());
        let targets = peers.iter().filter_map(PeerAddress::socket_addr).collect();
        let (config, addresses) = (config::added(HELD, HELD), Vec::new());
        Self {
            far_end,
            trial: RaceTrial { config, peers, keep: Keep::Always, addresses, goal: RaceGoal::Open(HELD) },
            targets,
        }
    }

    fn run(&mut self, racer: &impl Racer, runner: Contestant) -> Sample {
        let (sample, ended) = match runner {
            Contestant::Bare => racer.bare(&self.targets, HELD),
            Contestant::Pool => racer.pool(self.trial.clone()),
        };
        // The far end's streams go before the next run begins.
        self.far_end.hang_up().expect("the far end lives");
        checked(sample, ended, DialCounts { opened: HELD, failed: 0 })
    }
}

fn refused(racer: &impl Racer) -> Contest {
    let closed = ClosedPort::reserve().expect("a port");
    // Added one by one: automatic dials that lead nowhere slow down.
    let peers = far_end::addresses(REFUSED, closed.port());
    let targets: Vec<_> = peers.iter().filter_map(PeerAddress::socket_addr).collect();
    let (config, addresses) = (config::added(REFUSED, WIDTH), Vec::new());
    let trial = RaceTrial { config, peers, keep: Keep::Once, addresses, goal: RaceGoal::Refused(REFUSED) };
    let all = DialCounts { opened: 0, failed: REFUSED };
    Contest::hold(TURNS, 1, RaceRate::Refused, |runner| {
        let (sample, mut ended) = match runner {
            Contestant::Bare => racer.bare(&targets, WIDTH),
            Contestant::Pool => racer.pool(trial.clone()),
        };
        // More may fail in the round in which the goal is reached.
        ended.failed = ended.failed.min(REFUSED);
        checked(sample, ended, all)
    })
}

fn checked(sample: Sample, ended: DialCounts, expected: DialCounts) -> Sample {
    assert_eq!(ended, expected, "a dial ended in an unexpected way");
    sample
}

fn known(port: u16) -> Vec<AddressInfo> {
    let last_seen = Clock::start().unix();
    let info = |address: PeerAddress| AddressInfo::new(address).last_seen(last_seen);
    far_end::addresses(KNOWN, port).into_iter().map(info).collect()
}

/// So many of them, spread over all.
fn sockets(known: &[AddressInfo], count: u32) -> Vec<SocketAddr> {
    let step = known.len() / count as usize;
    known.iter().step_by(step).filter_map(|info| info.address.socket_addr()).take(count as usize).collect()
}
