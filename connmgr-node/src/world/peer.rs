//! One peer of the world. What it does follows from its behavior.

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

use super::behavior::PeerBehavior;
use super::peer_socket::PeerSocket;
use super::{WorldPeerCounts, below};
use crate::drive::tokio::drive;
use crate::frame::encode;
use crate::gossip::MAX_ADDRESSES;
use crate::handshake::Hello;
use crate::headers::MAX_HEADERS;
use crate::news::News;
use crate::pump::Pump;
use crate::session::{Session, SessionConfig};

/// The most connections of one peer; more are dropped.
const MAX_CONNECTIONS: usize = 64;

/// Connections made to fill the accept queue of a black hole. A queue of length 0 holds one on Linux.
const PLUGS: usize = 4;

/// The wait after a failed accept, or while the port is taken.
const PAUSE: Duration = Duration::from_millis(100);

/// One peer, before it runs.
pub(super) struct WorldPeer {
    pub(super) behavior: PeerBehavior,
    pub(super) address: SocketAddr,
    pub(super) counts: Arc<WorldPeerCounts>,
    pub(super) all_addresses: Arc<[AddressInfo]>,
    pub(super) chain: Arc<[Header]>,
    pub(super) rng: ChaCha8Rng,
}

impl WorldPeer {
    /// Runs until it is dropped.
    pub(super) async fn run(mut self, socket: PeerSocket) {
        match socket {
            PeerSocket::Bound(_) => hold(socket).await,
            PeerSocket::FullQueue(listener) => self.swallow(listener).await,
            PeerSocket::Listening(listener) if self.behavior == PeerBehavior::ComingAndGoing => {
                self.come_and_go(listener).await;
            }
            PeerSocket::Listening(listener) => self.serve(&listener).await,
        }
    }

    /// Fills the accept queue of its listener, and accepts nothing.
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

    /// Listens again. Waits while its port is taken.
    async fn reopen(&self) -> TcpListener {
        loop {
            match PeerSocket::new(self.behavior, self.address) {
                Ok(PeerSocket::Listening(listener)) => return listener,
                Ok(PeerSocket::Bound(_) | PeerSocket::FullQueue(_)) | Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Accepts connections for ever. Drops them all when it is dropped.
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

    fn connection(&mut self) -> WorldConnection {
        self.counts.accepted.fetch_add(1, Ordering::Relaxed);
        WorldConnection {
            behavior: self.behavior,
            lasts: self.between(1000, 4000),
            nonce: self.rng.next_u64(),
            answers: WorldAnswers {
                live: Live::new(&self.counts),
                addresses: if self.behavior == PeerBehavior::Gossip {
                    Arc::clone(&self.all_addresses)
                } else {
                    Arc::default()
                },
                chain: Arc::clone(&self.chain),
            },
        }
    }

    /// A time between two numbers of milliseconds.
    fn between(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + below(&mut self.rng, most - least) as u64)
    }
}

/// Keeps a value until the task is dropped.
async fn hold<T>(_kept: T) {
    pending::<()>().await;
}

/// One connection that a peer of the world accepted.
struct WorldConnection {
    behavior: PeerBehavior,
    lasts: Duration,
    nonce: u64,
    answers: WorldAnswers,
}

impl WorldConnection {
    async fn talk(self, stream: TcpStream) {
        match self.behavior {
            PeerBehavior::Good | PeerBehavior::Gossip | PeerBehavior::ComingAndGoing => self.behave(stream).await,
            PeerBehavior::Dropping => {
                let _elapsed = timeout(self.lasts, self.behave(stream)).await;
            }
            PeerBehavior::Silent => listen_only(stream).await,
            PeerBehavior::Garbage => {
                let noise = self.nonce.to_be_bytes().repeat(100);
                self.misbehave(stream, &noise).await;
            }
            PeerBehavior::Oversized => {
                let address = Address::new(&SocketAddr::from(([127, 99, 0, 1], 1)), ServiceFlags::NONE);
                let flood = NetworkMessage::Addr(vec![(0, address); MAX_ADDRESSES + 1]);
                self.misbehave(stream, &encode(SessionConfig::new(Chain::Regtest).magic(), flood)).await;
            }
            PeerBehavior::AcceptAndClose | PeerBehavior::Refusing | PeerBehavior::BlackHole => drop(stream),
        }
    }

    fn hello(&self) -> Hello {
        let height = i32::try_from(self.answers.chain.len()).unwrap_or(i32::MAX);
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
            self.answers.answer(news, pump.session());
        }
    }

    /// Does the handshake, then sends these bytes.
    async fn misbehave(self, mut stream: TcpStream, offence: &[u8]) {
        let mut pump = Pump::new(self.session());
        let news = drive(&mut stream, |stream, now| pump.turn(stream, now)).await;
        let News::Ready(_) = news else { return };
        let last_words = pump.session().outgoing().to_vec();
        self.answers.answer(news, pump.session());
        let sent = stream.write_all(&[&last_words, offence].concat()).await;
        if sent.is_ok() {
            listen_only(stream).await;
        }
    }
}

/// Reads until the other end closes, and sends nothing.
async fn listen_only(mut stream: TcpStream) {
    let mut ignored = [0; 1024];
    while matches!(stream.read(&mut ignored).await, Ok(1..)) {}
}

/// What a peer of the world answers.
struct WorldAnswers {
    live: Live,
    addresses: Arc<[AddressInfo]>,
    chain: Arc<[Header]>,
}

impl WorldAnswers {
    fn answer(&self, news: News, session: &mut Session) {
        match news {
            News::Ready(_) => drop(self.live.0.ready.fetch_add(1, Ordering::Relaxed)),
            News::AddressesWanted(count) => {
                let count = self.addresses.len().min(usize::try_from(count).unwrap_or(usize::MAX));
                session.tell_addresses(&self.addresses[..count]);
            }
            News::HeadersWanted(locator) => session.tell_headers(self.headers_after(&locator)),
            // Peers of the world ignore the rest.
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
struct Live(Arc<WorldPeerCounts>);

impl Live {
    fn new(counts: &Arc<WorldPeerCounts>) -> Self {
        counts.live.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counts))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::Relaxed);
    }
}
