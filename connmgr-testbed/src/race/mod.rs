//! A pool against the bare connect loop of its runtime, in one process, turn about.
//!
//! The adapter brings a [`Racer`]; what is raced, how it is counted and what is printed is the same for all. CPU is
//! that of this process alone: the far end is another. The two take turns, and the medians of nine turns are compared,
//! so that what else the machine does hits both alike.

mod config;
mod idle;
mod sample;
mod table;

use std::env;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::Sender;

use connmgr_core::{AddressInfo, Config, PeerAddress, Services};

use connmgr_std::adapter::Clock;

pub use sample::{Sample, Stopwatch};

use crate::far_end::{self, ClosedPort, FarEnd};
use crate::process;
use table::{Contest, Rate, Runner};

/// Turns of each; the first, which warms up, is not counted.
const TURNS: usize = 9;

/// Connections that are held at the end.
const HELD: u32 = 2000;

/// How often each opens them in one turn.
const FILLS: usize = 5;

/// Addresses in the book, of which the pool has to choose.
const KNOWN: u32 = 20_000;

/// Refused dials in one turn, and how many are under way at a time.
const REFUSED: u32 = 10_000;
const WIDTH: u32 = 64;

/// The pool's builder gets this as `max_waiting_events`: the goal counts events, so none may be dropped.
pub const WAITING_EVENTS: usize = 4 * REFUSED as usize;

/// What a pool has to do.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The pool's configuration: it fills itself.
    pub config: Config,
    /// Peers that are added before it begins.
    pub peers: Vec<PeerAddress>,
    /// What else it is told before it begins.
    pub addresses: Vec<AddressInfo>,
    /// When it is done.
    pub goal: Goal,
}

/// When a pool is done.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// The application holds so many connections.
    Open(u32),
    /// The application was told of so many dials that failed.
    Refused(u32),
}

/// One runtime: its bare connect loop, and its adapter.
pub trait Racer: Send + Sync + 'static {
    /// The runtime, for the heading.
    const RUNTIME: &'static str;

    /// The loop that somebody would write who has no pool: connects to each address, so many at a time, by nonblocking
    /// sockets without Nagle's algorithm, and holds the streams. The stopwatch runs from the first to the last; how
    /// many opened, and how many were refused, comes with it.
    fn bare(&self, to: &[SocketAddr], width: u32) -> (Sample, Ended);

    /// The same by the pool, which is started, made inactive and told peers and addresses; the stopwatch runs from its
    /// activation to its goal. Then it is shut down.
    fn pool(&self, trial: Trial) -> (Sample, Ended);

    /// Reaches the goal, says that each connection is ready, sends word, and then takes events for ever.
    fn hold(&self, trial: Trial, full: Sender<()>);
}

/// How dials have ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// In a connection that was held.
    pub opened: u32,
    /// In an error.
    pub failed: u32,
}

impl Ended {
    /// Whether the goal is reached.
    pub const fn is_at(self, goal: Goal) -> bool {
        match goal {
            Goal::Open(count) => self.opened >= count,
            Goal::Refused(count) => self.failed >= count,
        }
    }
}

/// Runs the races and prints the table. Fails beyond the limits. With `bare` or `pool` on the command line only that
/// one runs, for a profiler.
///
/// # Panics
/// When the operating system refuses what is needed, or a dial ends as it should not: then nothing was measured.
pub fn run(racer: impl Racer) -> ExitCode {
    far_end::serve_if_asked();
    process::raise_descriptor_limit();
    let mut far_end = FarEnd::start(2 * HELD as usize).expect("a second process");
    if let Some(runner) = env::args().skip(1).find_map(|word| Runner::named(&word)) {
        run_alone(&racer, runner, &mut far_end);
        return ExitCode::SUCCESS;
    }
    println!("{}: pool against bare connect loop, medians of {TURNS} turns, turn about\n", racer_name(&racer));
    let mut opening = Opening::of_added(&mut far_end);
    let added = Contest::hold(TURNS * FILLS, FILLS, Rate::Opened("peers added"), |runner| opening.run(&racer, runner));
    let mut opening = Opening::of_known(&mut far_end);
    let chosen =
        Contest::hold(TURNS * FILLS, FILLS, Rate::Opened("peers chosen"), |runner| opening.run(&racer, runner));
    let refused = refused(&racer);
    let is_fast = table::print([&added, &chosen], &refused);
    let is_quiet = idle::print(racer, opening.trial);
    if is_fast && is_quiet { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const fn racer_name<R: Racer>(_: &R) -> &'static str {
    R::RUNTIME
}

/// For a profiler: one of the two opens connections without the other.
fn run_alone(racer: &impl Racer, runner: Runner, far_end: &mut FarEnd) {
    let mut opening = Opening::of_added(far_end);
    let samples: Vec<Sample> = (0..TURNS * FILLS).map(|_| opening.run(racer, runner)).collect();
    let sum: Sample = samples.into_iter().sum();
    println!("{}, {runner:?} alone: {:.1} µs of CPU a connection", racer_name(racer), sum.cpu_micros());
}

/// What is raced for connections.
struct Opening<'a> {
    far_end: &'a mut FarEnd,
    trial: Trial,
    targets: Vec<SocketAddr>,
}

impl<'a> Opening<'a> {
    /// The pool chooses them from its book.
    fn of_known(far_end: &'a mut FarEnd) -> Self {
        let addresses = known(far_end.port());
        let targets = sockets(&addresses, HELD);
        let (config, peers) = (config::filled_to(HELD), Vec::new());
        Self { far_end, trial: Trial { config, peers, addresses, goal: Goal::Open(HELD) }, targets }
    }

    /// The pool is told each, as the bare loop is.
    fn of_added(far_end: &'a mut FarEnd) -> Self {
        let peers = far_end::addresses(HELD, far_end.port());
        let targets = peers.iter().filter_map(PeerAddress::socket_addr).collect();
        let (config, addresses) = (config::added(HELD), Vec::new());
        Self { far_end, trial: Trial { config, peers, addresses, goal: Goal::Open(HELD) }, targets }
    }

    fn run(&mut self, racer: &impl Racer, runner: Runner) -> Sample {
        let (sample, ended) = match runner {
            Runner::Bare => racer.bare(&self.targets, HELD),
            Runner::Pool => racer.pool(self.trial.clone()),
        };
        // The streams are gone; so are the far end's, before the next begins.
        self.far_end.hang_up().expect("the far end lives");
        checked(sample, ended, Ended { opened: HELD, failed: 0 })
    }
}

fn refused(racer: &impl Racer) -> Contest {
    let closed = ClosedPort::reserve().expect("a port");
    let addresses = known(closed.port());
    let targets = sockets(&addresses, REFUSED);
    let (config, peers) = (config::filled_to(WIDTH), Vec::new());
    let trial = Trial { config, peers, addresses, goal: Goal::Refused(REFUSED) };
    let all = Ended { opened: 0, failed: REFUSED };
    Contest::hold(TURNS, 1, Rate::Refused, |runner| {
        let (sample, mut ended) = match runner {
            Runner::Bare => racer.bare(&targets, WIDTH),
            Runner::Pool => racer.pool(trial.clone()),
        };
        // Several may fail in the round in which the goal is reached.
        ended.failed = ended.failed.min(REFUSED);
        checked(sample, ended, all)
    })
}

fn checked(sample: Sample, ended: Ended, expected: Ended) -> Sample {
    assert_eq!(ended, expected, "a dial ended as it should not");
    sample
}

fn known(port: u16) -> Vec<AddressInfo> {
    let last_seen = Clock::start().unix();
    let info = |address: PeerAddress| AddressInfo { address, services: Services::NONE, last_seen };
    far_end::addresses(KNOWN, port).into_iter().map(info).collect()
}

/// So many of them, from all over.
fn sockets(known: &[AddressInfo], count: u32) -> Vec<SocketAddr> {
    let step = known.len() / count as usize;
    known.iter().step_by(step).filter_map(|info| info.address.socket_addr()).take(count as usize).collect()
}
