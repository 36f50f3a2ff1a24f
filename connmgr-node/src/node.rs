//! The node: a pool, a session on each of its connections, and a report.
//!
//! It starts what the options ask for, and stops it in order. It decides nothing about connections and knows no runtime:
//! see [`Runtime`].

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use connmgr_core::{AddPeerError, Chain, CloseReason, Config, EndReason, Event, Keep, PeerAddress, PeerId, Time};
use connmgr_std::{Problem, StartError, with_causes};

use crate::board::Board;
use crate::cli::{Options, RuntimeName, Scene};
use crate::link::LinkFactory;
use crate::pen::Pen;
use crate::report::{Format, Report, ReportEnd};
use crate::rerun::explain_trace;
use crate::runtime::mio::Mio;
use crate::runtime::smol::Smol;
use crate::runtime::tokio::Tokio;
use crate::runtime::{Runtime, RuntimeEvent};
use crate::setup;
use crate::stop::Stop;
use crate::wanted::WantedPeers;
use crate::why::{self, Clues};
use crate::world::behavior::PeerBehavior;
use crate::world::{LoopbackWorld, WorldConfig};

/// How a run without errors ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeOutcome {
    /// The target was reached, or the operator stopped the node.
    Good,
    /// The time was up, and the target was never reached.
    Short,
    /// The state could not be saved at the end, as the report says.
    StateLost,
}

/// The end of a run.
#[derive(Debug)]
pub struct RunEnd {
    /// How the run ended.
    pub outcome: NodeOutcome,
    /// What became of the report.
    pub report: ReportEnd,
}

/// Runs a node with these options, until its time is up or it is stopped. The report goes to `out`.
///
/// # Errors
/// Names the option that can't be honoured and why, or what ended the run.
pub fn run(options: &Options, out: impl Write + Send + 'static, stop: Stop) -> Result<RunEnd> {
    let table = options.asmap.as_deref().map(setup::asn_table).transpose()?;
    let world = match options.scene {
        Scene::World => {
            Some(LoopbackWorld::start(&WorldConfig::default()).context("the world on loopback can't start")?)
        }
        Scene::Network(_) => None,
    };
    let mut config = setup::config(options, world.as_ref().is_some_and(LoopbackWorld::relaxed));
    config.groups.asn = table;
    let format = if options.json { Format::Json } else { Format::Plain };
    let pen = Pen::new(out).context("the report's thread can't start")?;
    let board = Board::new(Report::new(pen, format), setup::target(options, &config));
    let run = match options.runtime {
        RuntimeName::Tokio => RunningNode::<Tokio>::run,
        RuntimeName::Mio => RunningNode::<Mio>::run,
        RuntimeName::Smol => RunningNode::<Smol>::run,
    };
    let ended = run(options, config, board.clone(), world, stop);
    if ended.is_err() {
        // The report up to here matters too.
        board.wait();
    }
    ended
}

/// A running node.
#[derive(Debug)]
struct RunningNode<R> {
    board: Board,
    runtime: R,
    stop: Stop,
    wanted: WantedPeers,
    clues: Clues,
    world: Option<LoopbackWorld>,
}

impl<R: Runtime> RunningNode<R> {
    fn run(
        options: &Options,
        config: Config,
        board: Board,
        world: Option<LoopbackWorld>,
        stop: Stop,
    ) -> Result<RunEnd> {
        let (chain, max_peers) = (options.scene.chain(), config.limits.total);
        if let Some(table) = &config.groups.asn {
            board.note(&format!("a group is an autonomous system: {table}"));
        }
        let links = LinkFactory::new(chain, board.clone());
        let runtime = R::start(options, config, links, stop.clone()).map_err(explain)?;
        stop.attend();
        announce(&board, chain, max_peers, world.as_ref());
        let wanted = WantedPeers::new(options.state_dir.clone());
        let mut node = Self { board, runtime, stop, wanted, clues: Clues::default(), world };
        node.add_peers(options)?;
        let run_for = setup::run_for(options);
        node.attend(run_for.and_then(|run_for| Instant::now().checked_add(run_for)))?;
        Ok(node.finish())
    }

    /// Reports where it listens, and adds the peers of the options.
    fn add_peers(&mut self, options: &Options) -> Result<()> {
        for address in self.runtime.local_addrs() {
            self.board.note(&format!("listening on {address}"));
        }
        for (option, peers) in [("--connect", &options.connect), ("--add", &options.add)] {
            for peer in peers {
                self.add(peer).with_context(|| format!("{option} {peer}"))?;
            }
        }
        self.join_world()
    }

    /// Adds a peer; one that is banned, when the ban is over.
    fn add(&mut self, peer: &PeerAddress) -> Result<()> {
        match self.runtime.add_peer(peer.clone(), Keep::Always) {
            Ok(id) => {
                self.board.note(&format!("added {id}: {peer}"));
                self.wanted.note_added(id, peer.clone());
            }
            Err(AddPeerError::Banned) => {
                let bans = self.runtime.bans();
                self.board.note(&self.wanted.note_banned(peer.clone(), &bans));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Reports an event. A ban may keep a wanted peer away, or have kept one away until now.
    fn event(&mut self, event: &Event) {
        self.board.event(event);
        self.clues.note(event);
        self.tell_if_own(event);
        if let Event::Banned { target, until } = event {
            self.wanted
                .tell_ban(target, *until, |peer| self.board.met(peer))
                .iter()
                .for_each(|text| self.board.note(text));
        }
        if let Event::Unbanned { target } = event {
            for peer in self.wanted.take_free(target) {
                if let Err(error) = self.add(&peer) {
                    self.board.note(&format!("{peer} is not added: {error}"));
                }
            }
        }
    }

    /// A peer that turned out to be this node itself is told at once.
    fn tell_if_own(&self, event: &Event) {
        let Event::Disconnected { peer: Some(peer), reason: EndReason::Ours(CloseReason::OwnAddress), .. } = event
        else {
            return;
        };
        if let Some((_, address)) = self.wanted.added().iter().find(|(id, _)| id == peer) {
            self.board.note(&format!("{address} is this node itself: name another node with --connect or --add"));
        }
    }

    /// Says why the target is not reached, if it is not.
    fn tell_why(&mut self) {
        let summary = self.board.summary();
        if summary.time_to_target.is_some() {
            return;
        }
        let (ready, total, waited) = (summary.on_target(), summary.target.total(), why::PATIENCE.as_secs());
        self.board.note(&format!("after {waited} s {ready} of {total} connections are ready. Why:"));
        let lift = self.wanted.how_to_lift_a_ban();
        for (id, address) in self.wanted.added() {
            let told = self.runtime.explain(address);
            let why = told.and_then(|told| self.clues.of_peer(*id, address, &told, &lift));
            why.into_iter().for_each(|why| self.board.note(&format!("- {why}")));
        }
        if summary.automatic() < summary.target.automatic {
            self.clues.of_automatic().iter().for_each(|why| self.board.note(&format!("- {why}")));
        }
    }

    /// In the loopback world: learns all addresses, and adds the peer that comes and goes.
    fn join_world(&mut self) -> Result<()> {
        let Some(world) = &self.world else { return Ok(()) };
        self.runtime.learn_addresses(world.all_addresses());
        let unsteady: Vec<PeerAddress> = world.addresses(PeerBehavior::ComingAndGoing).map(PeerAddress::from).collect();
        unsteady.iter().try_for_each(|peer| self.add(peer))
    }

    /// Handles the pool's events until the node is stopped or its time is up.
    fn attend(&mut self, until: Option<Instant>) -> Result<()> {
        let mut why_at = Instant::now().checked_add(why::PATIENCE);
        loop {
            match self.runtime.next(until.into_iter().chain(why_at).min())? {
                RuntimeEvent::Event(event) => self.event(&event),
                RuntimeEvent::Retry { peer, at, attempt } => self.retry(peer, at, attempt),
                RuntimeEvent::Problem(problem) => self.board.note(&with_causes(&problem).to_string()),
                RuntimeEvent::Other(news) => self.board.note(&news),
                RuntimeEvent::Woken if self.is_over(until) => return Ok(()),
                RuntimeEvent::Woken => {
                    why_at = None;
                    self.tell_why();
                }
                RuntimeEvent::Over => bail!("the pool stopped by itself"),
            }
        }
    }

    /// Whether the node is stopped or its time is up.
    fn is_over(&self, until: Option<Instant>) -> bool {
        self.stop.is_stopping() || until.is_some_and(|until| until <= Instant::now())
    }

    fn retry(&self, peer: PeerId, at: Time, attempt: u32) {
        let wait = at.since(self.runtime.now());
        let (seconds, tenths) = (wait.as_secs(), wait.subsec_millis() / 100);
        let failures = if attempt == 1 { "failure" } else { "failures in a row" };
        self.board.note(&format!("retry {peer} in {seconds}.{tenths} s, after {attempt} {failures}"));
    }

    /// Closes everything and writes the summary.
    fn finish(mut self) -> RunEnd {
        let is_time_up = !self.stop.is_stopping();
        // Counted before the shutdown closes everything.
        let stats = self.runtime.stats();
        let mut summary = self.board.summary();
        (summary.dials, summary.retries) = (stats.dials, stats.retries_scheduled);
        summary.world = self.world.as_ref().map(LoopbackWorld::tally).unwrap_or_default();
        self.board.note("stopping");
        let problems = self.runtime.shutdown();
        for problem in &problems {
            self.board.note(&with_causes(problem).to_string());
        }
        let is_short = is_time_up && summary.time_to_target.is_none();
        let outcome = if problems.iter().any(Problem::is_state_lost) {
            NodeOutcome::StateLost
        } else if is_short {
            NodeOutcome::Short
        } else {
            NodeOutcome::Good
        };
        RunEnd { outcome, report: self.board.finish(&summary) }
    }
}

fn announce(board: &Board, chain: Chain, max_peers: u32, world: Option<&LoopbackWorld>) {
    let Some(world) = world else {
        let name = format!("{chain:?}").to_lowercase();
        return board.note(&format!("joining {name}, at most {max_peers} connections"));
    };
    let count = world.all_addresses().len();
    board.note(&format!("a world of {count} peers on loopback, good and bad; --help tells of real networks"));
    if world.relaxed() {
        board.note("127.1.0.1 can't be bound here: all are on 127.0.0.1, and the group rule is relaxed");
    }
}

/// An error with the option that caused it.
fn explain(error: StartError) -> anyhow::Error {
    let option = match &error {
        StartError::Config(error) => return anyhow!(setup::explain(error)),
        StartError::Listen { .. } => "--listen",
        StartError::State(_) => "--state-dir",
        StartError::Trace { path, error } => return anyhow!("--trace {}: {}", path.display(), explain_trace(error)),
        _ => "the pool",
    };
    anyhow::Error::new(error).context(option)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_error_of_a_trace_is_told_once() {
        let error = io::Error::other("no such place").into();
        let told = format!("{:#}", explain(StartError::Trace { path: "/nowhere/x".into(), error }));
        assert_eq!(told, "--trace /nowhere/x: no such place");
    }
}
