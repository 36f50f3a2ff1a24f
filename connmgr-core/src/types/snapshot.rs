//! State kept on disk, as plain data: the book, the anchors and the bans.
//!
//! All times are [`UnixTime`], because the next run has another birth. Scores are not saved.

use alloc::vec::Vec;

use super::address::{PeerAddress, Services};
use super::ban::BanTarget;
use super::source::{BookSecret, Placement, SourceGroup};
use super::time::UnixTime;

/// State kept on disk. Files may be edited or damaged, so the manager checks every entry.
///
/// Exhaustive on purpose, as its entries are: what is kept elsewhere must not miss a new field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// The addresses of the book, in any order.
    pub addresses: Vec<SavedAddress>,
    /// The secret by which they were placed. `None`: the manager draws one, and places them anew.
    #[cfg_attr(feature = "serde", serde(default))]
    pub book_secret: Option<BookSecret>,
    /// Peers to dial first after a restart. Not used yet: always empty.
    pub anchors: Vec<PeerAddress>,
    /// The bans.
    pub bans: Vec<SavedBan>,
}

/// An address in the book.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SavedAddress {
    /// The address.
    pub address: PeerAddress,
    /// The services the peer is said to offer.
    pub services: Services,
    /// When the peer is said to have been seen last.
    pub last_seen: UnixTime,
    /// When it was last dialed; the epoch if never, or if a connection to it was ready when the state was saved, or
    /// until we shut down: such a peer may be dialed at once in the next life.
    pub last_try: UnixTime,
    /// When a connection was last ready; the epoch if never.
    pub last_success: UnixTime,
    /// Failures since a connection was last stable.
    pub failures: u32,
    /// The peer does not speak the encrypted transport.
    pub v1_only: bool,
    /// Who announced it first.
    #[cfg_attr(feature = "serde", serde(default))]
    pub source: SourceGroup,
    /// Where the book kept it. Without the [secret](Snapshot::book_secret) it says only which table.
    #[cfg_attr(feature = "serde", serde(default))]
    pub placement: Placement,
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SavedBan {
    /// The host or subnet.
    pub target: BanTarget,
    /// When it began.
    pub since: UnixTime,
    /// When it ends.
    pub until: UnixTime,
    /// The parts of it that are not banned.
    #[cfg_attr(feature = "serde", serde(default))]
    pub exceptions: Vec<BanTarget>,
}
