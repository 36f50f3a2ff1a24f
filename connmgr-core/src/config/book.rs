//! What the book keeps.

use core::time::Duration;

use super::rate::Rate;
use crate::types::More;

/// What the book keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct BookConfig {
    /// How many addresses are kept. Beyond that, a bad or old one makes room. Default: 81 920, as Bitcoin Core, which is
    /// also the most: the book has 65 536 places for new addresses and 16 384 for those that were ready. At least 1 where
    /// automatic connections are wanted.
    pub max_addresses: u32,
    /// How many addresses a peer may tell us on one connection. Default: 1000 at once, then one more every 10 s, as Bitcoin
    /// Core allows those whom it asked.
    pub gossip: Rate,
    /// How many addresses of one call are used; the rest is ignored. Applies to gossip, to answers of seeds, and to the
    /// names of added peers. Default: 1000, as Bitcoin Core.
    pub max_per_call: u32,
    /// The shortest time between two `Save` actions for changes of the book. The first comes within a minute of the first
    /// address learnt. Default: 15 min, as Bitcoin Core.
    pub save_every: Duration,
    /// For experiments: a rule of the book that is switched off, to see what it is good for. Default: none.
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub without: Option<BookRule>,
    #[doc(hidden)]
    #[cfg_attr(feature = "serde", serde(skip))]
    pub _more: More,
}

/// A rule of the book that experiments may switch off.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum BookRule {
    /// One source group reaches only some buckets of the table of new addresses.
    SourceLimit,
    /// One address group from one source group reaches one bucket.
    GroupLimit,
    /// A tried address gives its place up only after a test.
    TestBeforeEvict,
    /// Most choices are from the table of tried addresses.
    TriedShare,
    /// One address group has at most an eighth of the draws.
    GroupShare,
    /// In a full bucket, a new address takes only the place of a bad one.
    Incumbents,
}

impl BookRule {
    /// Every rule.
    pub const ALL: [Self; 6] = [
        Self::SourceLimit,
        Self::GroupLimit,
        Self::TestBeforeEvict,
        Self::TriedShare,
        Self::GroupShare,
        Self::Incumbents,
    ];
}
