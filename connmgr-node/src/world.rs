//! A little world on loopback: two dozen peers, good and bad, for a node that has no network.
//!
//! Real listeners that speak the real protocol, on 127.x.0.1, a group each (on regtest the manager treats 127.0.0.0/8
//! as an ordinary network). Who lives where, and how long anything lasts, follows from a seed; what the operating
//! system does with it does not. Everything stops when the [`World`] is dropped.

pub mod behavior;
mod door;
mod peer;
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
use behavior::Behavior;
use door::{Door, GROUPS, Place};
use row::Row;

/// Everyone. The first twenty live in a group each: twelve that stay, enough for eight full and two block-relay
/// connections. The others share a group with one of those.
const CAST: [Behavior; 24] = {
    use Behavior::{
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
        // These share a group with another.
        Good,
        Silent,
        AcceptAndClose,
        Dropping,
    ]
};

/// What kind of world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldConfig {
    /// From it follows who lives where, and how long anything lasts.
    pub seed: u64,
    /// How many blocks its chain has.
    pub blocks: u32,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self { seed: 1, blocks: 150 }
    }
}

/// A running world.
#[derive(Debug)]
pub struct World {
    peers: Vec<Inhabitant>,
    is_relaxed: bool,
    chain: Arc<[Header]>,
    /// Dropped, it ends the thread.
    lifeline: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inhabitant {
    behavior: Behavior,
    address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicU32,
    ready: AtomicU32,
    live: AtomicU32,
}

impl World {
    /// Opens all listeners. The world lives on a thread of its own, whatever its visitor runs on.
    ///
    /// # Errors
    /// No two dozen sockets can be bound, or there is no thread to be had.
    pub fn start(config: &WorldConfig) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let inside = runtime.enter();
        let (doors, is_relaxed) = door::build(&places(config.seed))?;
        let peers: Vec<_> = CAST
            .into_iter()
            .zip(doors.iter().map(Door::address))
            .map(|(behavior, address)| Ok(Inhabitant { behavior, address: address?, counts: Arc::default() }))
            .collect::<io::Result<_>>()?;
        let everyone: Arc<[AddressInfo]> = peers.iter().map(|peer| info(peer.address)).collect();
        let chain: Arc<[Header]> = mine_regtest(config.blocks).into();
        let mut tasks = JoinSet::new();
        for (index, (peer, door)) in peers.iter().zip(doors).enumerate() {
            let life = peer::Life {
                behavior: peer.behavior,
                address: peer.address,
                counts: Arc::clone(&peer.counts),
                everyone: Arc::clone(&everyone),
                chain: Arc::clone(&chain),
                rng: stream(config.seed, index as u64 + 1),
            };
            tasks.spawn(life.live(door));
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

    /// Whether everyone lives on 127.0.0.1, because this system has no other loopback address. There are no groups to
    /// keep apart then: the group rule must be relaxed.
    pub const fn relaxed(&self) -> bool {
        self.is_relaxed
    }

    /// Whom a newcomer should ask: the one peer that tells of all others.
    pub fn entry(&self) -> PeerAddress {
        let gossip = self.addresses(Behavior::Gossip).next().expect("the cast has one");
        PeerAddress::from(gossip)
    }

    /// Everyone's address, as somebody who has been here before knows them.
    pub fn everyone(&self) -> Vec<AddressInfo> {
        self.peers.iter().map(|peer| info(peer.address)).collect()
    }

    /// Where the peers of one behavior are.
    pub fn addresses(&self, behavior: Behavior) -> impl Iterator<Item = SocketAddr> {
        self.peers.iter().filter(move |peer| peer.behavior == behavior).map(|peer| peer.address)
    }

    /// How the peer at this address behaves.
    pub fn behavior(&self, address: SocketAddr) -> Option<Behavior> {
        self.peers.iter().find(|peer| peer.address == address).map(|peer| peer.behavior)
    }

    /// How many blocks the world's chain has.
    pub fn height(&self) -> u32 {
        u32::try_from(self.chain.len()).expect("made from a u32")
    }

    /// What happened so far, a row for each behavior.
    pub fn tally(&self) -> Vec<Row> {
        Behavior::ALL.into_iter().map(|behavior| self.row(behavior)).collect()
    }

    fn row(&self, behavior: Behavior) -> Row {
        let empty = Row { behavior, peers: 0, accepted: 0, ready: 0, live: 0 };
        self.peers.iter().filter(|peer| peer.behavior == behavior).fold(empty, |row, peer| Row {
            peers: row.peers + 1,
            accepted: row.accepted + peer.counts.accepted.load(Ordering::Relaxed),
            ready: row.ready + peer.counts.ready.load(Ordering::Relaxed),
            live: row.live + peer.counts.live.load(Ordering::Relaxed),
            ..row
        })
    }
}

impl Drop for World {
    /// Everyone is gone when it returns.
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // A panic there was told already.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

/// Who lives where.
fn places(seed: u64) -> Vec<Place> {
    let mut rng = stream(seed, 0);
    let mut groups: Vec<u8> = (1..=GROUPS).collect();
    for last in (1..groups.len()).rev() {
        groups.swap(last, below(&mut rng, last as u64 + 1));
    }
    let first = groups.iter().map(|group| (*group, 1));
    let second = groups.iter().map(|group| (*group, 2));
    let homes = first.chain(second);
    CAST.into_iter().zip(homes).map(|(behavior, (group, host))| Place { group, host, behavior }).collect()
}

fn info(address: SocketAddr) -> AddressInfo {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    AddressInfo {
        address: PeerAddress::from(address),
        services: Services::NETWORK | Services::WITNESS,
        last_seen: UnixTime::from_secs(now),
    }
}

/// One of the independent streams of a seed.
fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    rng
}

/// A number below `bound`, for an index; its bias is of no matter here.
fn below(rng: &mut ChaCha8Rng, bound: u64) -> usize {
    usize::try_from(rng.next_u64() % bound).expect("below a small bound")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_world() {
        assert_eq!(places(7), places(7));
        assert_ne!(places(7), places(8));
    }

    #[test]
    fn those_who_stay_live_in_enough_groups() {
        let is_good = |behavior: Behavior| matches!(behavior, Behavior::Good | Behavior::Gossip);
        let mut groups: Vec<_> =
            places(3).iter().filter(|place| is_good(place.behavior)).map(|place| place.group).collect();
        groups.sort_unstable();
        groups.dedup();
        assert_eq!(groups.len(), 12);
    }

    #[test]
    fn everyone_is_on_stage() {
        for behavior in Behavior::ALL {
            assert!(CAST.contains(&behavior), "{behavior}");
        }
    }
}
