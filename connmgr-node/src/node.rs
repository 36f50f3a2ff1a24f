//! The node: a pool, a session on each of its connections, and a report of what happens.
//!
//! It decides nothing about connections; it only starts what the options ask for, and stops it in order. Nor does it
//! know a runtime: see [`Runtime`].

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use connmgr_core::{Chain, Config, Keep, PeerAddress, PeerId, Time};
use connmgr_std::StartError;

use crate::board::Board;
use crate::cli::{Options, RuntimeName, Scene};
use crate::link::Host;
use crate::pen::Pen;
use crate::report::{Format, Report};
use crate::runtime::mio::Mio;
use crate::runtime::smol::Smol;
use crate::runtime::tokio::Tokio;
use crate::runtime::{Next, Runtime};
use crate::setup;
use crate::stop::Stop;
use crate::world::behavior::Behavior;
use crate::world::{World, WorldConfig};

/// How a run ended that nothing went wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All connections that should be there were there at some time, or the operator stopped it.
    Good,
    /// Its time was up, and they never were all there.
    Short,
}

/// What is left of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether its report was written to the end: a reader may have stalled.
    pub is_told: bool,
}

/// Runs a node as the options say, until its time is up or it is told to stop. Its report goes to `out`.
///
/// # Errors
/// Names the option that can't be fulfilled, and why; or what ended the run.
pub fn run(options: &Options, out: impl Write + Send + 'static, stop: Stop) -> Result<Ended> {
    let world = match options.scene {
        Scene::World => Some(World::start(&WorldConfig::default()).context("the world on loopback can't start")?),
        Scene::Network(_) => None,
    };
    let config = setup::config(options, world.as_ref().is_some_and(World::relaxed));
    let format = if options.json { Format::Json } else { Format::Plain };
    let pen = Pen::new(out).context("the report's thread can't start")?;
    let board = Board::new(Report::new(pen, format), setup::target(options, &config));
    let run = match options.runtime {
        RuntimeName::Tokio => Node::<Tokio>::run,
        RuntimeName::Mio => Node::<Mio>::run,
        RuntimeName::Smol => Node::<Smol>::run,
    };
    let ended = run(options, config, board.clone(), world, stop);
    if ended.is_err() {
        // What was told before is of interest, too.
        board.wait();
    }
    ended
}

/// A node that runs.
#[derive(Debug)]
struct Node<R> {
    board: Board,
    runtime: R,
    stop: Stop,
    world: Option<World>,
}

impl<R: Runtime> Node<R> {
    fn run(options: &Options, config: Config, board: Board, world: Option<World>, stop: Stop) -> Result<Ended> {
        let (chain, max_peers) = (options.scene.chain(), config.limits.total);
        let host = Host::new(chain, board.clone());
        let runtime = R::start(options, config, host, stop.clone()).map_err(explain)?;
        announce(&board, chain, max_peers, world.as_ref());
        let mut node = Self { board, runtime, stop, world };
        node.meet(options)?;
        let run_for = setup::run_for(options);
        node.attend(run_for.and_then(|run_for| Instant::now().checked_add(run_for)))?;
        Ok(node.finish())
    }

    /// Says where it listens, and asks for the peers it should have.
    fn meet(&mut self, options: &Options) -> Result<()> {
        for address in self.runtime.local_addrs() {
            self.board.note(&format!("listening on {address}"));
        }
        for (option, peers) in [("--connect", &options.connect), ("--add", &options.add)] {
            for peer in peers {
                self.add(peer).with_context(|| format!("{option} {peer}"))?;
            }
        }
        self.settle()
    }

    fn add(&mut self, peer: &PeerAddress) -> Result<PeerId> {
        let id = self.runtime.add_peer(peer.clone(), Keep::Always)?;
        self.board.note(&format!("added {id}: {peer}"));
        Ok(id)
    }

    /// The node knows everyone in its little world, and wants one in particular: the one that comes and goes.
    fn settle(&mut self) -> Result<()> {
        let Some(world) = &self.world else { return Ok(()) };
        self.runtime.addresses(world.everyone());
        let restless: Vec<PeerAddress> = world.addresses(Behavior::ComingAndGoing).map(PeerAddress::from).collect();
        restless.iter().try_for_each(|peer| self.add(peer).map(drop))
    }

    /// Takes what comes from the pool, until it is told to stop or its time is up.
    fn attend(&mut self, until: Option<Instant>) -> Result<()> {
        loop {
            match self.runtime.next(until)? {
                Next::Event(event) => self.board.event(&event),
                Next::Retry { peer, at, attempt } => self.retry(peer, at, attempt),
                Next::Problem(problem) => self.board.note(&problem.to_string()),
                Next::Other(news) => self.board.note(&news),
                Next::Woken => return Ok(()),
                Next::Over => bail!("the pool stopped by itself"),
            }
        }
    }

    fn retry(&self, peer: PeerId, at: Time, attempt: u32) {
        let wait = at.since(self.runtime.now());
        let (seconds, tenths) = (wait.as_secs(), wait.subsec_millis() / 100);
        let failures = if attempt == 1 { "failure" } else { "failures in a row" };
        self.board.note(&format!("retry {peer} in {seconds}.{tenths} s, after {attempt} {failures}"));
    }

    /// Closes everything and tells what happened in all. Counts first, for what is counted is how it stood before the
    /// end.
    fn finish(mut self) -> Ended {
        let is_time_up = !self.stop.is_stopping();
        let stats = self.runtime.stats();
        let mut summary = self.board.summary();
        (summary.dials, summary.retries) = (stats.dials, stats.retries_scheduled);
        summary.world = self.world.as_ref().map(World::tally).unwrap_or_default();
        self.board.note("stopping");
        for problem in self.runtime.shutdown() {
            self.board.note(&problem.to_string());
        }
        let is_short = is_time_up && summary.time_to_target.is_none();
        let outcome = if is_short { Outcome::Short } else { Outcome::Good };
        Ended { outcome, is_told: self.board.finish(&summary) }
    }
}

fn announce(board: &Board, chain: Chain, max_peers: u32, world: Option<&World>) {
    let Some(world) = world else {
        let name = format!("{chain:?}").to_lowercase();
        return board.note(&format!("joining {name}, at most {max_peers} connections"));
    };
    let count = world.everyone().len();
    board.note(&format!("a little world of {count} peers on loopback, good and bad; --help tells of real networks"));
    if world.relaxed() {
        board.note("127.1.0.1 can't be bound here: all are on 127.0.0.1, and the group rule is relaxed");
    }
}

/// Names the option behind an error.
fn explain(error: StartError) -> anyhow::Error {
    let option = match &error {
        StartError::Config(error) => return anyhow!(setup::explain(error)),
        StartError::Listen { .. } => "--listen",
        StartError::State(_) => "--state-dir",
        StartError::Trace { path, error } => return anyhow!("--trace {}: {error}", path.display()),
        _ => "the pool",
    };
    anyhow::Error::new(error).context(option)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_is_wrong_with_the_trace_is_said_once() {
        let error = io::Error::other("no such place").into();
        let told = format!("{:#}", explain(StartError::Trace { path: "/nowhere/x".into(), error }));
        assert_eq!(told, "--trace /nowhere/x: no such place");
    }
}
