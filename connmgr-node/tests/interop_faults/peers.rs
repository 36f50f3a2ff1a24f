//! One listener that is a good peer at every address of the world.
//!
//! Threads and plain sockets, so that the two ends share no tested code. Each peer does the handshake, answers pings, and
//! answers `getaddr` with all addresses.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::message_network::VersionMessage;
use bitcoin::p2p::{Address, Magic, ServiceFlags};
use connmgr_core::PeerAddress;
use connmgr_node::frame::{Decoder, encode};

use crate::lab::Lab;

/// Regtest's.
const PORT: u16 = 18444;

/// The peers of a world. Their threads end with their connections; the listener's ends with this process.
#[derive(Debug)]
pub(crate) struct Peers {
    everybody: Arc<[SocketAddr]>,
    open: Arc<Mutex<Vec<Weak<TcpStream>>>>,
}

impl Peers {
    /// Starts this many peers, each in a group of its own: at most 255 of IPv4, and at most 1000 in all, which is the
    /// limit of one message.
    pub(crate) fn start(lab: &Lab, v4: u8, v6: u16) -> Self {
        let v4 = (1..=v4).map(|group| SocketAddr::from((Ipv4Addr::new(20, group, 0, 1), PORT)));
        let v6 = (1..=v6).map(|group| SocketAddr::from((Ipv6Addr::new(0x2a00, group, 0, 0, 0, 0, 0, 1), PORT)));
        let peers = Self { everybody: v4.chain(v6).collect(), open: Arc::default() };
        let (everybody, open) = (Arc::clone(&peers.everybody), Arc::clone(&peers.open));
        let listener = thread::scope(|scope| scope.spawn(|| listen(lab)).join().expect("the port is free"));
        thread::spawn(move || serve(&listener, &everybody, &open));
        peers
    }

    /// The address of one of them.
    pub(crate) fn first(&self) -> PeerAddress {
        self.everybody[0].into()
    }

    /// Resets all connections.
    pub(crate) fn hang_up(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.drain(..).filter_map(|stream| stream.upgrade()) {
            // Wakes its thread up; it may have ended by itself.
            let _ended = stream.shutdown(Shutdown::Read);
        }
    }
}

/// The listener stays in the namespace where it was made, whichever thread uses it.
fn listen(lab: &Lab) -> TcpListener {
    lab.enter_world();
    TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT)).expect("a namespace of our own")
}

fn serve(listener: &TcpListener, everybody: &Arc<[SocketAddr]>, open: &Mutex<Vec<Weak<TcpStream>>>) {
    for stream in listener.incoming().filter_map(Result::ok) {
        let (stream, everybody) = (Arc::new(stream), Arc::clone(everybody));
        open.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&stream));
        thread::spawn(move || talk(&stream, &everybody));
    }
}

/// Answers until the other end or [`Peers::hang_up`] ends it; then resets the connection.
fn talk(stream: &TcpStream, everybody: &[SocketAddr]) {
    let mut decoder = Decoder::new(Magic::REGTEST);
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = (&mut &*stream).read(&mut buffer) {
        decoder.extend(&buffer[..count]);
        while let Some(message) = decoder.next_message().expect("our node sends no garbage") {
            if answer(stream, message, everybody).is_err() {
                return;
            }
        }
    }
    let _broken = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn answer(mut stream: &TcpStream, message: NetworkMessage, everybody: &[SocketAddr]) -> io::Result<()> {
    let hello = version(stream);
    let mut say = |message| stream.write_all(&encode(Magic::REGTEST, message));
    match message {
        NetworkMessage::Version(_) => {
            say(NetworkMessage::Version(hello))?;
            say(NetworkMessage::Verack)
        }
        NetworkMessage::Ping(nonce) => say(NetworkMessage::Pong(nonce)),
        NetworkMessage::GetAddr => {
            let entry = |address| (u32::try_from(now()).unwrap_or(u32::MAX), Address::new(address, services()));
            say(NetworkMessage::Addr(everybody.iter().map(entry).collect()))
        }
        _ => Ok(()),
    }
}

fn version(stream: &TcpStream) -> VersionMessage {
    let remote = stream.peer_addr().unwrap_or_else(|_| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    let nonce = u64::from(remote.port()) << 16 | u64::from(stream.local_addr().map_or(0, |local| local.port()));
    let remote = Address::new(&remote, ServiceFlags::NONE);
    let us = Address::new(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)), services());
    let time = i64::try_from(now()).unwrap_or(i64::MAX);
    VersionMessage { relay: false, ..VersionMessage::new(services(), time, remote, us, nonce, "/world/".into(), 0) }
}

fn services() -> ServiceFlags {
    ServiceFlags::NETWORK | ServiceFlags::WITNESS
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
