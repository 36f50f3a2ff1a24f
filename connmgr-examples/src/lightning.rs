//! A Lightning node (LDK) whose peers a pool keeps, by their node ids.
//!
//! LDK speaks the protocol and knows nothing of addresses, retries or limits; the pool knows those and nothing of
//! Lightning. A stream goes from the pool to LDK, the proved id of its peer from LDK to the pool, and the end of either
//! to the other. There are no channels here: the node takes part in handshakes, and ignores everything else.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::PublicKey;
use connmgr_tokio::{
    Activity, AddPeerError, AddedPeer, Backoff, Config, Connection, Handle, Identity, Mode, PeerId, PeerInfo, Pool,
    PoolEvent,
};
use lightning::ln::msgs::SocketAddress;
use lightning::ln::peer_handler::PeerDetails;
use lightning::sign::{KeysManager, NodeSigner, Recipient};
use lightning_net_tokio::{setup_inbound, setup_outbound};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use self::ldk::{Peers, peers};

mod ldk;

/// How often LDK pings its peers and drops those that do not answer.
const TICK: Duration = Duration::from_secs(10);

/// A node: LDK's peers, and the pool that keeps them connected. It tells what happens on standard output.
pub struct Node {
    shared: Arc<Shared>,
    pool: Handle,
    address: SocketAddr,
    /// The tasks that take the pool's events, and that let LDK ping.
    events: JoinHandle<()>,
    ticks: JoinHandle<()>,
}

struct Shared {
    name: &'static str,
    id: PublicKey,
    peers: Arc<Peers>,
    /// Changes when LDK has shaken hands with a peer.
    handshakes: watch::Receiver<()>,
    /// The peers that were reported ready, in order.
    ready: watch::Sender<Vec<PublicKey>>,
    /// The peers to keep. The place of one is the tag of its added peer.
    kept: Mutex<Vec<PublicKey>>,
}

impl Node {
    /// Starts a node that listens on loopback. Its key is made from `seed`.
    ///
    /// # Errors
    /// What the pool can't start without.
    pub async fn start(name: &'static str, seed: [u8; 32]) -> Result<Self, Box<dyn Error>> {
        let keys = Arc::new(KeysManager::new(&seed, 1, 0, true));
        let id = keys.get_node_id(Recipient::Node).map_err(|()| "the signer has no node id")?;
        let (done, handshakes) = watch::channel(());
        let peers = Arc::new(peers(keys, done));
        let shared =
            Arc::new(Shared { name, id, peers, handshakes, ready: watch::Sender::default(), kept: Mutex::default() });
        let config = Config {
            mode: Mode::ConnectOnly, // Only a node whose id is known can be dialed, so there is no book to choose from.
            identity: Some(identity(&id)), // Of two connections that two nodes make at once, both keep the same.
            retry: Backoff { base: Duration::from_millis(200), ..Backoff::default() },
            ..Config::default()
        };
        let pool = Pool::builder(config).listen("127.0.0.1:0".parse()?).start().await?;
        let (handle, address) = (pool.handle(), pool.local_addrs()[0]);
        let events = tokio::spawn(take_events(pool, Arc::clone(&shared)));
        let ticks = tokio::spawn(tick(Arc::clone(&shared.peers)));
        Ok(Self { shared, pool: handle, address, events, ticks })
    }

    /// The node's id: its public key.
    pub fn id(&self) -> PublicKey {
        self.shared.id
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The pool's commands and views.
    pub const fn pool(&self) -> &Handle {
        &self.pool
    }

    /// Keeps a connection to the node with this id, at whichever of these addresses it is.
    ///
    /// # Errors
    /// [`AddPeerError`] says why it can't be kept.
    pub async fn keep(&self, id: PublicKey, addresses: &[SocketAddr]) -> Result<PeerId, AddPeerError> {
        let (first, others) = addresses.split_first().ok_or(AddPeerError::NoAddress)?;
        // An event of the peer may be taken before its `PeerId` is known here, so the tag leads to its node id.
        let tag = self.shared.keep(id);
        let peer = AddedPeer::new((*first).into()).identity(identity(&id)).tag(tag);
        self.pool.add_peer(others.iter().fold(peer, |peer, address| peer.or((*address).into()))).await
    }

    /// Disconnects a peer, as LDK does when a peer breaks the protocol.
    pub fn disconnect(&self, id: PublicKey) {
        self.shared.peers.disconnect_by_node_id(id);
        self.shared.peers.process_events();
    }

    /// Waits until this peer has been ready so many times in all.
    pub async fn ready(&self, id: PublicKey, times: usize) {
        let enough = |all: &Vec<PublicKey>| all.iter().filter(|one| **one == id).count() >= times;
        self.shared.ready.subscribe().wait_for(enough).await.expect("the node holds the sender");
    }

    /// Shuts down: every connection is closed when it returns.
    pub async fn stop(self) {
        // It fails only if the pool has ended already.
        let _ = self.pool.shutdown().await;
        self.ticks.abort();
        self.events.await.expect("taking events does not panic");
    }
}

impl Shared {
    fn keep(&self, id: PublicKey) -> u64 {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(id);
        kept.len() as u64 - 1
    }

    /// The node id that an added peer must have, by its tag.
    fn kept(&self, tag: u64) -> Option<PublicKey> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(usize::try_from(tag).ok()?).copied()
    }

    /// The peer at the other end of a stream, once LDK has shaken hands with it.
    async fn proved(&self, remote: &SocketAddress, inbound: bool) -> PublicKey {
        let mut handshakes = self.handshakes.clone();
        loop {
            handshakes.mark_unchanged();
            let all = self.peers.list_peers();
            let there = |peer: &&PeerDetails| {
                peer.is_inbound_connection == inbound && peer.socket_address.as_ref() == Some(remote)
            };
            if let Some(peer) = all.iter().find(there) {
                return peer.counterparty_node_id;
            }
            handshakes.changed().await.expect("the peer manager lives as long as the node");
        }
    }
}

/// Takes the pool's events until it has stopped.
async fn take_events(mut pool: Pool, shared: Arc<Shared>) {
    while let Some(event) = pool.next().await {
        let name = shared.name;
        match event {
            PoolEvent::Connected(connection) => drop(tokio::spawn(carry(connection, Arc::clone(&shared)))),
            PoolEvent::RetryScheduled { at, .. } => println!("{name}: dials again in {:?}", at.since(pool.now())),
            other => println!("{name}: {other}"),
        }
    }
}

/// Lets LDK speak on a connection until one of the two ends it.
async fn carry(connection: Connection, shared: Arc<Shared>) {
    if let Err(error) = try_carry(connection, &shared).await {
        println!("{}: {error}", shared.name);
    }
}

async fn try_carry(connection: Connection, shared: &Shared) -> io::Result<()> {
    // LDK wants to own a stream of the standard library. When the pool closes the connection, LDK reads the stream's end.
    let (stream, watch) = connection.into_std()?;
    let (remote, inbound, peers) = (stream.peer_addr()?.into(), watch.kind().is_inbound(), Arc::clone(&shared.peers));
    let wanted = watch.info().tag.and_then(|tag| shared.kept(tag));
    let mut end: Pin<Box<dyn Future<Output = ()> + Send>> = match wanted {
        Some(id) if !inbound => Box::pin(setup_outbound(peers, id, stream)),
        _ => Box::pin(setup_inbound(peers, stream)),
    };
    tokio::select! {
        () = &mut end => return Ok(()),
        id = shared.proved(&remote, inbound) => {
            println!("{}: shook hands with {} on {}", shared.name, short(&id), watch.id());
            watch.report_ready(PeerInfo { identity: Some(identity(&id)), ..PeerInfo::default() });
            shared.ready.send_modify(|ready| ready.push(id));
        }
    }
    // The pool does not see what LDK reads. LDK drops peers that leave its pings without an answer: who is there is alive.
    while timeout(TICK, &mut end).await.is_err() {
        watch.report_activity(Activity::default());
    }
    Ok(()) // Dropped, the watch gives the connection back. If its peer is kept, the pool dials it again.
}

/// The pool's identity of a node: a hash of its id, which is a byte longer.
pub fn identity(id: &PublicKey) -> Identity {
    Identity(sha256::Hash::hash(&id.serialize()).to_byte_array())
}

/// The first digits of a node's id.
pub fn short(id: &PublicKey) -> String {
    id.to_string()[..8].to_owned()
}

async fn tick(peers: Arc<Peers>) {
    loop {
        sleep(TICK).await;
        peers.timer_tick_occurred();
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("name", &self.shared.name).field("id", &self.shared.id).finish_non_exhaustive()
    }
}
