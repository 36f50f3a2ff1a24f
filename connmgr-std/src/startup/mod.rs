//! How a manager starts: from a configuration, with its state and its trace; or why it does not.
//!
//! It knows no runtime: sockets are opened, and everything is put to work, by the adapter.

pub(crate) mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;

use connmgr_core::driver::MAX_WAITING_EVENTS;
use connmgr_core::{Config, ConfigError, ConnManager, Listener, ListenerId, NetworkKind, Permissions, Snapshot};

use crate::answer::answer;
use crate::clock::Clock;
use crate::entropy::rng_seed;
use crate::observe::Watch;
use crate::state::{Damage, StateDir, StateError};
use crate::trace::{Birth, TraceError, TraceWriter};

/// What a manager starts from: what the builders of all adapters are told.
#[derive(Clone)]
pub struct Startup {
    /// The configuration.
    pub config: Config,
    /// Where state is kept; none: nowhere.
    pub state_dir: Option<PathBuf>,
    /// Where all chance comes from; none: the operating system.
    pub rng_seed: Option<[u8; 32]>,
    /// Where the trace is written; none: nowhere.
    pub trace: Option<PathBuf>,
    /// How many events may wait for the application: see
    /// [`Driver::set_max_waiting_events`](connmgr_core::driver::Driver::set_max_waiting_events).
    pub max_waiting_events: usize,
}

/// A manager that was started, and what belongs to it: for an [`Engine`](crate::adapter::Engine).
#[derive(Debug)]
pub struct Started {
    pub(crate) manager: ConnManager,
    /// Its observer, which has the trace.
    pub(crate) watch: Watch,
    pub(crate) clock: Clock,
    /// The state directory it was loaded from.
    pub(crate) state_dir: Option<StateDir>,
    /// What was wrong with the state.
    pub(crate) damages: Vec<Damage>,
    pub(crate) max_waiting_events: usize,
}

impl Startup {
    /// The bare configuration: no state, no trace, and chance from the operating system.
    pub const fn new(config: Config) -> Self {
        Self { config, state_dir: None, rng_seed: None, trace: None, max_waiting_events: MAX_WAITING_EVENTS }
    }

    /// Adds a listener to the configuration, numbered after all others.
    pub(super) fn add_listener(&mut self, network: Option<NetworkKind>, permissions: Permissions) -> ListenerId {
        // A number that is taken, after the very last one, is refused with the rest of the configuration.
        let after = |listener: &Listener| ListenerId(listener.id.0.saturating_add(1));
        let id = self.config.listeners.iter().map(after).max().unwrap_or(ListenerId(0));
        self.config.listeners.push(Listener { id, network, permissions });
        id
    }

    /// Whether the configuration makes sense; to be asked before anything is opened.
    ///
    /// # Errors
    /// [`StartError::Config`].
    pub fn check(&self) -> Result<(), StartError> {
        self.config.check().map_err(StartError::Config)
    }

    /// Loads the state and begins the trace; then the clocks and the manager start. Blocks on the disk. If the manager
    /// is dropped before it is told anything, the trace's file is removed with it.
    ///
    /// # Errors
    /// [`StartError`] says what failed, and on what.
    pub fn start(self) -> Result<Started, StartError> {
        self.check()?;
        let (state_dir, snapshot, damages) = match self.state_dir {
            Some(path) => {
                let (dir, snapshot, damages) = StateDir::open(path).map_err(StartError::State)?;
                (Some(dir), snapshot, damages)
            }
            None => (None, None, Vec::new()),
        };
        let rng_seed = self.rng_seed.map_or_else(rng_seed, Ok);
        let rng_seed = rng_seed.map_err(|error| StartError::System { what: "get a seed for chance", error })?;
        let clock = Clock::start();
        let (manager, watch) = new_manager(self.config, snapshot, rng_seed, &clock, self.trace.as_deref())?;
        Ok(Started { manager, watch, clock, state_dir, damages, max_waiting_events: self.max_waiting_events })
    }

    /// The same, on a thread of its own if there is anything to be read or written: the disk may be slow, and an
    /// executor's threads are spared it.
    pub(crate) async fn start_off_executor(self) -> Result<Started, StartError> {
        if self.state_dir.is_none() && self.trace.is_none() {
            return self.start();
        }
        let failed = |error| StartError::System { what: "open the state", error };
        let (teller, started) = answer();
        let start = move || teller.tell(self.start());
        thread::Builder::new().name("connmgr-start".into()).spawn(start).map_err(failed)?;
        started.take().await.unwrap_or_else(|| Err(failed(io::Error::other("the thread for it has panicked"))))
    }
}

fn new_manager(
    config: Config,
    snapshot: Option<Snapshot>,
    rng_seed: [u8; 32],
    clock: &Clock,
    trace: Option<&Path>,
) -> Result<(ConnManager, Watch), StartError> {
    let (now, unix) = (clock.now(), clock.unix());
    let birth = Birth { config, snapshot, rng_seed, now, unix };
    let trace = trace.map(|path| create_trace(path, &birth)).transpose()?;
    let manager = ConnManager::new(birth).map_err(StartError::Config)?;
    Ok((manager, Watch::new(trace)))
}

fn create_trace(path: &Path, birth: &Birth) -> Result<TraceWriter, StartError> {
    TraceWriter::create_for_start(path, birth).map_err(|error| StartError::Trace { path: path.to_path_buf(), error })
}

impl fmt::Debug for Startup {
    /// Leaves out the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, state_dir, rng_seed: _, trace, max_waiting_events } = self;
        f.debug_struct("Startup")
            .field("config", config)
            .field("state_dir", state_dir)
            .field("trace", trace)
            .field("max_waiting_events", max_waiting_events)
            .finish_non_exhaustive()
    }
}

/// Why a pool did not start. Each names what failed, and on what.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration makes no sense.
    #[error("{0}")]
    Config(ConfigError),
    /// A listener can't be opened: the port is taken, or the address is not this machine's.
    #[error("can't listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The state directory can't be used; another process may have it.
    #[error("{0}")]
    State(StateError),
    /// The trace can't be written; an earlier one is not overwritten.
    #[error("can't write the trace {}: {error}", path.display())]
    Trace {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        error: TraceError,
    },
    /// The system refuses what every pool needs: a thread to save the state, a seed for chance, descriptors to wait by.
    #[error("can't {what}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        error: io::Error,
    },
}
