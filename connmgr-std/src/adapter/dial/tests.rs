//! Dials and lookups through a proxy, on real sockets that block.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;

use connmgr_core::IsolationToken;

use super::*;
use crate::tests::{NoWire, block_on};

/// A stream of the standard library. Its futures block, and are ready when they are first polled.
#[derive(Debug)]
struct BlockingWire(TcpStream);

impl Wire for BlockingWire {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        TcpStream::connect(address).map(Self)
    }
    async fn connecting(socket: TcpStream) -> io::Result<Self> {
        // It connects to loopback, which takes no time.
        socket.set_nonblocking(false)?;
        Ok(Self(socket))
    }
    async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
    async fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
    fn to_std(&self) -> io::Result<TcpStream> {
        self.0.try_clone()
    }
    fn peek(&self) -> io::Result<usize> {
        self.0.peek(&mut [0])
    }
    fn set_nodelay(&self) -> io::Result<()> {
        self.0.set_nodelay(true)
    }
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }
}

/// A proxy for one client: reads so many bytes, then answers, byte by byte; and so on. Then it hangs up.
fn proxy(script: Vec<(usize, &'static [u8])>) -> SocketAddr {
    proxy_by(1, script)
}

/// The same, with answers in pieces of at most so many bytes.
fn proxy_by(piece: usize, script: Vec<(usize, &'static [u8])>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        for (request, answer) in script {
            stream.read_exact(&mut vec![0; request]).unwrap();
            for bytes in answer.chunks(piece) {
                stream.write_all(bytes).unwrap();
                thread::yield_now();
            }
        }
    });
    address
}

fn dial_a_name(proxy: SocketAddr) -> Result<BlockingWire, DialError> {
    dial_with(proxy, Isolation::Token(IsolationToken::from_u64(7))).0
}

fn dial_with(proxy: SocketAddr, isolation: Isolation) -> (Result<BlockingWire, DialError>, Unisolated) {
    let address: PeerAddress = "node.example:1".parse().unwrap();
    block_on(dial_by_proxy(proxy, isolation, address, None))
}

const REQUEST: usize = 5 + "node.example".len() + 2;
const CREDENTIALS: usize = 1 + 2 * (1 + 24);
const YES_AND_HELLO: &[u8] = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00hello";

#[test]
fn the_bytes_after_a_proxys_reply_are_the_peers_also_in_one_packet() {
    for piece in [1, 100] {
        let script: Vec<(usize, &[u8])> = vec![(3, &[5, 2]), (CREDENTIALS, &[1, 0]), (REQUEST, YES_AND_HELLO)];
        let mut wire = dial_a_name(proxy_by(piece, script)).unwrap();
        let mut heard = String::new();
        wire.0.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "hello", "in pieces of {piece}");
    }
}

#[test]
fn a_target_that_the_proxy_reports_unreachable_is_at_fault() {
    let script: Vec<(usize, &[u8])> = vec![(3, &[5, 2]), (CREDENTIALS, &[1, 0]), (REQUEST, &[5, 5])];
    assert_eq!(dial_a_name(proxy(script)).unwrap_err(), DialError::Refused);
}

#[test]
fn a_proxy_that_is_not_there_says_nothing_of_the_target() {
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    assert_eq!(dial_a_name(gone).unwrap_err(), DialError::ProxyUnreachable);
}

#[test]
fn a_proxy_that_hangs_up_has_failed() {
    assert_eq!(dial_a_name(proxy(vec![(3, &[5])])).unwrap_err(), DialError::ProxyFailed);
}

#[test]
fn a_name_is_resolved_by_the_proxy() {
    let script: Vec<(usize, &[u8])> = vec![(3, &[5, 0]), (REQUEST, &[5, 0, 0, 1, 1, 2, 3, 4, 0, 0])];
    let name = "node.example".parse().unwrap();
    let found = block_on(resolve_by_proxy::<BlockingWire>(name, proxy(script), Isolation::Shared, None));
    assert_eq!(found, (Ok(vec![ResolvedIp::from([1, 2, 3, 4])]), None));
}

/// There may be thousands at a time.
#[test]
fn a_direct_dial_adds_little_to_the_runtimes_own() {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let ours = size_of_val(&dial::<NoWire>(address)) - size_of_val(&NoWire::connect(address));
    assert!(ours <= 128, "{ours} bytes");
}

#[test]
fn every_socket_of_a_dial_is_prepared_also_one_to_a_proxy() {
    let (prepared, seen) = std::sync::mpsc::channel();
    let hook = SocketHook::new(move |_, address| prepared.send(address).map_err(io::Error::other));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let direct = listener.local_addr().unwrap();
    block_on(dial_prepared::<BlockingWire>(direct, hook.clone())).unwrap();
    let gone = proxy(Vec::new());
    let _ = block_on(resolve_by_proxy::<BlockingWire>(
        "node.example".parse().unwrap(),
        gone,
        Isolation::Shared,
        Some(hook.clone()),
    ));
    let by = proxy(vec![(3, &[5])]);
    let address: PeerAddress = "node.example:1".parse().unwrap();
    let _ = block_on(dial_by_proxy::<BlockingWire>(by, Isolation::Shared, address, Some(hook)));
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [direct, gone, by]);
}

#[test]
fn a_socket_that_can_not_be_prepared_is_not_the_proxys_fault() {
    let hook = SocketHook::new(|_, _| Err(ErrorKind::PermissionDenied.into()));
    let address: PeerAddress = "node.example:1".parse().unwrap();
    let by = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let (result, _) = block_on(dial_by_proxy::<BlockingWire>(by, Isolation::Shared, address, Some(hook)));
    assert_eq!(result.unwrap_err(), DialError::SocketHook);
}
