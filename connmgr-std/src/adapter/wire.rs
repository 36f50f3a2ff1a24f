//! What a runtime's stream of bytes must be able to do for a dial, and for the guard of a connection.

use std::io;
use std::net::{Shutdown, SocketAddr};

/// A runtime's TCP stream.
pub trait Wire: Sized + Send + Sync + 'static {
    /// Connects. Dropped before it is done, it gives up.
    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<Self>> + Send;

    /// Reads at least one byte; none at the end of the stream.
    fn read(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes at least one byte.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// Our own end.
    ///
    /// # Errors
    /// What the operating system says.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// Sends small messages at once.
    ///
    /// # Errors
    /// What the operating system says.
    fn set_nodelay(&self) -> io::Result<()>;

    /// Shuts it, whoever holds it; whoever waits to read or write wakes.
    ///
    /// # Errors
    /// What the operating system says.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
}
