//! The doors of a world: sockets on one port of many addresses of 127.0.0.0/8, or on many ports of 127.0.0.1.
//!
//! Linux has all of 127.0.0.0/8, macOS only 127.0.0.1. All doors are as they will be before the first peer lives, so
//! that nobody is refused who should not be.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

use super::behavior::Behavior;

/// How many groups (127.1.0.0/16 and so on) there are.
pub(super) const GROUPS: u8 = 20;

/// How often another port is tried when one is taken on some address.
const TRIES: u32 = 16;

/// Where a peer lives, 127.`group`.0.`host`, and who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) group: u8,
    pub(super) host: u8,
    pub(super) behavior: Behavior,
}

/// A socket of a peer.
#[derive(Debug)]
pub(super) enum Door {
    /// Bound, so that nobody else gets the port, and not listening: connections are refused.
    Shut(TcpSocket),
    /// Listening with the shortest queue there is.
    Narrow(TcpListener),
    /// Listening.
    Open(TcpListener),
}

impl Door {
    /// The door of a peer that behaves so, here.
    ///
    /// # Errors
    /// The address is taken or does not exist, or there are no more sockets.
    pub(super) fn new(behavior: Behavior, address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        // A peer that comes back finds its old connections still dying. (On Windows the option means something else:
        // two listeners on one port.)
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        match behavior {
            Behavior::Refusing => Ok(Self::Shut(socket)),
            Behavior::BlackHole => socket.listen(0).map(Self::Narrow),
            Behavior::Good
            | Behavior::Gossip
            | Behavior::Silent
            | Behavior::AcceptAndClose
            | Behavior::ComingAndGoing
            | Behavior::Dropping
            | Behavior::Garbage
            | Behavior::Oversized => socket.listen(128).map(Self::Open),
        }
    }

    /// Where it is.
    ///
    /// # Errors
    /// What the operating system says.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Shut(socket) => socket.local_addr(),
            Self::Narrow(listener) | Self::Open(listener) => listener.local_addr(),
        }
    }
}

/// A door at each place; and whether all are on 127.0.0.1 after all.
///
/// # Errors
/// What the operating system says when it gives no more sockets.
pub(super) fn build(places: &[Place]) -> io::Result<(Vec<Door>, bool)> {
    for _ in 0..TRIES {
        match build_apart(places) {
            Ok(doors) => return Ok((doors, false)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => break,
            Err(error) => return Err(error),
        }
    }
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let doors = places.iter().map(|place| Door::new(place.behavior, here)).collect::<io::Result<_>>()?;
    Ok((doors, true))
}

/// All on the port that the first one happens to get.
fn build_apart(places: &[Place]) -> io::Result<Vec<Door>> {
    let mut port = 0;
    let mut doors = Vec::with_capacity(places.len());
    for place in places {
        let ip = Ipv4Addr::new(127, place.group, 0, place.host);
        let door = Door::new(place.behavior, SocketAddr::from((ip, port)))?;
        port = door.address()?.port();
        doors.push(door);
    }
    Ok(doors)
}
