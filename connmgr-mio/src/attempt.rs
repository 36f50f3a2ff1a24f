//! One connection that is being opened, directly or through a SOCKS5 proxy.
//!
//! Its owner registers the socket, passes on every event, and keeps the deadline. Events are edge-triggered, so each
//! makes the attempt go as far as it can.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use connmgr_core::socks::{Client, Outcome, SocksError, Step};
use connmgr_core::{DialError, LookupError};
use connmgr_std::adapter::{
    DialSocketError, SocketHook, Unisolated, dial_error, may_meet_itself, proxy_dial_error, proxy_lookup_error,
};
use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// A connection that is being opened.
///
/// ```text
/// Connecting ──► Negotiating ──► done      through a proxy
///      └───────────────────────► done      directly
/// ```
#[derive(Debug)]
pub(crate) struct Attempt {
    socket: TcpStream,
    may_meet_itself: bool,
    stage: AttemptStage,
}

#[derive(Debug)]
enum AttemptStage {
    /// To this address. If it is a proxy's, the client negotiates with it next.
    Connecting(SocketAddr, Option<Box<Client>>),
    /// With the proxy at this address.
    Negotiating(SocketAddr, Box<Client>),
}

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) enum AttemptError {
    /// The peer, or the proxy, can't be reached.
    Unreachable(io::Error),
    /// The application's hook for sockets failed.
    Hook,
    /// Every token of the caller's range is in use.
    NoToken,
    /// The proxy refuses, or breaks the protocol.
    Socks(SocksError),
}

impl Attempt {
    /// Begins to connect. `client` negotiates, if the address is a proxy's.
    ///
    /// # Errors
    /// What the operating system reports at once; [`AttemptError::Hook`].
    pub(crate) fn start(
        address: SocketAddr,
        client: Option<Client>,
        hook: Option<&SocketHook>,
    ) -> Result<Self, AttemptError> {
        let socket = match hook {
            None => TcpStream::connect(address)?,
            Some(hook) => TcpStream::from_std(hook.connect(address)?),
        };
        // A hook may have bound the socket to any port.
        let may_meet_itself = hook.is_some() || may_meet_itself(address);
        Ok(Self { socket, may_meet_itself, stage: AttemptStage::Connecting(address, client.map(Box::new)) })
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interests = match &self.stage {
            AttemptStage::Connecting(_, None) => Interest::WRITABLE,
            AttemptStage::Connecting(_, Some(_)) | AttemptStage::Negotiating(..) => {
                Interest::WRITABLE | Interest::READABLE
            }
        };
        self.socket.register(registry, token, interests)
    }

    pub(crate) fn deregister(&mut self, registry: &Registry) {
        // It fails if the socket is not registered, which is as good.
        let _ = self.socket.deregister(registry);
    }

    /// The socket: once the attempt has succeeded, the stream to the peer.
    pub(crate) fn into_socket(self) -> TcpStream {
        self.socket
    }

    /// The proxy, if it chose "no authentication" where isolation was preferred.
    pub(crate) fn unisolated(&self) -> Unisolated {
        match &self.stage {
            AttemptStage::Negotiating(proxy, client) => client.lacks_isolation().then_some(*proxy),
            AttemptStage::Connecting(..) => None,
        }
    }

    /// Goes as far as it can; none if it has to wait for an event. The work is bounded, as a proxy's reply is.
    pub(crate) fn advance(&mut self) -> Option<Result<Outcome, AttemptError>> {
        if let AttemptStage::Connecting(address, client) = &mut self.stage {
            match connected(&self.socket, *address, self.may_meet_itself) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => return Some(Err(AttemptError::Unreachable(error))),
            }
            match client.take() {
                Some(client) => self.stage = AttemptStage::Negotiating(*address, client),
                None => return Some(Ok(Outcome::Connected)),
            }
        }
        match &mut self.stage {
            AttemptStage::Negotiating(_, client) => {
                Some(negotiate(client, &mut self.socket)?.map_err(AttemptError::Socks))
            }
            AttemptStage::Connecting(..) => None,
        }
    }
}

/// Whether the socket is connected.
fn connected(socket: &TcpStream, address: SocketAddr, may_meet_itself: bool) -> io::Result<bool> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(false),
        other => other?,
    };
    // A dial to one of this machine's ephemeral ports may connect to itself (TCP's simultaneous open).
    if may_meet_itself && socket.local_addr().is_ok_and(|local| local == address) {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    // Nagle's algorithm delays small messages that wait for an answer, which is how peers talk. The call fails only if
    // the peer is gone, which the first read reports.
    let _ = socket.set_nodelay(true);
    Ok(true)
}

/// Reads no byte beyond the proxy's reply: the next ones are the peer's.
fn negotiate(client: &mut Client, stream: &mut (impl Read + Write)) -> Option<Result<Outcome, SocksError>> {
    let mut buffer = [0; Client::MAX_READ];
    loop {
        let done: io::Result<()> = match client.step() {
            Step::Write(bytes) => match stream.write(bytes) {
                // Writing again would write nothing again.
                Ok(0) => Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    client.wrote(count);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            Step::Read(wanted) => stream.read(&mut buffer[..wanted]).map(|count| client.received(&buffer[..count])),
            Step::Done(result) => return Some(result),
        };
        match done.map_err(|error| error.kind()) {
            Ok(()) | Err(ErrorKind::Interrupted) => {}
            Err(ErrorKind::WouldBlock) => return None,
            Err(_) => client.eof(),
        }
    }
}

impl AttemptError {
    /// As the error of a dial. `proxied`: it went to a proxy.
    pub(crate) fn dial_error(&self, proxied: bool) -> DialError {
        match self {
            Self::Unreachable(error) if proxied => proxy_dial_error(error),
            Self::Unreachable(error) => dial_error(error),
            Self::Hook => DialError::SocketHook,
            Self::NoToken => DialError::OutOfResources,
            Self::Socks(error) => error.dial_error(),
        }
    }

    /// As the error of a lookup, which always goes to a proxy.
    pub(crate) fn lookup_error(&self) -> LookupError {
        match self {
            Self::Unreachable(error) => proxy_lookup_error(error),
            Self::Hook | Self::NoToken => LookupError::Failed,
            Self::Socks(error) => error.lookup_error(),
        }
    }
}

impl From<io::Error> for AttemptError {
    fn from(error: io::Error) -> Self {
        Self::Unreachable(error)
    }
}

impl From<DialSocketError> for AttemptError {
    fn from(error: DialSocketError) -> Self {
        match error {
            DialSocketError::Hook(_) => Self::Hook,
            DialSocketError::System(error) => Self::Unreachable(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use connmgr_core::{Isolation, PeerAddress};

    use super::*;

    /// A proxy that gives one byte at a time, with a `WouldBlock` before each, and takes as much as it likes.
    struct Slow {
        says: Vec<u8>,
        ready: bool,
        heard: usize,
    }

    impl Slow {
        fn says(says: &[u8]) -> Self {
            Self { says: says.to_vec(), ready: false, heard: 0 }
        }

        fn turn(&mut self) -> io::Result<()> {
            self.ready = !self.ready;
            if self.ready { Err(ErrorKind::WouldBlock.into()) } else { Ok(()) }
        }
    }

    impl Read for Slow {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.turn()?;
            if self.says.is_empty() {
                return Ok(0);
            }
            buf[0] = self.says.remove(0);
            Ok(1)
        }
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.turn()?;
            let count = bytes.len().min(3);
            self.heard += count;
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn outcome(proxy: &mut Slow) -> Result<Outcome, SocksError> {
        let address: PeerAddress = "node.example:1".parse().unwrap();
        let mut client = Client::connect(&address, Isolation::Shared);
        // Each round moves one piece; were one lost, there would be no end.
        (0..1000).find_map(|_| negotiate(&mut client, proxy)).expect("an end")
    }

    #[test]
    fn a_slow_proxys_reply_is_read_to_its_end_and_no_further() {
        let mut proxy = Slow::says(b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00hello");
        assert_eq!(outcome(&mut proxy), Ok(Outcome::Connected));
        assert_eq!(proxy.says, b"hello");
        assert_eq!(proxy.heard, 3 + 5 + "node.example".len() + 2);
    }

    #[test]
    fn a_proxy_that_hangs_up_has_failed() {
        assert_eq!(outcome(&mut Slow::says(b"\x05")), Err(SocksError::Closed));
    }

    #[test]
    fn what_is_known_of_the_target_is_told_from_what_is_known_of_the_proxy() {
        let refused = AttemptError::Unreachable(ErrorKind::ConnectionRefused.into());
        assert_eq!(refused.dial_error(false), DialError::Refused);
        assert_eq!(refused.dial_error(true), DialError::ProxyUnreachable);
        assert_eq!(refused.lookup_error(), LookupError::ProxyUnreachable);
    }
}
