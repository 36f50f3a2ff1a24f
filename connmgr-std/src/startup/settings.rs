//! The settings of every adapter's builder, and the methods that set them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use connmgr_core::{Config, ListenerId, NetworkKind, Permissions};

use super::Startup;
use crate::resolver::{Resolve, SystemResolver};

/// The settings of a builder.
pub struct Settings {
    /// What the manager starts from.
    pub startup: Startup,
    /// The listeners, in order.
    pub listen: Vec<(ListenerId, SocketAddr)>,
    /// Resolves names.
    pub resolver: Arc<dyn Resolve>,
}

impl Settings {
    /// The configuration alone: no state, no trace, no listener, and the operating system's resolver.
    pub fn new(config: Config) -> Self {
        Self { startup: Startup::new(config), listen: Vec::new(), resolver: Arc::new(SystemResolver) }
    }

    /// Adds a listener.
    pub fn listen(&mut self, address: SocketAddr, network: Option<NetworkKind>, permissions: Permissions) {
        let id = self.startup.add_listener(network, permissions);
        self.listen.push((id, address));
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { startup, listen, resolver: _ } = self;
        f.debug_struct("Settings").field("startup", startup).field("listen", listen).finish_non_exhaustive()
    }
}

/// The methods of every adapter's builder, to be put into an `impl` of a type with a field `settings` of the type
/// [`Settings`], so that they are the same in every adapter.
#[macro_export]
macro_rules! builder_methods {
    () => {
        /// Keeps addresses and bans in this directory, which is created if need be. No other process may use it at the
        /// same time. Without a directory, no state is kept.
        #[must_use]
        pub fn state_dir(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.settings.startup.state_dir = Some(path.into());
            self
        }

        /// Listens on this address, for connections whose remote address is the peer's. Port 0 is any free one: see
        /// [`Pool::local_addrs`](crate::Pool::local_addrs). An address of one interface is known as our own, and not
        /// dialed.
        ///
        /// `[::]` is IPv6 alone on every system. For IPv4 as well, listen on `0.0.0.0` too; the port may be the same.
        #[must_use]
        pub fn listen(self, address: std::net::SocketAddr) -> Self {
            self.listen_with(address, None, $crate::connmgr_core::Permissions::default())
        }

        /// Listens on this address for connections by `network`, with these permissions. Use `Onion` or `I2p` where
        /// every remote address is that of the local proxy.
        #[must_use]
        pub fn listen_with(
            mut self,
            address: std::net::SocketAddr,
            network: Option<$crate::connmgr_core::NetworkKind>,
            permissions: $crate::connmgr_core::Permissions,
        ) -> Self {
            self.settings.listen(address, network, permissions);
            self
        }

        /// Uses this proxy for every network that has none of its own in the configuration, host names and lookups
        /// included.
        #[must_use]
        pub fn proxy(mut self, proxy: $crate::connmgr_core::Proxy) -> Self {
            self.settings.startup.config.proxies.all = Some(proxy);
            self
        }

        /// Resolves names with this instead of the operating system. It is called on threads that may block.
        #[must_use]
        pub fn resolver(mut self, resolver: impl $crate::Resolve) -> Self {
            self.settings.resolver = std::sync::Arc::new(resolver);
            self
        }

        /// Takes all randomness from this seed instead of the operating system: for tests. The seed tells what the pool
        /// will do.
        #[must_use]
        pub const fn rng_seed(mut self, seed: [u8; 32]) -> Self {
            self.settings.startup.rng_seed = Some(seed);
            self
        }

        /// How many events may wait for an application that is slow to take them: 1024 by default, 16 at the least.
        /// When more wait, events that only inform are dropped; those about connections never are.
        #[must_use]
        pub const fn max_waiting_events(mut self, max: usize) -> Self {
            self.settings.startup.max_waiting_events = max;
            self
        }

        /// Writes every input and action of the manager to this file, which must not exist. It holds secrets, and grows
        /// as long as the pool lives.
        #[must_use]
        pub fn trace(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.settings.startup.trace = Some(path.into());
            self
        }
    };
}
