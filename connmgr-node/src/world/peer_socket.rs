//! The sockets of a world's peers: one port on many addresses of 127.0.0.0/8, or many ports of 127.0.0.1.
//!
//! Linux has all of 127.0.0.0/8, macOS only 127.0.0.1. All sockets are opened before the first peer runs, so that no
//! dial is refused that should not be.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

use super::behavior::PeerBehavior;

/// How many groups (127.1.0.0/16 and so on) there are.
pub(super) const GROUPS: u8 = 20;

/// How often another port is tried when one is taken on some address.
const TRIES: u32 = 16;

/// The address of a peer, 127.`group`.0.`host`, and its behavior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) group: u8,
    pub(super) host: u8,
    pub(super) behavior: PeerBehavior,
}

/// The socket of a peer.
#[derive(Debug)]
pub(super) enum PeerSocket {
    /// Bound, so that the port stays ours, and not listening: connections are refused.
    Bound(TcpSocket),
    /// Listening, with the shortest accept queue, to be filled.
    FullQueue(TcpListener),
    /// Listening.
    Listening(TcpListener),
}

impl PeerSocket {
    /// The socket of a peer of this behavior, at this address.
    ///
    /// # Errors
    /// The address is taken or does not exist, or there are no more sockets.
    pub(super) fn new(behavior: PeerBehavior, address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // A peer that comes back may find its old connections in TIME_WAIT. (On Windows the option has another
        // meaning: two listeners on one port.)
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        match behavior {
            PeerBehavior::Refusing => Ok(Self::Bound(socket)),
            PeerBehavior::BlackHole => socket.listen(0).map(Self::FullQueue),
            PeerBehavior::Good
            | PeerBehavior::Gossip
            | PeerBehavior::Silent
            | PeerBehavior::AcceptAndClose
            | PeerBehavior::ComingAndGoing
            | PeerBehavior::Dropping
            | PeerBehavior::Garbage
            | PeerBehavior::Oversized => socket.listen(128).map(Self::Listening),
        }
    }

    /// Its address.
    ///
    /// # Errors
    /// That of the operating system.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Bound(socket) => socket.local_addr(),
            Self::FullQueue(listener) | Self::Listening(listener) => listener.local_addr(),
        }
    }
}

/// A socket for each peer, and whether all had to be on 127.0.0.1.
///
/// # Errors
/// That of the operating system.
pub(super) fn build(sites: &[Site]) -> io::Result<(Vec<PeerSocket>, bool)> {
    for _ in 0..TRIES {
        match build_apart(sites) {
            Ok(sockets) => return Ok((sockets, false)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => break,
            Err(error) => return Err(error),
        }
    }
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sockets = sites.iter().map(|site| PeerSocket::new(site.behavior, here)).collect::<io::Result<_>>()?;
    Ok((sockets, true))
}

/// All on the port that the first one gets.
fn build_apart(sites: &[Site]) -> io::Result<Vec<PeerSocket>> {
    let mut port = 0;
    let mut sockets = Vec::with_capacity(sites.len());
    for site in sites {
        let ip = Ipv4Addr::new(127, site.group, 0, site.host);
        let socket = PeerSocket::new(site.behavior, SocketAddr::from((ip, port)))?;
        port = socket.address()?.port();
        sockets.push(socket);
    }
    Ok(sockets)
}
