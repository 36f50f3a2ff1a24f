//! The life of one peer of the world, from its behaviour.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bitcoin::block::{BlockHash, Header};
use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::{Address, ServiceFlags};
use connmgr_core::{Activity, AddressInfo, Chain, Kind, Services};
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::door::Door;
use super::{Behaviour, Counts, below};
use crate::gossip::MAX_ADDRESSES;
use crate::handshake::{Hello, Peer, shake_hands};
use crate::headers::MAX_HEADERS;
use crate::reports::Reports;
use crate::session::{Session, SessionConfig};
use crate::violation::Violation;
use crate::wire::Wire;

/// Connections one peer of the world holds; more are dropped.
const MAX_CONNECTIONS: usize = 64;

/// Connections made to fill the queue of a black hole. A queue of length 0 holds one on Linux.
const PLUGS: usize = 4;

/// The wait after a failed accept, or while the port is taken.
const PAUSE: Duration = Duration::from_millis(100);

/// One peer, before it comes to life.
pub(super) struct Life {
    pub(super) behaviour: Behaviour,
    pub(super) address: SocketAddr,
    pub(super) counts: Arc<Counts>,
    pub(super) everyone: Arc<[AddressInfo]>,
    pub(super) chain: Arc<[Header]>,
    pub(super) rng: ChaCha8Rng,
}

impl Life {
    /// Lives behind this door until it is dropped.
    pub(super) async fn live(mut self, door: Door) {
        match door {
            Door::Shut(_) => hold(door).await,
            Door::Narrow(listener) => self.swallow(listener).await,
            Door::Open(listener) if self.behaviour == Behaviour::ComingAndGoing => self.come_and_go(listener).await,
            Door::Open(listener) => self.serve(&listener).await,
        }
    }

    /// Fills the queue of its listener, and never takes anyone out.
    async fn swallow(&self, listener: TcpListener) {
        let mut plugs = JoinSet::new();
        for _ in 0..PLUGS {
            let address = self.address;
            plugs.spawn(async move { hold(TcpStream::connect(address).await).await });
        }
        hold((listener, plugs)).await;
    }

    async fn come_and_go(&mut self, mut listener: TcpListener) {
        loop {
            let here = self.between(2000, 5000);
            let _elapsed = timeout(here, self.serve(&listener)).await;
            drop(listener);
            sleep(self.between(2000, 4000)).await;
            listener = self.reopen().await;
        }
    }

    /// Opens its door again; while somebody else has its port, it waits.
    async fn reopen(&self) -> TcpListener {
        loop {
            match Door::new(self.behaviour, self.address) {
                Ok(Door::Open(listener)) => return listener,
                Ok(Door::Shut(_) | Door::Narrow(_)) | Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Takes connections for ever. Dropped, it drops them all.
    async fn serve(&mut self, listener: &TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() < MAX_CONNECTIONS => {
                        connections.spawn(self.connection().talk(stream));
                    }
                    Ok((stream, _)) => drop(stream),
                    Err(_) => sleep(PAUSE).await,
                },
                Some(_ended) = connections.join_next() => {}
            }
        }
    }

    fn connection(&mut self) -> Connection {
        self.counts.accepted.fetch_add(1, Ordering::Relaxed);
        Connection {
            behaviour: self.behaviour,
            lasts: self.between(1000, 4000),
            nonce: self.rng.next_u64(),
            teller: Teller {
                live: Live::new(&self.counts),
                addresses: if self.behaviour == Behaviour::Gossip {
                    Arc::clone(&self.everyone)
                } else {
                    Arc::default()
                },
                chain: Arc::clone(&self.chain),
            },
        }
    }

    /// A time between so many milliseconds.
    fn between(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + below(&mut self.rng, most - least) as u64)
    }
}

/// Keeps something for ever.
async fn hold<T>(_kept: T) {
    pending::<()>().await;
}

/// One connection that a peer of the world took.
struct Connection {
    behaviour: Behaviour,
    lasts: Duration,
    nonce: u64,
    teller: Teller,
}

impl Connection {
    async fn talk(self, stream: TcpStream) {
        match self.behaviour {
            Behaviour::Good | Behaviour::Gossip | Behaviour::ComingAndGoing => self.behave(stream).await,
            Behaviour::Dropping => {
                let _elapsed = timeout(self.lasts, self.behave(stream)).await;
            }
            Behaviour::Silent => listen_only(stream).await,
            Behaviour::Garbage => {
                let noise = self.nonce.to_be_bytes().repeat(100);
                self.shake_hands_and(stream, |wire| wire.send_raw(&noise).is_ok()).await;
            }
            Behaviour::Oversized => {
                let address = Address::new(&SocketAddr::from(([127, 99, 0, 1], 1)), ServiceFlags::NONE);
                let flood = NetworkMessage::Addr(vec![(0, address); MAX_ADDRESSES + 1]);
                self.shake_hands_and(stream, |wire| wire.send(flood).is_ok()).await;
            }
            Behaviour::AcceptAndClose | Behaviour::Refusing | Behaviour::BlackHole => drop(stream),
        }
    }

    fn hello(&self) -> Hello {
        let height = i32::try_from(self.teller.chain.len()).unwrap_or(i32::MAX);
        Hello {
            services: Services::NETWORK | Services::WITNESS,
            user_agent: format!("/{}/", self.behaviour.name()),
            start_height: height,
            ..Hello::new(Kind::Inbound, self.nonce)
        }
    }

    async fn behave(self, stream: TcpStream) {
        let hello = self.hello();
        let config = SessionConfig { sync_headers: false, ..SessionConfig::new(Chain::Regtest) };
        Session::run(stream, &hello, &config, self.teller).await;
    }

    async fn shake_hands_and(mut self, stream: TcpStream, misbehave: impl FnOnce(&mut Wire<TcpStream>) -> bool) {
        let mut wire = Wire::new(stream, SessionConfig::new(Chain::Regtest).magic());
        let Ok(peer) = shake_hands(&mut wire, &self.hello()).await else { return };
        self.teller.ready(wire.stream(), &peer);
        if misbehave(&mut wire) && wire.flush().await.is_ok() {
            listen_only(wire.into_stream()).await;
        }
    }
}

/// Reads until the other end closes, and says nothing.
async fn listen_only(mut stream: TcpStream) {
    let mut ignored = [0; 1024];
    while matches!(stream.read(&mut ignored).await, Ok(1..)) {}
}

/// What a peer of the world tells when asked.
struct Teller {
    live: Live,
    addresses: Arc<[AddressInfo]>,
    chain: Arc<[Header]>,
}

impl Reports<TcpStream> for Teller {
    fn ready(&mut self, _: &TcpStream, _: &Peer) {
        self.live.0.ready.fetch_add(1, Ordering::Relaxed);
    }

    fn addresses(&mut self, _: &TcpStream, _: Vec<AddressInfo>) {}

    fn activity(&mut self, _: &TcpStream, _: Activity) {}

    fn misbehaving(&mut self, _: &TcpStream, _: &Violation) {}

    async fn sample_addresses(&mut self, count: u32) -> Vec<AddressInfo> {
        self.addresses.iter().take(usize::try_from(count).unwrap_or(usize::MAX)).cloned().collect()
    }

    fn headers_after(&mut self, locator: &[BlockHash]) -> Vec<Header> {
        let after = |hash: &BlockHash| {
            self.chain.iter().position(|header| header.block_hash() == *hash).map(|position| position + 1)
        };
        let start = locator.iter().find_map(after).unwrap_or(0);
        self.chain[start..].iter().take(MAX_HEADERS).copied().collect()
    }
}

/// Counts a connection while it lasts.
struct Live(Arc<Counts>);

impl Live {
    fn new(counts: &Arc<Counts>) -> Self {
        counts.live.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counts))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}
