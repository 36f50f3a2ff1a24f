//! How a pool is put together and started.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use connmgr_core::driver::Driver;
use connmgr_core::{Config, ListenerId, NetworkKind, Permissions, Proxy};
use connmgr_std::{Mailbox, Newborn, Origin, Resolve, ResolverPool, Saver, StartError, StateDir, SystemResolver};
use mio::net::TcpListener;
use mio::{Interest, Registry, Waker};

use crate::bell::Bell;
use crate::handle;
use crate::listener::Listeners;
use crate::net::{MioNet, Slot};
use crate::pool::Pool;
use crate::tokens::Tokens;
use crate::turn::{Note, Sources};

/// Puts a [`Pool`] together.
pub struct Builder {
    origin: Origin,
    listen: Vec<(ListenerId, SocketAddr)>,
    resolver: Arc<dyn Resolve>,
    waker: Option<Arc<Waker>>,
}

impl Builder {
    pub(crate) fn new(config: Config) -> Self {
        let resolver = Arc::new(SystemResolver);
        Self { origin: Origin::new(config), listen: Vec::new(), resolver, waker: None }
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

    /// Wakes the poll by this, which must be of the same poll. To be given where the application has a waker, for a
    /// poll may have only one; otherwise the pool makes its own. The pool does not keep it alive by its threads.
    #[must_use]
    pub fn waker(mut self, waker: Arc<Waker>) -> Self {
        self.waker = Some(waker);
        self
    }

    /// Opens the listeners and the state. Blocks on the disk: to be called before the loop begins.
    ///
    /// The pool registers with this registry (of which it keeps a clone: one descriptor), under these tokens and no
    /// others: one for each listener, one for its waker, and one for each dial or proxied lookup that is under way, or
    /// has ended in this round of the loop. What is open has none. A dial for which none is left fails as one without
    /// a descriptor does; so give it plenty.
    ///
    /// # Errors
    /// [`StartError`] says what failed, and on what.
    ///
    /// # Panics
    /// In a build with debug assertions, by mio, if the poll has, or ever had, a waker that was not given: the next
    /// pool on the same poll needs one of the application's.
    pub fn start(self, registry: &Registry, tokens: Range<usize>) -> Result<Pool, StartError> {
        self.origin.check()?;
        let registry = registry.try_clone().map_err(system("clone the registry"))?;
        let mut tokens = Tokens::new(tokens);
        let (listeners, local_addrs) = bind(&self.listen, &registry, &mut tokens)?;
        let Newborn { manager, watch, clock, state_dir, damages } = self.origin.bear()?;
        // After all that may be put right and tried again: a poll can have one waker in its life.
        let waker = self.waker.map_or_else(|| make_waker(&registry, &mut tokens), Ok)?;
        let bell = Bell::new(waker);

        let (notes_sender, notes) = channel();
        let saver = state_dir.map(|dir| start_saver(dir, notes_sender.clone(), bell.clone())).transpose()?;
        let resolver = start_resolver(self.resolver, notes_sender.clone(), bell.clone());
        let mailbox = Mailbox::new({
            let bell = bell.clone();
            move || bell.ring()
        });
        let (handle, commands) = handle::channel(bell.clone());
        let net = MioNet::new(registry, tokens, listeners, saver, resolver, clock.clone());
        let sources = Sources { notes, notes_sender, commands, handle, mailbox, bell };
        Ok(Pool::new(Driver::with_observer(manager, watch), net, clock, sources, local_addrs, damages))
    }
}

fn bind(
    listen: &[(ListenerId, SocketAddr)],
    registry: &Registry,
    tokens: &mut Tokens<Slot>,
) -> Result<(Listeners, Vec<SocketAddr>), StartError> {
    let (mut listeners, mut local_addrs) = (Listeners::default(), Vec::new());
    for &(id, address) in listen {
        let failed = |error| StartError::Listen { address, error };
        let mut socket = TcpListener::bind(address).map_err(failed)?;
        local_addrs.push(socket.local_addr().map_err(failed)?);
        let token = tokens.insert(Slot::Listener(listeners.len())).ok_or_else(out_of_tokens)?;
        registry.register(&mut socket, token, Interest::READABLE).map_err(failed)?;
        listeners.push(id, socket);
    }
    Ok((listeners, local_addrs))
}

fn make_waker(registry: &Registry, tokens: &mut Tokens<Slot>) -> Result<Arc<Waker>, StartError> {
    let token = tokens.insert(Slot::Waker).ok_or_else(out_of_tokens)?;
    Waker::new(registry, token).map(Arc::new).map_err(system("make a waker"))
}

fn start_saver(dir: StateDir, notes: Sender<Note>, bell: Bell) -> Result<Saver, StartError> {
    let on_error = move |error| {
        // The pool may be gone.
        let _ = notes.send(Note::NotSaved(error));
        bell.ring();
    };
    Saver::start(dir, on_error).map_err(system("start the thread that saves the state"))
}

fn start_resolver(resolver: Arc<dyn Resolve>, notes: Sender<Note>, bell: Bell) -> ResolverPool {
    ResolverPool::new(resolver, move |lookup, result| {
        // The pool may be gone.
        let _ = notes.send(Note::Looked(lookup, result));
        bell.ring();
    })
}

fn out_of_tokens() -> StartError {
    system("fit the listeners and the waker")(io::Error::other("the range of tokens is too short"))
}

fn system(what: &'static str) -> impl Fn(io::Error) -> StartError {
    move |error| StartError::System { what, error }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, listen, resolver: _, waker } = self;
        f.debug_struct("Builder")
            .field("origin", origin)
            .field("listen", listen)
            .field("waker", waker)
            .finish_non_exhaustive()
    }
}
