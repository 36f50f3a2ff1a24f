//! What an application knows of an open connection and tells of it, in every adapter where it owns the connection.

/// The methods of an adapter's connection that do not concern its stream of bytes, to be put into an `impl` of a type with the
/// fields `info` ([`Connected`](connmgr_core::Connected)) and `guard` ([`Guard`](crate::adapter::Guard)). What they are called
/// and what they do is so the same whatever the runtime.
#[macro_export]
macro_rules! connection_methods {
    () => {
        /// All that was known of it when it opened.
        pub const fn info(&self) -> &$crate::connmgr_core::Connected {
            &self.info
        }

        /// Its id.
        pub const fn id(&self) -> $crate::connmgr_core::ConnId {
            self.info.conn
        }

        /// What it is for.
        pub const fn kind(&self) -> $crate::connmgr_core::Kind {
            self.info.kind
        }

        /// The other end, unless it came in where hosts can't be seen (an onion listener).
        pub const fn address(&self) -> Option<&$crate::connmgr_core::PeerAddress> {
            self.info.address.as_ref()
        }

        /// The added peer it is for.
        pub const fn peer(&self) -> Option<$crate::connmgr_core::PeerId> {
            self.info.peer
        }

        /// The listener it came in by.
        pub const fn listener(&self) -> Option<$crate::connmgr_core::ListenerId> {
            self.info.listener
        }

        /// How to speak.
        pub const fn transport(&self) -> $crate::connmgr_core::Transport {
            self.info.transport
        }

        /// A number to put into our version message: when it comes back, we have reached ourselves.
        pub const fn nonce(&self) -> u64 {
            self.info.nonce
        }

        /// Our own end: what the machine's address on this route is, unless it leads through a proxy.
        ///
        /// # Errors
        /// What the operating system says.
        pub fn local_addr(&self) -> std::io::Result<std::net::SocketAddr> {
            $crate::adapter::Wire::local_addr(self.guard.wire())
        }

        /// The handshake is done. To be told once; without it the connection is closed at the handshake's deadline.
        pub fn ready(&self, info: $crate::connmgr_core::PeerInfo) {
            self.guard.reporter().ready(info);
        }

        /// The peer misbehaved.
        pub fn misbehaving(&self, penalty: $crate::connmgr_core::Penalty) {
            self.guard.reporter().misbehaving(penalty);
        }

        /// What the connection has been good for since the last time. That bytes were read of it need not be told: the
        /// pool sees that.
        pub fn activity(&self, activity: $crate::connmgr_core::Activity) {
            self.guard.reporter().activity(activity);
        }

        /// The peer told us these addresses.
        pub fn addresses(&self, addresses: Vec<$crate::connmgr_core::AddressInfo>) {
            self.guard.reporter().addresses(addresses);
        }

        /// What tells the same facts from elsewhere, while the stream is busy.
        pub fn reporter(&self) -> $crate::Reporter {
            self.guard.reporter().clone()
        }
    };
}
