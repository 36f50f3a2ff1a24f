//! The peer's end of one connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::SockRef;

use crate::peers::PATIENCE;

/// The peer's end of a connection. Reads block, but not for ever.
#[derive(Debug)]
pub struct PeerStream(TcpStream);

impl PeerStream {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nonblocking(false).expect("a socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        Self(stream)
    }

    /// Connects to this address.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        TcpStream::connect_timeout(&address, PATIENCE).map(Self::new)
    }

    /// The address of the pool's end.
    pub fn other_end(&self) -> SocketAddr {
        self.0.peer_addr().expect("it was connected")
    }

    /// The address of the peer's end.
    pub fn our_end(&self) -> SocketAddr {
        self.0.local_addr().expect("it was connected")
    }

    /// Sends this.
    pub fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the other end is there");
    }

    /// Sends this, if the other end is still there.
    pub fn try_say(&mut self, bytes: &[u8]) {
        // It may be gone.
        let _ = self.0.write_all(bytes);
    }

    /// Sends this byte by byte, with a pause after each, so that each arrives alone.
    pub fn drip(&mut self, bytes: &[u8], pause: Duration) {
        for byte in bytes {
            self.say(&[*byte]);
            std::thread::sleep(pause);
        }
    }

    /// Reads so many bytes.
    pub fn hear<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).expect("the other end goes on");
        bytes
    }

    /// Reads a length of one byte, and as many bytes.
    pub fn hear_field(&mut self) -> Vec<u8> {
        let [length] = self.hear();
        let mut field = vec![0; usize::from(length)];
        self.0.read_exact(&mut field).expect("the other end goes on");
        field
    }

    /// Reads everything up to the end, which may be a reset.
    pub fn hear_out(&mut self) -> Vec<u8> {
        let mut heard = Vec::new();
        match self.0.read_to_end(&mut heard) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("no end: {error}"),
            Ok(_) | Err(_) => heard,
        }
    }

    /// Closes this half.
    pub fn close_half(&self) {
        // It fails only if the other end has closed already.
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// Resets the connection.
    pub fn reset(self) {
        SockRef::from(&self.0).set_linger(Some(Duration::ZERO)).expect("a socket");
    }
}
