//! How a pool is started, as plain data.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{
    Backoff, Config, Growth, HostName, LookupError, Mode, NetworkKind, Permissions, Proxy, Ranges, Rate, ResolvedIp,
};
use connmgr_std::{DialSocket, Resolve};

/// The wait before the first retry.
pub const BACKOFF: Duration = Duration::from_millis(30);

/// Added peers only, retried soon, on loopback, with a high rate limit for inbound connections.
pub fn config() -> Config {
    let retry =
        Backoff { growth: Growth::Exponential, base: BACKOFF, cap: 10 * BACKOFF, jitter: false, ..Backoff::default() };
    let mut config = Config {
        mode: Mode::ConnectOnly,
        retry,
        ranges: Ranges { loopback: true, ..Ranges::default() },
        ..Config::default()
    };
    config.inbound.rate = Rate { burst: 1000, interval: Duration::ZERO };
    config
}

/// The settings of a pool, for the builder of any adapter.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// Its listeners.
    pub listen: Vec<Listen>,
    /// One more listener, which listens already.
    pub listener: Option<Arc<TcpListener>>,
    /// Prepares the sockets of dials.
    pub on_socket: Option<Prepare>,
    /// Its state directory.
    pub state_dir: Option<PathBuf>,
    /// Its trace's file. A [`TestWorld`](super::TestWorld) gives it one if there is none.
    pub trace: Option<PathBuf>,
    /// The proxy for every network.
    pub proxy: Option<Proxy>,
    /// The resolver, in place of the operating system's.
    pub resolver: Option<Hook>,
    /// The seed of all randomness.
    pub rng_seed: [u8; 32],
}

/// A listener.
#[derive(Clone, Copy, Debug)]
pub struct Listen {
    /// The address; port 0 means any free one.
    pub address: SocketAddr,
    /// The network whose local proxy is every remote host; none where the remote host is the peer's.
    pub network: Option<NetworkKind>,
    /// The permissions of its connections.
    pub permissions: Permissions,
}

/// A resolver that is a closure. Clones are the same one.
#[derive(Clone)]
pub struct Hook(Arc<ResolveFn>);

/// A hook for the sockets of dials that is a closure. Clones are the same one.
#[derive(Clone)]
pub struct Prepare(Arc<PrepareFn>);

type PrepareFn = dyn Fn(DialSocket<'_>, SocketAddr) -> io::Result<()> + Send + Sync;

type ResolveFn = dyn Fn(&HostName) -> Result<Vec<IpAddr>, LookupError> + Send + Sync;

impl Setup {
    /// This configuration alone.
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            listen: Vec::new(),
            listener: None,
            on_socket: None,
            state_dir: None,
            trace: None,
            proxy: None,
            resolver: None,
            rng_seed: [7; 32],
        }
    }

    /// Listens on any port of loopback.
    #[must_use]
    pub fn listening(self) -> Self {
        self.listening_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), None)
    }

    /// Listens on this address, for this network.
    #[must_use]
    pub fn listening_at(mut self, address: SocketAddr, network: Option<NetworkKind>) -> Self {
        self.listen.push(Listen { address, network, permissions: Permissions::default() });
        self
    }

    /// Accepts connections on this socket too.
    #[must_use]
    pub fn listening_on(mut self, listener: TcpListener) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Prepares the sockets of dials with this.
    #[must_use]
    pub fn preparing(
        mut self,
        prepare: impl Fn(DialSocket<'_>, SocketAddr) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.on_socket = Some(Prepare(Arc::new(prepare)));
        self
    }

    /// Uses this proxy for every network.
    #[must_use]
    pub fn by_proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Keeps its state in this directory.
    #[must_use]
    pub fn with_state_in(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(path.into());
        self
    }

    /// Resolves names with this.
    #[must_use]
    pub fn resolving(
        mut self,
        answer: impl Fn(&HostName) -> Result<Vec<IpAddr>, LookupError> + Send + Sync + 'static,
    ) -> Self {
        self.resolver = Some(Hook(Arc::new(answer)));
        self
    }
}

impl Resolve for Hook {
    fn resolve(&self, name: &HostName) -> Result<Vec<ResolvedIp>, LookupError> {
        Ok((self.0)(name)?.into_iter().map(Into::into).collect())
    }
}

impl Prepare {
    /// Calls it.
    ///
    /// # Errors
    /// What the closure returns.
    pub fn call(&self, socket: DialSocket<'_>, address: SocketAddr) -> io::Result<()> {
        (self.0)(socket, address)
    }
}

impl fmt::Debug for Prepare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepare").finish_non_exhaustive()
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}
