//! How a pool is put together and started.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use async_channel::{Sender, bounded, unbounded};
use async_io::Async;
use connmgr_core::driver::Driver;
use connmgr_core::{Config, ListenerId, NetworkKind, Permissions, Proxy};
use connmgr_std::{
    Mailbox, Newborn, Origin, Problem, Resolve, ResolverPool, Saver, StartError, StateDir, SystemResolver,
};
use futures_lite::FutureExt;

use crate::bell::Bell;
use crate::handle;
use crate::jobs::Jobs;
use crate::listener::Listeners;
use crate::net::SmolNet;
use crate::pool::{Ended, Pool};
use crate::shared::Shared;
use crate::sources::Sources;
use crate::spawn::Spawn;
use crate::task::Task;

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

    /// Opens the listeners and the state, and has the driver task run by `spawner`, as well as each dial.
    ///
    /// # Errors
    /// [`StartError`] says what failed, and on what.
    pub async fn start(self, spawner: impl Spawn) -> Result<Pool, StartError> {
        self.origin.check()?;
        let (listeners, local_addrs) = self.bind()?;
        let Newborn { manager, watch, clock, state_dir, damages } = bear(self.origin).await?;
        let shared = Arc::new(Shared::new(Driver::with_observer(manager, watch)));
        damages.into_iter().for_each(|damage| shared.report(Problem::Damaged(damage)));
        let saver = state_dir.map(|dir| start_saver(dir, &shared)).transpose()?;

        let (answers, lookups) = unbounded();
        let resolver = ResolverPool::new(self.resolver, move |lookup, result| {
            // The driver task may have ended.
            let _ = answers.try_send((lookup, result));
        });
        let (postman, mail) = Bell::new();
        let mailbox = Mailbox::new({
            let postman = postman.clone();
            move || postman.ring()
        });
        let spawner: Arc<dyn Spawn> = Arc::new(spawner);
        let (jobs, finished) = Jobs::new(Arc::clone(&spawner));
        let (handle, requests) = handle::channel();
        let (lifeline, pool) = bounded(1);

        let net = SmolNet::new(listeners, saver, jobs, resolver, mailbox.clone(), clock.clone());
        let sources = Sources::new(requests, finished, lookups, (postman, mail, mailbox), pool);
        let (ending, ended) = bounded(1);
        spawner.spawn(Box::pin(drive(Task::new(Arc::clone(&shared), net, clock, sources), ending)));
        Ok(Pool::new(shared, handle, local_addrs, lifeline, ended))
    }

    fn bind(&self) -> Result<(Listeners, Vec<SocketAddr>), StartError> {
        let (mut listeners, mut local_addrs) = (Listeners::default(), Vec::new());
        for &(id, address) in &self.listen {
            let failed = |error| StartError::Listen { address, error };
            let socket = Async::<TcpListener>::bind(address).map_err(failed)?;
            local_addrs.push(socket.get_ref().local_addr().map_err(failed)?);
            listeners.push(id, socket);
        }
        Ok((listeners, local_addrs))
    }
}

/// Runs the driver task, and says how it ended.
async fn drive(task: Task, ending: Sender<Ended>) {
    let ended = AssertUnwindSafe(task.run()).catch_unwind().await;
    // The application may have dropped the pool.
    let _ = ending.try_send(ended);
}

/// The disk may be slow, so the executor's threads are spared it.
async fn bear(origin: Origin) -> Result<Newborn, StartError> {
    if origin.state_dir.is_none() && origin.trace.is_none() {
        return origin.bear();
    }
    let failed = |error| StartError::System { what: "open the state", error };
    let (born, birth) = bounded(1);
    let bear = move || {
        // The application may have given the start up.
        let _ = born.try_send(origin.bear());
    };
    thread::Builder::new().name("connmgr-start".into()).spawn(bear).map_err(failed)?;
    birth.recv().await.unwrap_or_else(|error| Err(failed(io::Error::other(error))))
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
