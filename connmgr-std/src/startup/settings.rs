//! The settings of every adapter's builder, and the methods that set them.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use connmgr_core::{Config, ListenerId, NetworkKind, Permissions};

use super::Startup;
use crate::adapter::socket_hook::SocketHook;
use crate::resolver::{Resolve, SystemResolver};

/// The settings of a builder.
pub struct Settings {
    /// What the manager starts from.
    pub startup: Startup,
    /// The listeners, in order.
    pub listen: Vec<(ListenerId, ListenerPlace)>,
    /// Resolves names.
    pub resolver: Arc<dyn Resolve>,
    /// Prepares the sockets of dials.
    pub hook: Option<SocketHook>,
}

/// Where a listener is.
#[derive(Debug)]
pub enum ListenerPlace {
    /// At this address, which is to be opened.
    Address(SocketAddr),
    /// On this socket, which listens already.
    Open(TcpListener),
}

impl Settings {
    /// The configuration alone: no state, no trace, no listener, and the operating system's resolver.
    pub fn new(config: Config) -> Self {
        Self { startup: Startup::new(config), listen: Vec::new(), resolver: Arc::new(SystemResolver), hook: None }
    }

    /// Adds a listener.
    pub fn listen(&mut self, place: ListenerPlace, network: Option<NetworkKind>, permissions: Permissions) {
        let id = self.startup.add_listener(network, permissions);
        self.listen.push((id, place));
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { startup, listen, resolver: _, hook } = self;
        let mut told = f.debug_struct("Settings");
        told.field("startup", startup).field("listen", listen).field("hook", hook).finish_non_exhaustive()
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
            self.settings.listen($crate::adapter::ListenerPlace::Address(address), network, permissions);
            self
        }

        /// Accepts connections on this socket, which listens already: one that a supervisor opened, or that was opened
        /// before privileges were dropped. Its options stay as they are, save that it no longer blocks. Otherwise it is as
        /// if [`listen`](Self::listen) had opened it. Closing it at the end does not close it for the supervisor.
        ///
        /// With systemd's socket activation the first socket is descriptor 3 (the crate `listenfd` checks that it was
        /// meant for this process, and needs no `unsafe`):
        ///
        /// ```no_run
        /// use std::net::TcpListener;
        /// # #[cfg(unix)]
        /// use std::os::fd::FromRawFd;
        ///
        /// # #[cfg(unix)]
        /// fn activated() -> Option<TcpListener> {
        ///     let is_ours = std::env::var("LISTEN_PID").ok()? == std::process::id().to_string();
        ///     // SAFETY: systemd gave this process descriptor 3, and nobody else here uses it.
        ///     is_ours.then(|| unsafe { TcpListener::from_raw_fd(3) })
        /// }
        /// ```
        #[must_use]
        pub fn listener(self, socket: std::net::TcpListener) -> Self {
            self.listener_with(socket, None, $crate::connmgr_core::Permissions::default())
        }

        /// Accepts connections by `network` on this socket, which listens already, with these permissions: as
        /// [`listen_with`](Self::listen_with).
        #[must_use]
        pub fn listener_with(
            mut self,
            socket: std::net::TcpListener,
            network: Option<$crate::connmgr_core::NetworkKind>,
            permissions: $crate::connmgr_core::Permissions,
        ) -> Self {
            self.settings.listen($crate::adapter::ListenerPlace::Open(socket), network, permissions);
            self
        }

        /// Calls this with the socket of each dial before it connects, and the address it will connect to: the peer's, or
        /// the proxy's, of whose family the socket is. It may set options, and bind the socket to a source address. It must
        /// neither block nor panic. Called on any thread. Nagle's algorithm is switched off afterwards in any case.
        ///
        /// If it fails, so does the dial, with [`DialError::SocketHook`]: the fault is ours, and no address suffers. The
        /// pool takes many such failures for an outage.
        ///
        /// The socket is a `BorrowedFd` on Unix and a `BorrowedSocket` on Windows. With the crate `socket2`:
        ///
        /// ```
        /// # use connmgr_std::DialSocket;
        /// use std::{io, net::SocketAddr};
        ///
        /// use socket2::SockRef;
        ///
        /// /// For `builder.on_socket(prepare)`.
        /// fn prepare(socket: DialSocket<'_>, _: SocketAddr) -> io::Result<()> {
        ///     let socket = SockRef::from(&socket);
        ///     socket.bind(&SocketAddr::from(([192, 0, 2, 7], 0)).into())?;
        ///     socket.set_keepalive(true)
        /// }
        /// ```
        ///
        /// [`DialError::SocketHook`]: connmgr_core::DialError::SocketHook
        #[must_use]
        pub fn on_socket(
            mut self,
            hook: impl Fn($crate::DialSocket<'_>, std::net::SocketAddr) -> std::io::Result<()> + Send + Sync + 'static,
        ) -> Self {
            self.settings.hook = Some($crate::adapter::SocketHook::new(hook));
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
