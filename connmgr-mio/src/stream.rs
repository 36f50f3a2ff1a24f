//! The stream of one connection, which the pool owns and lends. It notes how it ended.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd};
#[cfg(windows)]
use std::os::windows::io::{AsSocket, BorrowedSocket};
use std::sync::Arc;

use connmgr_core::{ConnId, Input};
use connmgr_std::adapter::StreamEnd;
use mio::event::Source;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::SockRef;

/// A stream of bytes, lent by [`Pool::stream`](crate::Pool::stream). Register it under a token of the application's to
/// get its events.
///
/// It never blocks: read or write until `WouldBlock`, then wait for an event. When the pool closes the connection,
/// reads end (`Ok(0)`) and writes fail.
#[derive(Debug)]
pub struct Stream {
    socket: TcpStream,
    /// The registry on which it is still registered for its dial.
    dialed_on: Option<Arc<Registry>>,
    ending: StreamEnd,
    /// Bytes were read since [`Stream::take_heard`] was last called.
    heard: bool,
    /// The manager has closed it.
    closed: bool,
    /// The application has another handle on the socket.
    shared: bool,
}

impl Stream {
    /// One that is registered nowhere.
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self { socket, dialed_on: None, ending: StreamEnd::default(), heard: false, closed: false, shared: false }
    }

    /// One that is registered there for its dial.
    pub(crate) fn dialed(socket: TcpStream, registry: Arc<Registry>) -> Self {
        Self { dialed_on: Some(registry), ..Self::new(socket) }
    }

    /// The address of our end: this machine's own, unless the connection goes through a proxy.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The address of the other end of the socket: the peer's own, or the proxy's if the connection goes through one. The
    /// peer's address is in [`Connected`](connmgr_core::Connected), as far as it is known.
    ///
    /// # Errors
    /// What the operating system reports, if the connection has broken.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Another handle on the socket, for a thread or a library that wants to own a stream. It does not block, and costs one
    /// descriptor. Deregister this stream before, if it is registered, and read and write only by the other from then on.
    ///
    /// The pool still shuts the socket when it closes the connection. The connection ends by
    /// [`Pool::release`](crate::Pool::release), which shuts the socket too, however many handles it has. If the peer had
    /// closed by then, as far as its bytes were read, the manager is told so. The pool does not see what is read: call
    /// [`Pool::report_activity`](crate::Pool::report_activity) now and then while bytes arrive, at least every 30 s, so that
    /// the connection counts as alive.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn to_std(&mut self) -> io::Result<std::net::TcpStream> {
        let handle = SockRef::from(&self.socket).try_clone()?;
        if let Some(dialed_on) = self.dialed_on.take() {
            // It fails if that poll is gone, which is as good.
            let _ = self.socket.deregister(&dialed_on);
        }
        self.shared = true;
        self.ending.assume_heard();
        Ok(handle.into())
    }

    /// Closes our half. The peer still reads everything that was written.
    ///
    /// # Errors
    /// What the operating system reports. It is no error if the peer has closed already.
    pub fn shut_writing(&self) -> io::Result<()> {
        match self.socket.shutdown(Shutdown::Write) {
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }

    /// Shuts it both ways, which makes an event if it is registered.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        // It fails only if the peer has closed it already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    // The owner of the other handle may have made the socket block.
    fn peek(&self) -> io::Result<usize> {
        SockRef::from(&self.socket).set_nonblocking(true)?;
        self.socket.peek(&mut [0])
    }

    /// What the manager is told when the application lets go of it; none if the manager closed it.
    pub(crate) fn end(&self, conn: ConnId) -> Option<Input> {
        (!self.closed).then(|| self.ending.input(conn))
    }

    /// The application lets go of it. If there is another handle on the socket, this looks whether the peer has ended the
    /// stream, as far as its bytes were read, and shuts it both ways.
    pub(crate) fn let_go(&mut self) {
        if self.shared && !self.closed {
            self.ending.note_read(&self.peek());
            // It fails only if the peer has closed it already.
            let _ = self.socket.shutdown(Shutdown::Both);
        }
    }

    /// Whether bytes were read since the last call.
    pub(crate) const fn take_heard(&mut self) -> bool {
        std::mem::replace(&mut self.heard, false)
    }

    // A peer whose connection was closed may be banned: nothing more is read from it.
    fn read_by(&mut self, room: usize, attempt: impl FnOnce(&TcpStream) -> io::Result<usize>) -> io::Result<usize> {
        if self.closed || room == 0 {
            return Ok(0);
        }
        let read = attempt(&self.socket);
        self.ending.note_read(&read);
        self.heard |= read.as_ref().is_ok_and(|count| *count > 0);
        read
    }

    fn write_by(&mut self, attempt: impl FnOnce(&TcpStream) -> io::Result<usize>) -> io::Result<usize> {
        let written = attempt(&self.socket);
        if !self.closed {
            self.ending.note_write(&written);
        }
        written
    }
}

/// The socket, for its options (keep-alive, `TCP_USER_TIMEOUT`, the sizes of its buffers). Do not read, write or shut
/// it through this: the pool would not see how the stream ended.
#[cfg(unix)]
impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The socket, as `AsFd` gives it on Unix.
#[cfg(windows)]
impl AsSocket for Stream {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.socket.as_socket()
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_by(buf.len(), |mut socket| socket.read(buf))
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_by(|mut socket| socket.write(bytes))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_by(|mut socket| socket.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    /// Changes the dial's registration, or ends it and makes a new one.
    // To change it saves a system call. The application may use another poll than the pool, and only epoll fails for
    // certain when a socket is not registered there.
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        if let Some(dialed_on) = self.dialed_on.take() {
            let epoll = cfg!(any(target_os = "linux", target_os = "android"));
            if epoll && self.socket.reregister(registry, token, interests).is_ok() {
                return Ok(());
            }
            // It fails if that poll is gone, which is as good.
            let _ = self.socket.deregister(&dialed_on);
        }
        self.socket.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.socket.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.dialed_on = None;
        self.socket.deregister(registry)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::Duration;

    use connmgr_core::CloseCause;
    use mio::{Events, Poll};

    use super::*;

    /// A stream that waits for what it reads, so that the tests need no poll, and its other end.
    fn pair() -> (Stream, std::net::TcpStream) {
        let (ours, theirs) = sockets();
        (Stream::new(TcpStream::from_std(ours)), theirs)
    }

    fn sockets() -> (std::net::TcpStream, std::net::TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let ours = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    const CONN: ConnId = ConnId::from_u64(1);

    #[test]
    fn an_end_without_a_word_is_told_from_one_after_words() {
        for (words, cause) in [(&b""[..], CloseCause::Unheard), (b"hello", CloseCause::Eof)] {
            let (mut ours, mut theirs) = pair();
            theirs.write_all(words).unwrap();
            drop(theirs);
            assert_eq!(ours.end(CONN), Some(Input::Dropped { conn: CONN }));
            ours.read_to_end(&mut Vec::new()).unwrap();
            assert_eq!(ours.end(CONN), Some(Input::Closed { conn: CONN, cause }));
        }
    }

    #[test]
    fn bytes_that_are_read_are_noted_once() {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"hello").unwrap();
        assert!(!ours.take_heard());
        ours.read_exact(&mut [0; 5]).unwrap();
        assert!(ours.take_heard());
        assert!(!ours.take_heard());
        drop(theirs);
        assert_eq!(ours.read(&mut [0; 8]).unwrap(), 0);
        assert!(!ours.take_heard(), "an end is no life");
    }

    #[test]
    fn that_nothing_can_be_read_yet_is_no_end() {
        let (ours, _theirs) = sockets();
        ours.set_nonblocking(true).unwrap();
        let mut ours = Stream::new(TcpStream::from_std(ours));
        assert_eq!(ours.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(ours.read(&mut []).unwrap(), 0);
        assert_eq!(ours.end(CONN), Some(Input::Dropped { conn: CONN }));
    }

    #[test]
    fn nothing_is_read_of_a_stream_that_was_closed() {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"hello").unwrap();
        ours.close();
        assert_eq!(ours.read(&mut [0; 8]).unwrap(), 0);
        assert!(ours.write(b"hello").is_err());
        assert!(ours.end(CONN).is_none());
    }

    #[test]
    fn our_half_can_be_closed_alone() {
        let (mut ours, mut theirs) = pair();
        ours.write_all(b"bye").unwrap();
        ours.shut_writing().unwrap();
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).unwrap();
        theirs.write_all(b"and you").unwrap();
        assert_eq!((heard.as_str(), ours.read(&mut [0; 8]).unwrap()), ("bye", 7));
    }

    /// The tokens of what the poll tells by now.
    fn told(poll: &mut Poll) -> Vec<Token> {
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        events.iter().map(mio::event::Event::token).collect()
    }

    #[test]
    fn a_dials_registration_is_taken_over_by_the_application_on_its_poll_or_another() {
        for same in [true, false] {
            let (mut dials, mut others) = (Poll::new().unwrap(), Poll::new().unwrap());
            let (ours, _theirs) = sockets();
            ours.set_nonblocking(true).unwrap();
            let mut socket = TcpStream::from_std(ours);
            dials.registry().register(&mut socket, Token(1), Interest::WRITABLE).unwrap();
            assert_eq!(told(&mut dials), [Token(1)]);
            let mut ours = Stream::dialed(socket, Arc::new(dials.registry().try_clone().unwrap()));
            let poll = if same { &dials } else { &others };
            ours.register(poll.registry(), Token(2), Interest::WRITABLE).unwrap();
            let expected = if same { (vec![Token(2)], vec![]) } else { (vec![], vec![Token(2)]) };
            assert_eq!((told(&mut dials), told(&mut others)), expected);
            ours.shut_writing().unwrap();
            ours.close();
            let told_of_its_end = (told(&mut dials), told(&mut others));
            assert_eq!(told_of_its_end, expected);
        }
    }

    #[test]
    fn another_handle_on_the_socket_ends_with_the_stream() {
        let (mut ours, mut theirs) = pair();
        let mut handle = ours.to_std().unwrap();
        handle.write_all(b"ping").unwrap();
        theirs.read_exact(&mut [0; 4]).unwrap();
        for end in [&handle, &theirs] {
            end.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        }
        ours.let_go();
        drop(ours);
        assert_eq!(handle.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(theirs.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn the_end_that_another_handle_has_read_is_told() {
        let (mut ours, mut theirs) = pair();
        let mut handle = ours.to_std().unwrap();
        theirs.write_all(b"bye").unwrap();
        drop(theirs);
        handle.read_to_end(&mut Vec::new()).unwrap();
        ours.let_go();
        assert_eq!(ours.end(CONN), Some(Input::Closed { conn: CONN, cause: CloseCause::Eof }));
    }

    #[test]
    fn the_pools_poll_hears_nothing_of_a_stream_that_has_another_handle() {
        let mut dials = Poll::new().unwrap();
        let (ours, mut theirs) = sockets();
        ours.set_nonblocking(true).unwrap();
        let mut socket = TcpStream::from_std(ours);
        dials.registry().register(&mut socket, Token(1), Interest::READABLE).unwrap();
        let mut ours = Stream::dialed(socket, Arc::new(dials.registry().try_clone().unwrap()));
        let _handle = ours.to_std().unwrap();
        theirs.write_all(b"hello").unwrap();
        assert_eq!(told(&mut dials), []);
    }
}
