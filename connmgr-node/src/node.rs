//! The node: a pool, a session on each of its connections, and a report of what happens.
//!
//! It decides nothing about connections; it only starts what the options ask for, and stops it in order.

use std::convert::Infallible;
use std::future::pending;
use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use connmgr_core::{Chain, Config, Event, Keep, PeerAddress, PeerId, Time};
use connmgr_tokio::{Connection, Handle, Pool, PoolEvent, StartError};
use tokio::time::sleep;

use crate::board::Board;
use crate::cli::{Options, Scene};
use crate::link;
use crate::pen::Pen;
use crate::report::{Format, Report, Summary};
use crate::setup;
use crate::world::{Behaviour, World, WorldConfig};

/// How a run ended that nothing went wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All connections that should be there were there at some time, or the operator stopped it.
    Good,
    /// Its time was up, and they never were all there.
    Short,
}

/// A node that runs.
#[derive(Debug)]
pub struct Node {
    chain: Chain,
    board: Board,
    pool: Pool,
    handle: Handle,
    world: Option<World>,
}

impl Node {
    /// Starts what the options ask for.
    ///
    /// # Errors
    /// Names the option that can't be fulfilled, and why.
    pub async fn start(options: &Options, out: impl Write + Send + 'static) -> Result<Self> {
        let world = match options.scene {
            Scene::World => Some(World::start(&WorldConfig::default()).context("the world on loopback can't start")?),
            Scene::Network(_) => None,
        };
        let config = setup::config(options, world.as_ref().is_some_and(World::relaxed));
        let pen = Pen::new(out).context("the report's thread can't start")?;
        let format = if options.json { Format::Json } else { Format::Plain };
        let board = Board::new(Report::new(pen, format), setup::target(options, &config));
        let chain = options.scene.chain();
        let max_peers = config.limits.total;
        let pool = start_pool(options, config).await?;
        announce(&board, chain, max_peers, world.as_ref());
        let node = Self { chain, handle: pool.handle(), board, pool, world };
        node.meet(options).await?;
        Ok(node)
    }

    /// Says where it listens, and asks for the peers it should have.
    async fn meet(&self, options: &Options) -> Result<()> {
        for address in self.pool.local_addrs() {
            self.board.note(&format!("listening on {address}"));
        }
        for (option, peers) in [("--connect", &options.connect), ("--add", &options.add)] {
            for peer in peers {
                let added = self.add(peer).await;
                added.with_context(|| format!("{option} {peer}"))?;
            }
        }
        match &self.world {
            Some(world) => self.settle(world).await,
            None => Ok(()),
        }
    }

    async fn add(&self, peer: &PeerAddress) -> Result<PeerId> {
        let id = self.handle.add_peer(peer.clone(), Keep::Always).await?;
        self.board.note(&format!("added {id}: {peer}"));
        Ok(id)
    }

    /// The node knows everyone in its little world, and wants one in particular: the one that comes and goes.
    async fn settle(&self, world: &World) -> Result<()> {
        self.handle.addresses(world.everyone()).await;
        for restless in world.addresses(Behaviour::ComingAndGoing) {
            self.add(&restless.into()).await?;
        }
        Ok(())
    }

    /// Runs until `stop` is ready or its time is up, then closes everything and tells what happened in all.
    ///
    /// # Errors
    /// `stop`'s.
    pub async fn run(mut self, run_for: Option<Duration>, stop: impl Future<Output = Result<()>>) -> Result<Outcome> {
        let is_time_up = tokio::select! {
            stopped = stop => stopped.map(|()| false)?,
            () = until(run_for) => true,
            ended = self.attend() => match ended? {},
        };
        let summary = self.finish().await;
        let is_short = is_time_up && summary.time_to_target.is_none();
        Ok(if is_short { Outcome::Short } else { Outcome::Good })
    }

    /// Takes what comes from the pool.
    async fn attend(&mut self) -> Result<Infallible> {
        while let Some(event) = self.pool.next().await {
            match event {
                PoolEvent::Connected(connection) => self.connected(connection),
                PoolEvent::RetryScheduled { peer, at, attempt } => self.retry(peer, at, attempt),
                PoolEvent::Event(event) => self.board.event(&event),
                PoolEvent::Problem(problem) => self.board.note(&problem.to_string()),
                other => self.board.note(&format!("{other:?}")),
            }
        }
        bail!("the pool stopped by itself")
    }

    fn connected(&self, connection: Connection) {
        self.board.event(&Event::Connected(connection.info().clone()));
        tokio::spawn(link::talk(connection, self.chain, self.handle.clone(), self.board.clone()));
    }

    /// The manager was born with the pool, a moment after the board.
    fn retry(&self, peer: PeerId, at: Time, attempt: u32) {
        let wait = at.since(Time::ZERO).saturating_sub(self.board.elapsed());
        let (seconds, tenths) = (wait.as_secs(), wait.subsec_millis() / 100);
        let failures = if attempt == 1 { "failure" } else { "failures in a row" };
        self.board.note(&format!("retry {peer} in {seconds}.{tenths} s, after {attempt} {failures}"));
    }

    /// Counts first, for what is counted is how it stood before the end.
    async fn finish(self) -> Summary {
        let Self { board, pool, handle, world, .. } = self;
        let stats = handle.stats().await;
        let mut summary = board.summary();
        (summary.dials, summary.retries) = (stats.dials, stats.retries_scheduled);
        summary.world = world.as_ref().map(World::tally).unwrap_or_default();
        board.note("stopping");
        for problem in pool.shutdown().await {
            board.note(&problem.to_string());
        }
        if !board.finish(&summary) {
            eprintln!("warning: nobody reads the report; its end is lost");
        }
        summary
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

async fn start_pool(options: &Options, config: Config) -> Result<Pool> {
    let mut builder = Pool::builder(config);
    for address in &options.listen {
        builder = builder.listen(*address);
    }
    if let Some(path) = &options.state_dir {
        builder = builder.state_dir(path);
    }
    if let Some(path) = &options.trace {
        builder = builder.trace(path);
    }
    if let Some(seed) = options.seed_rng {
        builder = builder.rng_seed(seed);
    }
    if let Some(proxy) = setup::proxy(options) {
        builder = builder.proxy(proxy);
    }
    builder.start().await.map_err(explain)
}

/// Names the option behind an error.
fn explain(error: StartError) -> anyhow::Error {
    let option = match &error {
        StartError::Config(error) => return anyhow::anyhow!(setup::explain(error)),
        StartError::Listen { .. } => "--listen",
        StartError::State(_) => "--state-dir",
        StartError::Trace { .. } => "--trace",
        _ => "the pool",
    };
    anyhow::Error::new(error).context(option)
}

async fn until(run_for: Option<Duration>) {
    match run_for {
        Some(run_for) => sleep(run_for).await,
        None => pending().await,
    }
}
