//! Where an address may be placed: hashes with a secret, so that nobody else can tell which addresses meet in a bucket.
//!
//! It counts nothing and knows no entries. Read first: `AddrInfo::GetNewBucket` and `GetTriedBucket` in Bitcoin Core.

use core::fmt;
use core::hash::{BuildHasher, Hasher};

use super::key::Key;
use crate::config::BookRule;
use crate::mechanisms::groups::Group;
use crate::mechanisms::hasher::Keyed;
use crate::types::{BookSecret, SourceGroup};

/// Buckets of the table of new addresses, as in Core.
pub(super) const NEW_BUCKETS: u16 = 1024;
/// Buckets of the table of tried addresses, as in Core.
pub(super) const TRIED_BUCKETS: u16 = 256;
/// Places of a bucket, as in Core. The bitmaps of a bucket are words of this many bits.
pub(super) const POSITIONS: u8 = 64;
/// New buckets that one source group reaches, as in Core: at most a sixteenth of the table.
const BUCKETS_OF_SOURCE: u64 = 64;
/// Tried buckets that one address group reaches, as in Core.
const BUCKETS_OF_GROUP: u64 = 8;
/// Buckets that may keep an address of the application. A bucket is seldom full while three others are: what the
/// application tells is lost only if the table is full.
pub(super) const BUCKETS_OF_OWN: u8 = 4;

/// What is hashed, so that equal numbers of different meaning give different hashes.
#[derive(Clone, Copy)]
enum Sort {
    Address,
    Group,
    Source,
    SourceBucket,
    NewBucket,
    OwnBucket,
    TriedBucket,
    Position,
}

/// The hash of an address, a group or a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hash(pub(super) u64);

/// The secret of the tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Secret {
    keys: (u64, u64),
}

/// Shows nothing.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    pub(super) const fn new(keys: (u64, u64)) -> Self {
        Self { keys }
    }

    pub(super) fn restored(saved: BookSecret) -> Self {
        let number = u128::from_be_bytes(saved.0);
        let half = |shift: u32| u64::try_from(number >> shift & u128::from(u64::MAX)).expect("64 bits");
        Self { keys: (half(64), half(0)) }
    }

    pub(super) fn saved(self) -> BookSecret {
        BookSecret((u128::from(self.keys.0) << 64 | u128::from(self.keys.1)).to_be_bytes())
    }

    pub(super) fn of_address(self, key: &Key) -> Hash {
        let mut hasher = self.hasher(Sort::Address);
        key.write_to(&mut hasher);
        Hash(hasher.finish())
    }

    pub(super) fn of_group(self, group: Group) -> Hash {
        Hash(self.hash_wide(Sort::Group, group.as_u128()))
    }

    pub(super) fn of_source(self, source: SourceGroup) -> Hash {
        Hash(self.hash_wide(Sort::Source, source.as_u128()))
    }

    /// The one bucket for new addresses of a group that a source announces. `without` is a rule that is off.
    pub(super) fn new_bucket(self, address: Hash, group: Hash, source: Hash, without: Option<BookRule>) -> u16 {
        let group = if without == Some(BookRule::GroupLimit) { address } else { group };
        let reached = self.hash(Sort::SourceBucket, &[group.0, source.0]);
        let reached = if without == Some(BookRule::SourceLimit) { reached } else { reached % BUCKETS_OF_SOURCE };
        bucket(self.hash(Sort::NewBucket, &[source.0, reached]), NEW_BUCKETS)
    }

    /// The `nth` bucket for an address of the application: each of its addresses counts as its own source.
    pub(super) fn own_bucket(self, address: Hash, nth: u8) -> u16 {
        bucket(self.hash(Sort::OwnBucket, &[address.0, nth.into()]), NEW_BUCKETS)
    }

    /// The one bucket for a tried address.
    pub(super) fn tried_bucket(self, address: Hash, group: Hash) -> u16 {
        let reached = self.hash(Sort::TriedBucket, &[address.0]) % BUCKETS_OF_GROUP;
        bucket(self.hash(Sort::TriedBucket, &[group.0, reached]), TRIED_BUCKETS)
    }

    /// The preferred position of an address in a bucket. `table` tells the tables apart.
    pub(super) fn position(self, table: u64, bucket: u16, address: Hash) -> u8 {
        let hash = self.hash(Sort::Position, &[address.0, table << 16 | u64::from(bucket)]);
        u8::try_from(hash % u64::from(POSITIONS)).expect("below 64")
    }

    fn hash_wide(self, sort: Sort, number: u128) -> u64 {
        let mut hasher = self.hasher(sort);
        hasher.write_u128(number);
        hasher.finish()
    }

    fn hash(self, sort: Sort, numbers: &[u64]) -> u64 {
        let mut hasher = self.hasher(sort);
        numbers.iter().for_each(|number| hasher.write_u64(*number));
        hasher.finish()
    }

    /// The sort is part of the key: as cheap as nothing.
    fn hasher(self, sort: Sort) -> impl Hasher {
        Keyed::new(self.keys.0 ^ sort as u64, self.keys.1).build_hasher()
    }
}

fn bucket(hash: u64, buckets: u16) -> u16 {
    u16::try_from(hash % u64::from(buckets)).expect("below a u16")
}
