//! The application's hook for the sockets of dials: their options, and the address they are bound to.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use connmgr_core::{DialError, LookupError};
use socket2::{Domain, Socket, Type};

use crate::errors::{connect_goes_on, dial_error, proxy_dial_error, proxy_lookup_error};

/// The socket of a dial, before it connects.
#[cfg(unix)]
pub type DialSocket<'a> = std::os::fd::BorrowedFd<'a>;

/// The socket of a dial, before it connects.
#[cfg(windows)]
pub type DialSocket<'a> = std::os::windows::io::BorrowedSocket<'a>;

type HookFn = dyn Fn(DialSocket<'_>, SocketAddr) -> io::Result<()> + Send + Sync;

/// Prepares the socket of each dial. Clones share the hook.
#[derive(Clone)]
pub struct SocketHook(Arc<HookFn>);

/// Why a socket was not connected.
#[derive(Debug)]
pub enum DialSocketError {
    /// The hook failed.
    Hook(io::Error),
    /// What the operating system reports.
    System(io::Error),
}

impl SocketHook {
    /// This hook.
    pub fn new(hook: impl Fn(DialSocket<'_>, SocketAddr) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// A socket that was prepared and has begun to connect to this address. It does not block.
    ///
    /// # Errors
    /// [`DialSocketError`] says whether the hook failed.
    pub fn connect(&self, address: SocketAddr) -> Result<TcpStream, DialSocketError> {
        let socket = open(address).map_err(DialSocketError::System)?;
        (self.0)(borrowed(&socket), address).map_err(DialSocketError::Hook)?;
        match socket.connect(&address.into()) {
            Err(error) if !connect_goes_on(&error) => Err(DialSocketError::System(error)),
            Ok(()) | Err(_) => Ok(socket.into()),
        }
    }
}

fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(unix)]
fn borrowed(socket: &Socket) -> DialSocket<'_> {
    std::os::fd::AsFd::as_fd(socket)
}

#[cfg(windows)]
fn borrowed(socket: &Socket) -> DialSocket<'_> {
    std::os::windows::io::AsSocket::as_socket(socket)
}

impl DialSocketError {
    /// As the error of a dial to a peer.
    pub fn dial_error(&self) -> DialError {
        match self {
            Self::Hook(_) => DialError::SocketHook,
            Self::System(error) => dial_error(error),
        }
    }

    /// As the error of a dial that went to a proxy.
    pub fn proxy_dial_error(&self) -> DialError {
        match self {
            Self::Hook(_) => DialError::SocketHook,
            Self::System(error) => proxy_dial_error(error),
        }
    }

    /// As the error of a lookup, which went to a proxy.
    pub fn proxy_lookup_error(&self) -> LookupError {
        match self {
            Self::Hook(_) => LookupError::Failed,
            Self::System(error) => proxy_lookup_error(error),
        }
    }
}

impl fmt::Debug for SocketHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketHook").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{Ipv4Addr, TcpListener};

    use connmgr_core::Fault;
    use socket2::SockRef;

    use super::*;

    #[test]
    fn a_socket_is_prepared_before_it_connects() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let hook = SocketHook::new(move |socket, to| {
            assert_eq!(to, address);
            let socket = SockRef::from(&socket);
            assert!(socket.peer_addr().is_err(), "not yet connected");
            socket.set_keepalive(true)
        });
        let ours = hook.connect(address).unwrap();
        listener.accept().unwrap();
        assert!(SockRef::from(&ours).keepalive().unwrap());
    }

    #[test]
    fn a_hook_that_fails_blames_neither_the_peer_nor_the_proxy() {
        let hook = SocketHook::new(|_, _| Err(ErrorKind::ConnectionRefused.into()));
        let error = hook.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))).unwrap_err();
        assert_eq!([error.dial_error(), error.proxy_dial_error()].map(DialError::fault), [Fault::Ours; 2]);
        assert_eq!(error.proxy_lookup_error(), LookupError::Failed);
    }
}
