//! What outlives the process, as plain data: the book, the anchors and the bans.
//!
//! All times are [`UnixTime`], for the next process has another birth. Scores do not outlive the process.

use alloc::vec::Vec;

use super::address::{PeerAddress, Services};
use super::ban::BanTarget;
use super::time::UnixTime;

/// What outlives the process. Anything in it may be wrong, for files are edited and damaged: the manager checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// The book, in no order that matters.
    pub addresses: Vec<SavedAddress>,
    /// Peers to dial first after a restart.
    pub anchors: Vec<PeerAddress>,
    /// The bans.
    pub bans: Vec<SavedBan>,
}

/// An address of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SavedAddress {
    /// The address.
    pub address: PeerAddress,
    /// What the peer is said to offer.
    pub services: Services,
    /// When it is said to have been seen last.
    pub last_seen: UnixTime,
    /// When it was dialed last; the epoch for never.
    pub last_try: UnixTime,
    /// When a connection was last ready; the epoch for never.
    pub last_success: UnixTime,
    /// Failures since the last success.
    pub failures: u32,
    /// It did not understand the encrypted transport.
    pub v1_only: bool,
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SavedBan {
    /// Who.
    pub target: BanTarget,
    /// Since when.
    pub since: UnixTime,
    /// Until when.
    pub until: UnixTime,
}
