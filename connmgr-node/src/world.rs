//! 24 peers on loopback, good and bad, for a node without a network.
//!
//! Real listeners that speak the real protocol, on 127.x.0.1, most in a group of their own (on regtest the manager treats
//! 127.0.0.0/8 as an ordinary network). A seed decides addresses, behaviors and times; what the operating system does is
//! not repeatable. Everything stops when the [`LoopbackWorld`] is dropped.

pub mod behavior;
mod peer;
mod peer_socket;
pub mod row;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::block::Header;
use connmgr_core::{AddressInfo, PeerAddress, Services, UnixTime};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::headers::mine_regtest;
use behavior::PeerBehavior;
use peer_socket::{GROUPS, PeerSocket, Site};
use row::BehaviorRow;

/// All peers. The first twenty are in groups of their own; twelve of those stay connected, enough for eight full and two
/// block-relay connections. The others share a group with one of the twenty.
const CAST: [PeerBehavior; 24] = {
    use PeerBehavior::{
        AcceptAndClose, BlackHole, ComingAndGoing, Dropping, Garbage, Good, Gossip, Oversized, Refusing, Silent,
    };
    [
        Gossip,
        Good,
        Good,
        Good,
        Good,
        Good,
        Good,
        Good,
        Good,
        Good,
        Good,
        Good,
        Refusing,
        Refusing,
        Silent,
        BlackHole,
        AcceptAndClose,
        ComingAndGoing,
        Garbage,
        Oversized,
        // These share a group with one above.
        Good,
        Silent,
        AcceptAndClose,
        Dropping,
    ]
};

/// The options of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldConfig {
    /// Decides addresses, behaviors and times.
    pub seed: u64,
    /// The length of its chain, in blocks.
    pub blocks: u32,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self { seed: 1, blocks: 150 }
    }
}

/// A running world.
#[derive(Debug)]
pub struct LoopbackWorld {
    peers: Vec<Inhabitant>,
    is_relaxed: bool,
    chain: Arc<[Header]>,
    /// Ends the thread when dropped.
    lifeline: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inhabitant {
    behavior: PeerBehavior,
    address: SocketAddr,
    counts: Arc<WorldPeerCounts>,
}

#[derive(Debug, Default)]
struct WorldPeerCounts {
    accepted: AtomicU32,
    ready: AtomicU32,
    live: AtomicU32,
}

impl LoopbackWorld {
    /// Opens all listeners. The world runs on a thread of its own, with tokio.
    ///
    /// # Errors
    /// The sockets can't be bound, or the thread can't be started.
    pub fn start(config: &WorldConfig) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let inside = runtime.enter();
        let (sockets, is_relaxed) = peer_socket::build(&sites(config.seed))?;
        let peers: Vec<_> = CAST
            .into_iter()
            .zip(sockets.iter().map(PeerSocket::address))
            .map(|(behavior, address)| Ok(Inhabitant { behavior, address: address?, counts: Arc::default() }))
            .collect::<io::Result<_>>()?;
        let all_addresses: Arc<[AddressInfo]> = peers.iter().map(|peer| info(peer.address)).collect();
        let chain: Arc<[Header]> = mine_regtest(config.blocks).into();
        let mut tasks = JoinSet::new();
        for (index, (peer, socket)) in peers.iter().zip(sockets).enumerate() {
            let peer = peer::WorldPeer {
                behavior: peer.behavior,
                address: peer.address,
                counts: Arc::clone(&peer.counts),
                all_addresses: Arc::clone(&all_addresses),
                chain: Arc::clone(&chain),
                rng: stream(config.seed, index as u64 + 1),
            };
            tasks.spawn(peer.run(socket));
        }
        drop(inside);
        let (lifeline, ended) = oneshot::channel();
        let live = move || {
            let _ended = runtime.block_on(ended);
            drop(tasks);
        };
        let thread = thread::Builder::new().name("world".into()).spawn(live)?;
        Ok(Self { peers, is_relaxed, chain, lifeline: Some(lifeline), thread: Some(thread) })
    }

    /// Whether all peers are on 127.0.0.1, because this system has no other loopback address. They are all in one group
    /// then: the group rule must be relaxed.
    pub const fn relaxed(&self) -> bool {
        self.is_relaxed
    }

    /// The address of the one peer that gossips about all others.
    pub fn entry(&self) -> PeerAddress {
        let gossip = self.addresses(PeerBehavior::Gossip).next().expect("the cast has one");
        PeerAddress::from(gossip)
    }

    /// The addresses of all peers, as for a book.
    pub fn all_addresses(&self) -> Vec<AddressInfo> {
        self.peers.iter().map(|peer| info(peer.address)).collect()
    }

    /// The addresses of the peers of one behavior.
    pub fn addresses(&self, behavior: PeerBehavior) -> impl Iterator<Item = SocketAddr> {
        self.peers.iter().filter(move |peer| peer.behavior == behavior).map(|peer| peer.address)
    }

    /// The behavior of the peer at this address.
    pub fn behavior(&self, address: SocketAddr) -> Option<PeerBehavior> {
        self.peers.iter().find(|peer| peer.address == address).map(|peer| peer.behavior)
    }

    /// The length of the world's chain, in blocks.
    pub fn height(&self) -> u32 {
        u32::try_from(self.chain.len()).expect("made from a u32")
    }

    /// The counts so far, a row for each behavior.
    pub fn tally(&self) -> Vec<BehaviorRow> {
        PeerBehavior::ALL.into_iter().map(|behavior| self.row(behavior)).collect()
    }

    fn row(&self, behavior: PeerBehavior) -> BehaviorRow {
        let empty = BehaviorRow { behavior, peers: 0, accepted: 0, ready: 0, live: 0 };
        self.peers.iter().filter(|peer| peer.behavior == behavior).fold(empty, |row, peer| BehaviorRow {
            peers: row.peers + 1,
            accepted: row.accepted + peer.counts.accepted.load(Ordering::Relaxed),
            ready: row.ready + peer.counts.ready.load(Ordering::Relaxed),
            live: row.live + peer.counts.live.load(Ordering::Relaxed),
            ..row
        })
    }
}

impl Drop for LoopbackWorld {
    /// All peers are gone when it returns.
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // A panic there was printed already.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

/// The address and behavior of each peer.
fn sites(seed: u64) -> Vec<Site> {
    let mut rng = stream(seed, 0);
    let mut groups: Vec<u8> = (1..=GROUPS).collect();
    for last in (1..groups.len()).rev() {
        groups.swap(last, below(&mut rng, last as u64 + 1));
    }
    let first = groups.iter().map(|group| (*group, 1));
    let second = groups.iter().map(|group| (*group, 2));
    let sites = first.chain(second);
    CAST.into_iter().zip(sites).map(|(behavior, (group, host))| Site { group, host, behavior }).collect()
}

fn info(address: SocketAddr) -> AddressInfo {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    AddressInfo::new(PeerAddress::from(address))
        .services(Services::NETWORK | Services::WITNESS)
        .last_seen(UnixTime::from_secs(now))
}

/// One of the independent random streams of a seed.
fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// A number below `bound`, slightly biased.
fn below(rng: &mut ChaCha8Rng, bound: u64) -> usize {
    usize::try_from(rng.next_u64() % bound).expect("below a small bound")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_world() {
        assert_eq!(sites(7), sites(7));
        assert_ne!(sites(7), sites(8));
    }

    #[test]
    fn those_who_stay_live_in_enough_groups() {
        let is_good = |behavior: PeerBehavior| matches!(behavior, PeerBehavior::Good | PeerBehavior::Gossip);
        let mut groups: Vec<_> =
            sites(3).iter().filter(|place| is_good(place.behavior)).map(|place| place.group).collect();
        groups.sort_unstable();
        groups.dedup();
        assert_eq!(groups.len(), 12);
    }

    #[test]
    fn the_cast_has_every_behavior() {
        for behavior in PeerBehavior::ALL {
            assert!(CAST.contains(&behavior), "{behavior}");
        }
    }
}
