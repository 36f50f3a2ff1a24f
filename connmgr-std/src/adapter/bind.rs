//! Binds listening sockets the same way for every runtime. A runtime's own `bind` leaves to the system whether `[::]`
//! includes IPv4.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// Connections that may wait to be accepted, so that a pool that is busy for a moment refuses none. The system may
/// allow fewer (`net.core.somaxconn` on Linux).
const BACKLOG: i32 = 1024;

/// A listening socket that does not block. An IPv6 address takes IPv6 alone, so both families may have the same port.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restarted node gets its port back at once, while its former connections are in TIME_WAIT. Windows does that
    // without the option, which there lets another process bind the same port.
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
