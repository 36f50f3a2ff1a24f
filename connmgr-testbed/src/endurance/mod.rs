//! The long run: opens and closes very many connections, and checks that nothing is left of them.
//!
//! The adapter has the loop of its runtime. An [`EnduranceRun`] says what to do with each connection, and counts.
//! Between waves the pool rests: nothing is open, so descriptors, threads, tasks and tokens must be what they were
//! before the first wave, memory what it was after the first few, and the pool's counters what the application has
//! counted.

mod config;
mod ledger;
mod levels;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use connmgr_core::{AddressInfo, Config, ConnId, Event, PeerAddress, Stats};
use connmgr_std::adapter::Clock;

use crate::far_end::{self, FarEnd};
use crate::process;
use ledger::EnduranceLedger;
use levels::ResourceLevels;

/// Connections of one run, unless the command line gives another number.
const CONNECTIONS: u64 = 200_000;

/// Rests in one run.
const WAVES: u64 = 20;

/// Addresses the pool has to choose from, and how many connections it keeps.
const KNOWN: u32 = 4096;
const POOL: u32 = 256;

/// Connections that the far end keeps before it resets the oldest. Fewer than the pool's, so that there is always a
/// reader that sees a reset.
const FAR_END_KEEPS: usize = 128;

/// The pool's builder gets this as `max_waiting_events`: the course counts events, so none may be dropped.
pub const WAITING_EVENTS: usize = 100_000;

/// How long the last events of a wave may take. Later they count as missing.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long a wave may take: a hundred times as long as it does.
const WAVE_WITHIN: Duration = Duration::from_secs(120);

/// What the application does with a connection, after it reported it ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamFate {
    /// Drops it at once.
    Drop,
    /// Has the pool close it.
    Disconnect,
    /// Reads to its end, and then drops it.
    Read,
}

/// A run.
#[derive(Debug)]
pub struct EnduranceRun {
    far_end: FarEnd,
    ledger: EnduranceLedger,
    per_wave: u64,
    /// Taken at each rest. The first is from before the first wave.
    levels: Vec<ResourceLevels>,
    faults: Vec<String>,
    /// When the last rest ended.
    rested: Instant,
}

impl EnduranceRun {
    /// Begins a run on this runtime. Does not return in the process of the far end.
    ///
    /// # Panics
    /// When the operating system refuses what is needed.
    pub fn begin(runtime: &str) -> Self {
        far_end::serve_if_asked();
        process::raise_descriptor_limit();
        let connections = env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(CONNECTIONS);
        println!("{runtime}: {connections} connections, {WAVES} rests");
        let far_end = FarEnd::start(FAR_END_KEEPS).expect("a second process");
        let per_wave = (connections / WAVES).max(1);
        let (levels, faults) = Default::default();
        Self { far_end, ledger: EnduranceLedger::default(), per_wave, levels, faults, rested: Instant::now() }
    }

    /// The pool's configuration.
    pub fn config(&self) -> Config {
        config::busy(POOL, KNOWN)
    }

    /// The addresses that the pool learns before it is first activated.
    pub fn addresses(&self) -> Vec<AddressInfo> {
        let last_seen = Clock::start().unix();
        let info = |address: PeerAddress| AddressInfo::new(address).last_seen(last_seen);
        far_end::addresses(KNOWN, self.far_end.port()).into_iter().map(info).collect()
    }

    /// How many waves there are.
    pub const fn waves(&self) -> u64 {
        WAVES
    }

    /// Notes a connection. Returns what the application is to do with it.
    pub fn opened(&mut self, conn: ConnId) -> StreamFate {
        self.ledger.opened(conn);
        match conn.as_u64() % 4 {
            0 => StreamFate::Disconnect,
            1 | 2 => StreamFate::Drop,
            _ => StreamFate::Read,
        }
    }

    /// Notes an event.
    pub fn told(&mut self, event: &Event) {
        self.ledger.told(event);
    }

    /// Whether the application has seen enough connections for this wave.
    ///
    /// # Panics
    /// When the wave takes too long.
    pub fn is_wave_over(&self) -> bool {
        assert!(self.rested.elapsed() < WAVE_WITHIN, "stuck: {:?}", self.ledger);
        self.ledger.seen() >= self.per_wave * self.levels.len() as u64
    }

    /// Whether the application has not yet been told everything that these counters count.
    pub fn is_behind(&self, stats: &Stats) -> bool {
        self.ledger.is_behind(stats)
    }

    /// Checks the pool at rest: it is inactive, and no event comes any more. `left`: connections and dials, of which
    /// there should be none. `tasks`: what the runtime counts of its own.
    ///
    /// # Panics
    /// When the far end is gone.
    pub fn rest(&mut self, stats: &Stats, left: usize, tasks: usize) {
        let accepted = self.far_end.hang_up().expect("the far end lives");
        if left != 0 {
            self.faults.push(format!("{left} connections are left while the pool rests"));
        }
        self.faults.extend(self.ledger.audit(stats, accepted));
        let levels = ResourceLevels::read(self.ledger.seen(), tasks);
        println!("{levels}");
        self.levels.push(levels);
        self.rested = Instant::now();
    }

    /// Compares the levels, and prints the faults.
    pub fn end(self) -> ExitCode {
        let faults = self.faults.into_iter().chain(levels::compare(&self.levels));
        let faults = faults.inspect(|fault| println!("FAULT: {fault}")).count();
        println!("{faults} faults\n");
        if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
