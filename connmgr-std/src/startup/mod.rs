//! Starts a manager from a configuration, with its state and its trace. Sockets are the adapter's.

pub(crate) mod settings;
mod surplus;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;

use connmgr_core::driver::MAX_WAITING_EVENTS;
use connmgr_core::{
    Config, ConfigError, ConnManager, Listener, ListenerId, NetworkKind, PeerAddress, Permissions, Snapshot,
};
use futures_channel::oneshot;

use self::surplus::SavedCounts;
use crate::clock::Clock;
use crate::entropy::rng_seed;
use crate::machine::WildcardListeners;
use crate::observe::PoolObserver;
use crate::state::{Damage, StateDir, StateError};
use crate::trace::{Birth, TraceError, TraceWriter};

/// What a manager starts from: the settings of every adapter's builder.
#[derive(Clone)]
pub struct Startup {
    /// The configuration.
    pub config: Config,
    /// The state directory; none: no state is kept.
    pub state_dir: Option<PathBuf>,
    /// The seed of all randomness; none: one from the operating system.
    pub rng_seed: Option<[u8; 32]>,
    /// The trace's file; none: no trace is written.
    pub trace: Option<PathBuf>,
    /// How many events may wait for the application: see
    /// [`Driver::set_max_waiting_events`](connmgr_core::driver::Driver::set_max_waiting_events).
    pub max_waiting_events: usize,
    /// The listeners of the configuration that the adapter opens. Any other is refused: it would let nobody in.
    pub opened: Vec<ListenerId>,
    /// The listeners that stand for all of the machine's addresses.
    pub wildcards: WildcardListeners,
}

/// A started manager, for an [`Engine`](crate::adapter::Engine).
#[derive(Debug)]
pub struct Started {
    pub(crate) manager: ConnManager,
    /// The driver's observer, which has the trace.
    pub(crate) watch: PoolObserver,
    pub(crate) clock: Clock,
    /// The state directory that the state was loaded from.
    pub(crate) state_dir: Option<StateDir>,
    /// What was wrong with the state's files.
    pub(crate) damages: Vec<Damage>,
    pub(crate) max_waiting_events: usize,
    /// The listeners that stand for all of the machine's addresses.
    pub(crate) wildcards: WildcardListeners,
}

impl Startup {
    /// The configuration alone: no state, no trace, and a seed from the operating system.
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            state_dir: None,
            rng_seed: None,
            trace: None,
            max_waiting_events: MAX_WAITING_EVENTS,
            opened: Vec::new(),
            wildcards: WildcardListeners::new(),
        }
    }

    /// Adds a listener to the configuration, numbered after all others.
    pub(super) fn add_listener(&mut self, network: Option<NetworkKind>, permissions: Permissions) -> ListenerId {
        // At the highest number this repeats it, and `Config::check` refuses the duplicate.
        let after = |listener: &Listener| ListenerId(listener.id.0.saturating_add(1));
        let id = self.config.listeners.iter().map(after).max().unwrap_or(ListenerId(0));
        self.config.listeners.push(Listener::new(id).network(network).permissions(permissions));
        self.opened.push(id);
        id
    }

    /// The sockets listen on these addresses, which are our own, so they are never dialed. One that stands for all
    /// interfaces (`0.0.0.0`, `::`) has every address of this machine, as long as the machine has it.
    pub fn add_own(&mut self, local_addrs: &[SocketAddr]) {
        let (all, concrete): (Vec<SocketAddr>, Vec<SocketAddr>) =
            local_addrs.iter().partition(|addr| addr.ip().is_unspecified());
        self.config.own_addresses.extend(concrete.into_iter().map(PeerAddress::from));
        all.into_iter().for_each(|listener| self.wildcards.add(listener));
        self.config.own_addresses.extend(self.wildcards.look().come);
    }

    /// Checks the configuration, before anything is opened.
    ///
    /// # Errors
    /// [`StartError::Config`]; also for a listener in the configuration that no builder opens: it would let nobody in.
    pub fn check(&self) -> Result<(), StartError> {
        self.config.check().map_err(StartError::Config)?;
        let is_opened = |listener: &Listener| self.opened.contains(&listener.id);
        if self.config.listeners.iter().all(is_opened) {
            return Ok(());
        }
        let must = "empty: the builder's `listen` opens listeners, and adds them here";
        Err(StartError::Config(ConfigError::new("listeners", must)))
    }

    /// Loads the state, creates the trace, and starts the clocks and the manager. Blocks on the disk. If the manager is
    /// dropped before its first input, the trace's file is removed.
    ///
    /// # Errors
    /// [`StartError`] says what failed.
    pub fn start(self) -> Result<Started, StartError> {
        self.check()?;
        let (mut state_dir, snapshot, mut damages) = match self.state_dir {
            Some(path) => {
                let (dir, snapshot, damages) = StateDir::open(path).map_err(StartError::State)?;
                (Some(dir), snapshot, damages)
            }
            None => (None, None, Vec::new()),
        };
        let rng_seed = self.rng_seed.map_or_else(rng_seed, Ok);
        let rng_seed = rng_seed.map_err(|error| StartError::System { what: "get a seed for chance", error })?;
        let clock = Clock::start();
        let had = snapshot.as_ref().map(|snapshot| SavedCounts::of(snapshot, clock.unix()));
        let (manager, watch) = new_manager(self.config, snapshot, rng_seed, &clock, self.trace.as_deref())?;
        if let (Some(had), Some(dir)) = (had, &mut state_dir) {
            surplus::set_aside(had, &manager, dir, &mut damages).map_err(StartError::State)?;
        }
        Ok(Started {
            manager,
            watch,
            clock,
            state_dir,
            damages,
            max_waiting_events: self.max_waiting_events,
            wildcards: self.wildcards,
        })
    }

    /// The same on a thread of its own, if anything is read or written, so that no executor's thread waits for the
    /// disk.
    pub(crate) async fn start_off_executor(self) -> Result<Started, StartError> {
        if self.state_dir.is_none() && self.trace.is_none() {
            return self.start();
        }
        let failed = |error| StartError::System { what: "open the state", error };
        let (report, started) = oneshot::channel();
        // The caller may have given up waiting, and wants no pool then.
        let start = move || drop(report.send(self.start()));
        thread::Builder::new().name("connmgr-start".into()).spawn(start).map_err(failed)?;
        started.await.unwrap_or_else(|_| Err(failed(io::Error::other("the thread for it has panicked"))))
    }
}

fn new_manager(
    config: Config,
    snapshot: Option<Snapshot>,
    rng_seed: [u8; 32],
    clock: &Clock,
    trace: Option<&Path>,
) -> Result<(ConnManager, PoolObserver), StartError> {
    let (now, unix) = (clock.now(), clock.unix());
    let birth = Birth { config, snapshot, rng_seed, now, unix };
    let trace = trace.map(|path| create_trace(path, &birth)).transpose()?;
    let manager = ConnManager::new(birth).map_err(StartError::Config)?;
    Ok((manager, PoolObserver::new(trace)))
}

fn create_trace(path: &Path, birth: &Birth) -> Result<TraceWriter, StartError> {
    TraceWriter::create_for_start(path, birth).map_err(|error| StartError::Trace { path: path.to_path_buf(), error })
}

impl fmt::Debug for Startup {
    /// Leaves out the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, state_dir, rng_seed: _, trace, max_waiting_events, opened, wildcards: _ } = self;
        f.debug_struct("Startup")
            .field("config", config)
            .field("state_dir", state_dir)
            .field("trace", trace)
            .field("max_waiting_events", max_waiting_events)
            .field("opened", opened)
            .finish_non_exhaustive()
    }
}

/// Why a pool did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(ConfigError),
    /// A listener can't be opened: its port is in use, or its address is not this machine's.
    #[error("can't listen on {address}")]
    Listen {
        /// The listener's address.
        address: SocketAddr,
        /// What the system reports.
        #[source]
        error: io::Error,
    },
    /// The state directory can't be used. Another process may have it open.
    #[error(transparent)]
    State(StateError),
    /// The trace can't be written. An existing file is not overwritten.
    #[error("can't write the trace {}", path.display())]
    Trace {
        /// The trace's file.
        path: PathBuf,
        /// Why.
        #[source]
        error: TraceError,
    },
    /// The system refuses what every pool needs: a thread, a random seed, or descriptors.
    #[error("can't {what}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system reports.
        #[source]
        error: io::Error,
    },
}
