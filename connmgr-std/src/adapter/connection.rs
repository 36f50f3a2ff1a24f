//! The methods of a connection that the application owns, apart from reading and writing.

/// The methods of an adapter's connection apart from reading and writing, to be put into an `impl` of a type with the
/// fields `info` ([`Connected`](connmgr_core::Connected)) and `guard` ([`Guard`](crate::adapter::Guard)), so that they
/// are the same in every adapter.
#[macro_export]
macro_rules! connection_methods {
    () => {
        /// Everything known about it when it opened.
        pub const fn info(&self) -> &$crate::connmgr_core::Connected {
            &self.info
        }

        /// Its id.
        pub const fn id(&self) -> $crate::connmgr_core::ConnId {
            self.info.conn
        }

        /// Its kind.
        pub const fn kind(&self) -> $crate::connmgr_core::Kind {
            self.info.kind
        }

        /// The peer's address: the one that was dialed, or the one that an inbound connection comes from. None for an
        /// inbound connection whose host can't be seen (an onion listener).
        pub const fn address(&self) -> Option<&$crate::connmgr_core::PeerAddress> {
            self.info.address.as_ref()
        }

        /// The added peer it belongs to.
        pub const fn peer(&self) -> Option<$crate::connmgr_core::PeerId> {
            self.info.peer
        }

        /// The listener that accepted it.
        pub const fn listener(&self) -> Option<$crate::connmgr_core::ListenerId> {
            self.info.listener
        }

        /// The transport to speak.
        pub const fn transport(&self) -> $crate::connmgr_core::Transport {
            self.info.transport
        }

        /// A number for our version message. A peer that sends it is this node itself.
        pub const fn nonce(&self) -> u64 {
            self.info.nonce
        }

        /// The address of our end: this machine's own, unless the connection goes through a proxy.
        ///
        /// # Errors
        /// What the operating system reports.
        pub fn local_addr(&self) -> std::io::Result<std::net::SocketAddr> {
            $crate::adapter::Wire::local_addr(self.guard.wire())
        }

        /// The address of the other end of the socket: the peer's own, or the proxy's if the connection goes through one.
        /// The peer's address is [`address`](Self::address) in any case, as far as it is known.
        ///
        /// # Errors
        /// What the operating system reports, if the connection has broken.
        pub fn peer_addr(&self) -> std::io::Result<std::net::SocketAddr> {
            $crate::adapter::Wire::peer_addr(self.guard.wire())
        }

        /// Reports that the handshake is done. Otherwise the connection is closed at the handshake's deadline.
        /// Only the first report counts: another one is ignored, and so is what it says of the peer.
        pub fn report_ready(&self, info: $crate::connmgr_core::PeerInfo) {
            self.guard.reporter().report_ready(info);
        }

        /// Reports that the peer misbehaved.
        pub fn report_misbehavior(&self, penalty: $crate::connmgr_core::Penalty) {
            self.guard.reporter().report_misbehavior(penalty);
        }

        /// Reports what the connection was good for since the last report. The pool sees by itself that bytes were
        /// read.
        pub fn report_activity(&self, activity: $crate::connmgr_core::Activity) {
            self.guard.reporter().report_activity(activity);
        }

        /// Reports addresses that the peer sent.
        pub fn report_addresses(&self, addresses: Vec<$crate::connmgr_core::AddressInfo>) {
            self.guard.reporter().report_addresses(addresses);
        }

        /// Reports the same facts from elsewhere, while the stream is in use.
        pub fn reporter(&self) -> $crate::Reporter {
            self.guard.reporter().clone()
        }
    };
}
