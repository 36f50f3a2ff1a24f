//! The life of one peer of the world, from its behavior.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bitcoin::block::{BlockHash, Header};
use bitcoin::p2p::message::NetworkMessage;
use bitcoin::p2p::{Address, ServiceFlags};
use connmgr_core::{AddressInfo, Chain, Kind, Services};
use rand_chacha::ChaCha8Rng;
use rand_core::Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::behavior::Behavior;
use super::door::Door;
use super::{Counts, below};
use crate::drive::tokio::drive;
use crate::frame::encode;
use crate::gossip::MAX_ADDRESSES;
use crate::handshake::Hello;
use crate::headers::MAX_HEADERS;
use crate::news::News;
use crate::pump::Pump;
use crate::session::{Session, SessionConfig};

/// Connections one peer of the world holds; more are dropped.
const MAX_CONNECTIONS: usize = 64;

/// Connections made to fill the queue of a black hole. A queue of length 0 holds one on Linux.
const PLUGS: usize = 4;

/// The wait after a failed accept, or while the port is taken.
const PAUSE: Duration = Duration::from_millis(100);

/// One peer, before it comes to life.
pub(super) struct Life {
    pub(super) behavior: Behavior,
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
            Door::Open(listener) if self.behavior == Behavior::ComingAndGoing => self.come_and_go(listener).await,
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
            match Door::new(self.behavior, self.address) {
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
            behavior: self.behavior,
            lasts: self.between(1000, 4000),
            nonce: self.rng.next_u64(),
            teller: Teller {
                live: Live::new(&self.counts),
                addresses: if self.behavior == Behavior::Gossip { Arc::clone(&self.everyone) } else { Arc::default() },
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
    behavior: Behavior,
    lasts: Duration,
    nonce: u64,
    teller: Teller,
}

impl Connection {
    async fn talk(self, stream: TcpStream) {
        match self.behavior {
            Behavior::Good | Behavior::Gossip | Behavior::ComingAndGoing => self.behave(stream).await,
            Behavior::Dropping => {
                let _elapsed = timeout(self.lasts, self.behave(stream)).await;
            }
            Behavior::Silent => listen_only(stream).await,
            Behavior::Garbage => {
                let noise = self.nonce.to_be_bytes().repeat(100);
                self.misbehave(stream, &noise).await;
            }
            Behavior::Oversized => {
                let address = Address::new(&SocketAddr::from(([127, 99, 0, 1], 1)), ServiceFlags::NONE);
                let flood = NetworkMessage::Addr(vec![(0, address); MAX_ADDRESSES + 1]);
                self.misbehave(stream, &encode(SessionConfig::new(Chain::Regtest).magic(), flood)).await;
            }
            Behavior::AcceptAndClose | Behavior::Refusing | Behavior::BlackHole => drop(stream),
        }
    }

    fn hello(&self) -> Hello {
        let height = i32::try_from(self.teller.chain.len()).unwrap_or(i32::MAX);
        Hello {
            services: Services::NETWORK | Services::WITNESS,
            user_agent: format!("/{}/", self.behavior.name()),
            start_height: height,
            ..Hello::new(Kind::Inbound, self.nonce)
        }
    }

    fn session(&self) -> Session {
        Session::new(self.hello(), SessionConfig::new(Chain::Regtest))
    }

    async fn behave(self, mut stream: TcpStream) {
        let mut pump = Pump::new(self.session());
        loop {
            let news = drive(&mut stream, |stream, now| pump.turn(stream, now)).await;
            if let News::Ended(_) = news {
                return;
            }
            self.teller.answer(news, pump.session());
        }
    }

    /// Shakes hands, then sends this.
    async fn misbehave(self, mut stream: TcpStream, offence: &[u8]) {
        let mut pump = Pump::new(self.session());
        let news = drive(&mut stream, |stream, now| pump.turn(stream, now)).await;
        let News::Ready(_) = news else { return };
        let last_words = pump.session().outgoing().to_vec();
        self.teller.answer(news, pump.session());
        let sent = stream.write_all(&[&last_words, offence].concat()).await;
        if sent.is_ok() {
            listen_only(stream).await;
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

impl Teller {
    fn answer(&self, news: News, session: &mut Session) {
        match news {
            News::Ready(_) => drop(self.live.0.ready.fetch_add(1, Ordering::Relaxed)),
            News::AddressesWanted(count) => {
                let count = self.addresses.len().min(usize::try_from(count).unwrap_or(usize::MAX));
                session.tell_addresses(&self.addresses[..count]);
            }
            News::HeadersWanted(locator) => session.tell_headers(self.headers_after(&locator)),
            // What is said to them is of no matter to those who live here.
            News::Addresses(_) | News::Activity(_) | News::Misbehaving(_) | News::Tip(_) | News::Ended(_) => {}
        }
    }

    fn headers_after(&self, locator: &[BlockHash]) -> Vec<Header> {
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
