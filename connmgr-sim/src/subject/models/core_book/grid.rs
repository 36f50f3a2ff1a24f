//! The tables of the model: buckets of 64 positions, and where an address belongs.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use connmgr_core::{Host, PeerAddress, SourceGroup};
use rustc_hash::FxHasher;

use crate::types::{Dice, DrawPurpose};

const BUCKETS_OF_NEW: u32 = 1024;
const BUCKETS_OF_TRIED: u32 = 256;
/// Positions in a bucket.
pub(super) const POSITIONS: u32 = 64;
/// Buckets of new addresses that a source group reaches.
const BUCKETS_OF_A_SOURCE: u64 = 64;
/// Buckets of tried addresses that an address group reaches.
const BUCKETS_OF_A_GROUP: u64 = 8;

const NOBODY: u32 = u32::MAX;

/// A position in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: u32,
    pub(super) position: u32,
}

/// The numbers of the addresses in a table, by place.
#[derive(Clone, Debug)]
pub(super) struct SlotGrid(Vec<u32>);

impl SlotGrid {
    pub(super) fn of_new() -> Self {
        Self(vec![NOBODY; (BUCKETS_OF_NEW * POSITIONS) as usize])
    }

    pub(super) fn of_tried() -> Self {
        Self(vec![NOBODY; (BUCKETS_OF_TRIED * POSITIONS) as usize])
    }

    pub(super) fn buckets(&self) -> u32 {
        u32::try_from(self.0.len()).expect("it was a u32") / POSITIONS
    }

    pub(super) fn at(&self, place: Place) -> Option<u32> {
        let number = self.0[index(place)];
        (number != NOBODY).then_some(number)
    }

    pub(super) fn put(&mut self, place: Place, number: u32) {
        self.0[index(place)] = number;
    }

    pub(super) fn free(&mut self, place: Place) {
        self.put(place, NOBODY);
    }

    /// The number at each place that is taken.
    pub(super) fn taken(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied().filter(|number| *number != NOBODY)
    }
}

fn index(place: Place) -> usize {
    (place.bucket * POSITIONS + place.position) as usize
}

/// The secret by which addresses are placed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys(Dice);

impl Keys {
    pub(super) const fn new(seed: u64) -> Self {
        Self(Dice::new(seed, DrawPurpose::Placement, 0))
    }

    /// Where an address is among the new ones, if this source group announced it.
    pub(super) fn new_place(self, address: &PeerAddress, source: SourceGroup) -> Place {
        let source = digest(&source.as_u128());
        let of_source = self.hash([0, group_of(address), source]) % BUCKETS_OF_A_SOURCE;
        let bucket = below(self.hash([1, source, of_source]), BUCKETS_OF_NEW);
        self.position_in_new(bucket, address)
    }

    /// Its place in a bucket of the new ones.
    pub(super) fn position_in_new(self, bucket: u32, address: &PeerAddress) -> Place {
        Place { bucket, position: below(self.hash([2, bucket.into(), digest(address)]), POSITIONS) }
    }

    /// Where an address is among the tried ones.
    pub(super) fn tried_place(self, address: &PeerAddress) -> Place {
        let key = digest(address);
        let of_group = self.hash([3, key, 0]) % BUCKETS_OF_A_GROUP;
        let bucket = below(self.hash([4, group_of(address), of_group]), BUCKETS_OF_TRIED);
        Place { bucket, position: below(self.hash([5, bucket.into(), key]), POSITIONS) }
    }

    fn hash(self, words: [u64; 3]) -> u64 {
        words.into_iter().fold(self.0, |dice, word| dice.part(word)).next_u64()
    }
}

fn below(hash: u64, bound: u32) -> u32 {
    u32::try_from(hash % u64::from(bound)).expect("below a u32")
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// IPv4: 16 bits. IPv6: 32. Onion and I2P: 4. CJDNS: 12, 8 of which all have.
fn group_of(address: &PeerAddress) -> u64 {
    let (sort, prefix) = match address.host() {
        Host::Ip(IpAddr::V4(ip)) => (1, u64::from(ip.to_bits() >> 16)),
        Host::Ip(IpAddr::V6(ip)) => (2, (u64::from(ip.segments()[0]) << 16) | u64::from(ip.segments()[1])),
        Host::Onion(key) => (3, u64::from(key[0] >> 4)),
        Host::I2p(hash) => (4, u64::from(hash[0] >> 4)),
        Host::Cjdns(ip) => (5, u64::from(ip.segments()[0] >> 4)),
        Host::Name(_) => (6, 0),
    };
    sort << 32 | prefix
}
