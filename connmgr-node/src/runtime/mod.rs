//! What the node needs of a runtime, and the three that it runs on.
//!
//! The node is ordinary code that waits for one thing at a time. A runtime keeps the pool and, meanwhile, runs the links of
//! its connections. It decides nothing, and knows nothing of the protocol.

pub mod mio;
pub mod smol;
pub mod tokio;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use connmgr_core::{
    AddPeerError, AddressInfo, BanView, Config, Event, Explanation, Keep, PeerAddress, PeerId, Stats, Time,
};
use connmgr_std::{PoolEvent, Problem, StartError};

use crate::cli::Options;
use crate::link::LinkFactory;
use crate::stop::Stop;

/// A pool on some runtime.
pub trait Runtime: Sized {
    /// Starts a pool with this configuration, and with the listeners, files, proxy and seed of the options. `links` makes
    /// the link of each connection.
    ///
    /// # Errors
    /// The pool can't start.
    fn start(options: &Options, config: Config, links: LinkFactory, stop: Stop) -> Result<Self, StartError>;

    /// The addresses on which the pool listens.
    fn local_addrs(&self) -> Vec<SocketAddr>;

    /// The pool's clock.
    fn now(&self) -> Time;

    /// Adds a peer.
    ///
    /// # Errors
    /// Why it may not be added.
    fn add_peer(&mut self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError>;

    /// Gives the pool addresses for its book.
    fn learn_addresses(&mut self, addresses: Vec<AddressInfo>);

    /// Every ban.
    fn bans(&mut self) -> Vec<BanView>;

    /// What the pool knows of an address, and why it is not dialed.
    fn explain(&mut self, address: &PeerAddress) -> Option<Explanation>;

    /// The pool's counters.
    fn stats(&mut self) -> Stats;

    /// Runs until there is something for the node, the time has come, or the node is stopped.
    ///
    /// # Errors
    /// The poll of the system failed.
    fn next(&mut self, until: Option<Instant>) -> io::Result<RuntimeEvent>;

    /// Closes everything. Waits for the disk but for no peer. Returns what went wrong.
    fn shutdown(self) -> Vec<Problem>;
}

/// Something for the node.
#[derive(Debug)]
pub enum RuntimeEvent {
    /// An event of the manager.
    Event(Event),
    /// An added peer is dialed next at this time.
    Retry {
        /// Which.
        peer: PeerId,
        /// When.
        at: Time,
        /// How many attempts in a row have failed.
        attempt: u32,
    },
    /// A problem of the pool, which goes on.
    Problem(Problem),
    /// An event that this node does not know.
    Other(String),
    /// The time has come, or the node must stop.
    Woken,
    /// The pool stopped by itself.
    Over,
}

impl RuntimeEvent {
    /// The part of a pool event that is for the node. A connection goes to `meet`.
    fn of<C: fmt::Debug>(event: PoolEvent<C>, meet: impl FnOnce(C)) -> Option<Self> {
        match event {
            PoolEvent::Connected(connection) => {
                meet(connection);
                None
            }
            PoolEvent::RetryScheduled { peer, at, attempt, .. } => Some(Self::Retry { peer, at, attempt }),
            PoolEvent::Event(event) => Some(Self::Event(event)),
            PoolEvent::Problem(problem) => Some(Self::Problem(problem)),
            other => Some(Self::Other(format!("{other:?}"))),
        }
    }
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |error| StartError::System { what, error }
}

/// A pool's builder with what the options say. The builders of all adapters have the same methods, but no trait.
macro_rules! builder {
    ($pool:ty, $options:expr, $config:expr) => {{
        let options: &$crate::cli::Options = $options;
        let mut builder = <$pool>::builder($config);
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
        if let Some(proxy) = $crate::setup::proxy(options) {
            builder = builder.proxy(proxy);
        }
        builder
    }};
}
use builder;
