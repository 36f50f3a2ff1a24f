//! What the node asks of a runtime, and the three that it runs on.
//!
//! The node itself is ordinary code that waits for one thing at a time; a runtime keeps the pool, and holds the
//! conversations on its connections meanwhile. It decides nothing, and knows nothing of what is said.

pub mod mio;
pub mod smol;
pub mod tokio;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use connmgr_core::{AddPeerError, AddressInfo, Config, Event, Keep, PeerAddress, PeerId, Stats, Time};
use connmgr_std::{PoolEvent, Problem, StartError};

use crate::cli::Options;
use crate::link::Host;
use crate::stop::Stop;

/// A pool on some runtime.
pub trait Runtime: Sized {
    /// Starts a pool of this configuration, with the listeners, files, proxy and seed that the options name. Each
    /// connection that opens is met by `host`.
    ///
    /// # Errors
    /// What the pool can't do.
    fn start(options: &Options, config: Config, host: Host, stop: Stop) -> Result<Self, StartError>;

    /// Where the pool listens.
    fn local_addrs(&self) -> Vec<SocketAddr>;

    /// The time by which the pool counts.
    fn now(&self) -> Time;

    /// Adds a peer.
    ///
    /// # Errors
    /// Why it may not be added.
    fn add_peer(&mut self, address: PeerAddress, keep: Keep) -> Result<PeerId, AddPeerError>;

    /// Tells the pool addresses.
    fn addresses(&mut self, addresses: Vec<AddressInfo>);

    /// The pool's counters.
    fn stats(&mut self) -> Stats;

    /// Goes on until there is something for the node, the time has come, or the node is told to stop.
    ///
    /// # Errors
    /// The system can't be waited on any more.
    fn next(&mut self, until: Option<Instant>) -> io::Result<Next>;

    /// Closes everything, and waits for the disk but for no peer: what went wrong.
    fn shutdown(self) -> Vec<Problem>;
}

/// What there is for the node.
#[derive(Debug)]
pub enum Next {
    /// The manager says this.
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
    /// Something is wrong around the pool, which goes on.
    Problem(Problem),
    /// Something that this node does not know of.
    Other(String),
    /// The time has come, or the node is to stop.
    Woken,
    /// The pool has stopped by itself.
    Over,
}

impl Next {
    /// What of an event is for the node; none of a connection, which goes to `meet`.
    fn of<C: fmt::Debug>(event: PoolEvent<C>, meet: impl FnOnce(C)) -> Option<Self> {
        match event {
            PoolEvent::Connected(connection) => {
                meet(connection);
                None
            }
            PoolEvent::RetryScheduled { peer, at, attempt } => Some(Self::Retry { peer, at, attempt }),
            PoolEvent::Event(event) => Some(Self::Event(event)),
            PoolEvent::Problem(problem) => Some(Self::Problem(problem)),
            other => Some(Self::Other(format!("{other:?}"))),
        }
    }
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |error| StartError::System { what, error }
}

/// A pool's builder with all that the options say. The builders of all adapters have the same methods, and no trait.
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
