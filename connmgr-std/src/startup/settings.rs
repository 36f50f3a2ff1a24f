//! What the builders of all adapters are told.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use connmgr_core::{Config, ListenerId, NetworkKind, Permissions};

use super::Startup;
use crate::resolver::{Resolve, SystemResolver};

/// What a builder has been told.
pub struct Settings {
    /// What the manager starts from.
    pub startup: Startup,
    /// Where to listen, in order.
    pub listen: Vec<(ListenerId, SocketAddr)>,
    /// Looks names up.
    pub resolver: Arc<dyn Resolve>,
}

impl Settings {
    /// The bare configuration: no state, no trace, no listener, and the operating system's resolver.
    pub fn new(config: Config) -> Self {
        Self { startup: Startup::new(config), listen: Vec::new(), resolver: Arc::new(SystemResolver) }
    }

    /// Listens on one more address.
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
/// [`Settings`]. What they are called and what they do is so the same whatever the runtime.
#[macro_export]
macro_rules! builder_methods {
    () => {
        /// Keeps addresses and bans in this directory, made if need be. No other process may use it meanwhile. Without
        /// a directory nothing outlives the pool.
        #[must_use]
        pub fn state_dir(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.settings.startup.state_dir = Some(path.into());
            self
        }

        /// Listens here, where remote hosts can be seen. Port 0: any free one, see
        /// [`Pool::local_addrs`](crate::Pool::local_addrs).
        ///
        /// `[::]` is IPv6 alone, on every system: to be reached by IPv4 as well, listen on `0.0.0.0` too, at the same
        /// port if you like.
        #[must_use]
        pub fn listen(self, address: std::net::SocketAddr) -> Self {
            self.listen_with(address, None, $crate::connmgr_core::Permissions::default())
        }

        /// Listens here for what comes in by `network`, and spares it what `permissions` say. Say `Onion` or `I2p`
        /// where every remote is the local proxy.
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

        /// Reaches everything that has no proxy of its own in the configuration by this one, names and lookups
        /// included.
        #[must_use]
        pub fn proxy(mut self, proxy: $crate::connmgr_core::Proxy) -> Self {
            self.settings.startup.config.proxies.all = Some(proxy);
            self
        }

        /// Looks names up by this instead of the operating system. It is called on threads that may block.
        #[must_use]
        pub fn resolver(mut self, resolver: impl $crate::Resolve) -> Self {
            self.settings.resolver = std::sync::Arc::new(resolver);
            self
        }

        /// Takes all chance from this seed instead of the operating system. Whoever knows it can tell what the pool
        /// will do: for tests.
        #[must_use]
        pub const fn rng_seed(mut self, seed: [u8; 32]) -> Self {
            self.settings.startup.rng_seed = Some(seed);
            self
        }

        /// Lets so many events wait for an application that is slow to take them: 1024 by default, 16 at the least. Of any
        /// more, those go that are for information; what becomes of connections is always told.
        #[must_use]
        pub const fn max_waiting_events(mut self, max: usize) -> Self {
            self.settings.startup.max_waiting_events = max;
            self
        }

        /// Writes all that the manager is told and asks for to this file, which must not exist. It holds secrets, and
        /// grows for as long as the pool lives.
        #[must_use]
        pub fn trace(mut self, path: impl Into<std::path::PathBuf>) -> Self {
            self.settings.startup.trace = Some(path.into());
            self
        }
    };
}
