//! How a pool is put together and started.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use connmgr_core::driver::Driver;
use connmgr_core::{Config, ListenerId, NetworkKind, Permissions, Proxy};
use connmgr_std::{
    Mailbox, Newborn, Origin, Problem, Resolve, ResolverPool, Saver, StartError, StateDir, SystemResolver,
};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::handle;
use crate::listener::Listeners;
use crate::net::TokioNet;
use crate::pool::Pool;
use crate::shared::Shared;
use crate::task::{Sources, Task};

/// Puts a [`Pool`] together.
pub struct Builder {
    origin: Origin,
    listen: Vec<(ListenerId, SocketAddr)>,
    resolver: Arc<dyn Resolve>,
}

impl Builder {
    pub(crate) fn new(config: Config) -> Self {
        Self { origin: Origin::new(config), listen: Vec::new(), resolver: Arc::new(SystemResolver) }
    }

    /// Keeps addresses and bans in this directory, made if need be. No other process may use it meanwhile. Without a
    /// directory nothing outlives the pool.
    #[must_use]
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.origin.state_dir = Some(path.into());
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
        let id = self.origin.add_listener(network, permissions);
        self.listen.push((id, address));
        self
    }

    /// Reaches everything that has no proxy of its own in the configuration by this one, names and lookups included.
    #[must_use]
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.origin.config.proxies.all = Some(proxy);
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
        self.origin.rng_seed = Some(seed);
        self
    }

    /// Writes all that the manager is told and asks for to this file, which must not exist. It holds secrets, and
    /// grows for as long as the pool lives.
    #[must_use]
    pub fn trace(mut self, path: impl Into<PathBuf>) -> Self {
        self.origin.trace = Some(path.into());
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
        self.origin.check()?;
        let (listeners, local_addrs) = self.bind().await?;
        let Newborn { manager, watch, clock, state_dir, damages } = bear(self.origin).await?;
        let shared = Arc::new(Shared::new(Driver::with_observer(manager, watch)));
        damages.into_iter().for_each(|damage| shared.report(Problem::Damaged(damage)));
        let saver = state_dir.map(|dir| start_saver(dir, &shared)).transpose()?;

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
}

/// The disk may be slow, so the runtime's threads are spared it.
async fn bear(origin: Origin) -> Result<Newborn, StartError> {
    if origin.state_dir.is_none() && origin.trace.is_none() {
        return origin.bear();
    }
    let born = tokio::task::spawn_blocking(move || origin.bear()).await;
    born.unwrap_or_else(|error| Err(StartError::System { what: "open the state", error: io::Error::other(error) }))
}

fn start_saver(dir: StateDir, shared: &Arc<Shared>) -> Result<Saver, StartError> {
    let shared = Arc::clone(shared);
    Saver::start(dir, move |error| shared.report(Problem::NotSaved(error)))
        .map_err(|error| StartError::System { what: "start the thread that saves the state", error })
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, listen, resolver: _ } = self;
        f.debug_struct("Builder").field("origin", origin).field("listen", listen).finish_non_exhaustive()
    }
}
