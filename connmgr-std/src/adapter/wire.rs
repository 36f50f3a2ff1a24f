//! A runtime's TCP stream, as dials and guards use it.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpStream};

/// A runtime's TCP stream.
pub trait Wire: Sized + Send + Sync + 'static {
    /// Connects. Dropping the future gives the attempt up.
    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<Self>> + Send;

    /// Waits until a socket that has begun to connect is connected. It does not block.
    fn connecting(socket: TcpStream) -> impl Future<Output = io::Result<Self>> + Send;

    /// Reads at least one byte; zero at the end of the stream.
    fn read(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// Writes at least one byte.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send;

    /// The address of our end.
    ///
    /// # Errors
    /// What the operating system reports.
    fn local_addr(&self) -> io::Result<SocketAddr>;

    /// The address of the other end of the socket.
    ///
    /// # Errors
    /// What the operating system reports.
    fn peer_addr(&self) -> io::Result<SocketAddr>;

    /// Another handle on the socket.
    ///
    /// # Errors
    /// What the operating system reports.
    fn to_std(&self) -> io::Result<TcpStream>;

    /// How many bytes could be read now, at most one; zero at the end of the stream. Takes none, and does not wait, also if
    /// the owner of another handle on the socket made it block; from then on it does not block.
    ///
    /// # Errors
    /// What the operating system reports; `WouldBlock` if nothing can be read.
    fn peek(&self) -> io::Result<usize>;

    /// Disables Nagle's algorithm.
    ///
    /// # Errors
    /// What the operating system reports.
    fn set_nodelay(&self) -> io::Result<()>;

    /// Shuts the stream, also while another thread uses it. Pending reads and writes wake.
    ///
    /// # Errors
    /// What the operating system reports.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
}
