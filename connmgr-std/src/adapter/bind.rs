//! A socket to listen on, the same for every runtime, whose own `bind` would leave to the system what `[::]` covers.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// Connections that may wait to be accepted, as far as the system allows (`net.core.somaxconn` on Linux): a pool that
/// is busy for a moment turns nobody away.
const BACKLOG: i32 = 1024;

/// Listens there, without blocking. An IPv6 address is for IPv6 alone: so both families may have the same port.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A node that comes back has its port at once, though connections of its last life linger. On Windows, where that
    // needs no word, the option would let another process have the port at the same time.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::net::{Ipv4Addr, Ipv6Addr, TcpStream};

    use socket2::SockRef;

    use super::*;

    #[test]
    fn nobody_is_waited_for() {
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn ipv6_is_ipv6_alone() {
        match bind((Ipv6Addr::UNSPECIFIED, 0).into()) {
            Ok(listener) => assert!(SockRef::from(&listener).only_v6().unwrap()),
            Err(error) => eprintln!("not tried: there is no IPv6 here: {error}"),
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_port_whose_connections_linger_can_be_had_again() {
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        let mut theirs = TcpStream::connect(address).unwrap();
        listener.set_nonblocking(false).unwrap();
        // Who closes first is the one whose end lingers.
        drop(listener.accept().unwrap());
        assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
        drop((theirs, listener));
        bind(address).unwrap();
    }
}
