//! How a pool is started, as plain data.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use connmgr_core::{Backoff, Config, Growth, HostName, LookupError, Mode, NetworkKind, Permissions, Proxy, Rate};
use connmgr_std::Resolve;

/// The wait before the first retry.
pub const BACKOFF: Duration = Duration::from_millis(30);

/// Added peers only, retried soon, on loopback, and nobody who comes is turned away for coming fast.
pub fn config() -> Config {
    let retry = Backoff { growth: Growth::Exponential, base: BACKOFF, cap: 10 * BACKOFF, jitter: false };
    let mut config = Config { mode: Mode::ConnectOnly, retry, loopback_is_public: true, ..Config::default() };
    config.inbound.rate = Rate { burst: 1000, interval: Duration::ZERO };
    config
}

/// What a pool is started with: what the builders of all adapters are told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// Where it listens.
    pub listen: Vec<Listen>,
    /// Where it keeps its state.
    pub state_dir: Option<PathBuf>,
    /// Where it writes its trace; a [`TestWorld`](super::TestWorld) gives it a file if there is none.
    pub trace: Option<PathBuf>,
    /// The proxy for all.
    pub proxy: Option<Proxy>,
    /// What looks names up instead of the operating system.
    pub resolver: Option<Hook>,
    /// Where all chance comes from.
    pub rng_seed: [u8; 32],
}

/// Where a pool listens.
#[derive(Clone, Copy, Debug)]
pub struct Listen {
    /// The address; port 0 means any free one.
    pub address: SocketAddr,
    /// The network whose proxy the remote hosts are; none where they can be seen.
    pub network: Option<NetworkKind>,
    /// What is spared to those who come in.
    pub permissions: Permissions,
}

/// A resolver that is a closure. Clones are the same one.
#[derive(Clone)]
pub struct Hook(Arc<ResolveFn>);

type ResolveFn = dyn Fn(&HostName) -> Result<Vec<IpAddr>, LookupError> + Send + Sync;

impl Setup {
    /// With this configuration, and nothing else.
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            listen: Vec::new(),
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

    /// Listens there, for this network.
    #[must_use]
    pub fn listening_at(mut self, address: SocketAddr, network: Option<NetworkKind>) -> Self {
        self.listen.push(Listen { address, network, permissions: Permissions::default() });
        self
    }

    /// Reaches everything by this proxy.
    #[must_use]
    pub fn by_proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }

    /// Keeps its state there.
    #[must_use]
    pub fn with_state_in(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(path.into());
        self
    }

    /// Looks names up by this.
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
    fn resolve(&self, name: &HostName) -> Result<Vec<IpAddr>, LookupError> {
        (self.0)(name)
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}
