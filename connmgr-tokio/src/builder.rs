//! How a pool is put together and started.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connmgr_core::driver::Driver;
use connmgr_core::{Config, ConnManager, Listener, ListenerId, NetworkKind, Permissions, Proxy, Snapshot};
use connmgr_std::{
    Birth, Clock, Damage, Mailbox, Resolve, ResolverPool, Saver, StateDir, SystemResolver, TRACE_VERSION, TraceWriter,
    rng_seed,
};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::error::StartError;
use crate::event::Problem;
use crate::handle;
use crate::listener::Listeners;
use crate::net::TokioNet;
use crate::pool::Pool;
use crate::shared::Shared;
use crate::task::{Sources, Task};
use crate::watch::Watch;

/// Puts a [`Pool`] together.
pub struct Builder {
    config: Config,
    listen: Vec<(ListenerId, SocketAddr)>,
    state_dir: Option<PathBuf>,
    resolver: Arc<dyn Resolve>,
    rng_seed: Option<[u8; 32]>,
    trace: Option<PathBuf>,
}

impl Builder {
    pub(crate) fn new(config: Config) -> Self {
        let resolver = Arc::new(SystemResolver);
        Self { config, listen: Vec::new(), state_dir: None, resolver, rng_seed: None, trace: None }
    }

    /// Keeps addresses and bans in this directory, made if need be. No other process may use it meanwhile. Without a
    /// directory nothing outlives the pool.
    #[must_use]
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(path.into());
        self
    }

    /// Listens here, where remote hosts can be seen. Port 0: any free one, see [`Pool::local_addrs`].
    #[must_use]
    pub fn listen(self, address: SocketAddr) -> Self {
        self.listen_with(address, None, Permissions::default())
    }

    /// Listens here for what comes in by `network`, and spares it what `permissions` say. Say `Onion` or `I2p` where
    /// every remote is the local proxy.
    #[must_use]
    pub fn listen_with(mut self, address: SocketAddr, network: Option<NetworkKind>, permissions: Permissions) -> Self {
        // A number that is taken, after the very last one, is refused with the rest of the configuration.
        let after = |listener: &Listener| ListenerId(listener.id.0.saturating_add(1));
        let id = self.config.listeners.iter().map(after).max().unwrap_or(ListenerId(0));
        self.config.listeners.push(Listener { id, network, permissions });
        self.listen.push((id, address));
        self
    }

    /// Reaches everything that has no proxy of its own in the configuration by this one, names and lookups included.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.config.proxies.all = Some(proxy);
        self
    }

    /// Looks names up by this instead of the operating system. It is called on threads that may block.
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Takes all chance from this seed instead of the operating system. Whoever knows it can tell what the pool will
    /// do: for tests.
    #[must_use]
    pub const fn rng_seed(mut self, seed: [u8; 32]) -> Self {
        self.rng_seed = Some(seed);
        self
    }

    /// Writes all that the manager is told and asks for to this file, which must not exist. It holds secrets, and
    /// grows for as long as the pool lives.
    #[must_use]
    pub fn trace(mut self, path: impl Into<PathBuf>) -> Self {
        self.trace = Some(path.into());
        self
    }

    /// Opens the listeners and the state, and starts the driver task on the current runtime.
    ///
    /// # Errors
    /// [`StartError`] says what failed, and on what.
    ///
    /// # Panics
    /// Outside a tokio runtime, or in one without its `net` and `time` drivers.
    pub async fn start(self) -> Result<Pool, StartError> {
        self.config.check().map_err(StartError::Config)?;
        let (listeners, local_addrs) = self.bind().await?;
        let state = self.open_state().await?;
        let clock = Clock::start();
        let shared = Arc::new(Shared::new(self.driver(state.snapshot, &clock)?));
        state.damages.into_iter().for_each(|damage| shared.report(Problem::Damaged(damage)));
        let saver = state.dir.map(|dir| start_saver(dir, &shared)).transpose()?;

        let (answers, lookups) = mpsc::unbounded_channel();
        let resolver = ResolverPool::new(self.resolver, move |lookup, result| {
            // The driver task may have ended.
            let _ = answers.send((lookup, result));
        });
        let postman = Arc::new(Notify::new());
        let mailbox = Mailbox::new({
            let postman = Arc::clone(&postman);
            move || postman.notify_one()
        });
        let (handle, requests) = handle::channel();
        let (lifeline, lifeline_end) = oneshot::channel();

        let net = TokioNet::new(listeners, saver, resolver, mailbox.clone(), clock.clone());
        let sources = Sources { requests, lookups, mailbox, postman, lifeline: Some(lifeline_end) };
        let task = tokio::spawn(Task::new(Arc::clone(&shared), net, clock, sources).run());
        Ok(Pool::new(shared, handle, local_addrs, lifeline, task))
    }

    async fn bind(&self) -> Result<(Listeners, Vec<SocketAddr>), StartError> {
        let (mut listeners, mut local_addrs) = (Listeners::default(), Vec::new());
        for &(id, address) in &self.listen {
            let failed = |error| StartError::Listen { address, error };
            let socket = TcpListener::bind(address).await.map_err(failed)?;
            local_addrs.push(socket.local_addr().map_err(failed)?);
            listeners.push(id, socket);
        }
        Ok((listeners, local_addrs))
    }

    /// The disk may be slow, so the runtime's threads are spared it.
    async fn open_state(&self) -> Result<State, StartError> {
        let Some(path) = self.state_dir.clone() else { return Ok(State::default()) };
        let open = move || StateDir::open(path);
        let (dir, snapshot, damages) = match tokio::task::spawn_blocking(open).await {
            Ok(opened) => opened.map_err(StartError::State)?,
            Err(error) => {
                return Err(StartError::System { what: "open the state directory", error: io::Error::other(error) });
            }
        };
        Ok(State { dir: Some(dir), snapshot, damages })
    }

    /// The driver, with its manager born now.
    fn driver(
        &self,
        snapshot: Option<Snapshot>,
        clock: &Clock,
    ) -> Result<Driver<crate::connection::Guard, Watch>, StartError> {
        let seed = self.rng_seed.map_or_else(rng_seed, Ok);
        let rng_seed = seed.map_err(|error| StartError::System { what: "get a seed for chance", error })?;
        let (config, now, unix) = (self.config.clone(), clock.now(), clock.unix());
        let birth = Birth { trace_version: TRACE_VERSION, config, snapshot, rng_seed, now, unix };
        let trace = self.trace.as_ref().map(|path| create_trace(path, &birth)).transpose()?;
        let manager =
            ConnManager::new(birth.config, birth.snapshot, rng_seed, unix, now).map_err(StartError::Config)?;
        Ok(Driver::with_observer(manager, Watch::new(trace)))
    }
}

/// What was found in the state directory.
#[derive(Default)]
struct State {
    dir: Option<StateDir>,
    snapshot: Option<Snapshot>,
    damages: Vec<Damage>,
}

fn create_trace(path: &Path, birth: &Birth) -> Result<TraceWriter, StartError> {
    TraceWriter::create(path, birth, None).map_err(|error| StartError::Trace { path: path.to_path_buf(), error })
}

fn start_saver(dir: StateDir, shared: &Arc<Shared>) -> Result<Saver, StartError> {
    let shared = Arc::clone(shared);
    Saver::start(dir, move |error| shared.report(Problem::NotSaved(error)))
        .map_err(|error| StartError::System { what: "start the thread that saves the state", error })
}

impl fmt::Debug for Builder {
    /// Leaves out the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, listen, state_dir, resolver: _, rng_seed: _, trace } = self;
        f.debug_struct("Builder")
            .field("config", config)
            .field("listen", listen)
            .field("state_dir", state_dir)
            .field("trace", trace)
            .finish_non_exhaustive()
    }
}
