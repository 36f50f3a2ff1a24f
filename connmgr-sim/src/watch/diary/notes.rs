//! Moments worth noting (bans, seeds, networks, starts), and the waits of added peers.

use std::fmt;
use std::time::Duration;

use connmgr_core::{BanTarget, HostName, LookupError, NetworkKind, PeerId};

use crate::types::Instant;

/// A moment worth noting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiaryNote {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: NoteKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// The process started.
    Started,
    /// The process ended.
    Ended,
    /// A network was found down.
    Down(NetworkKind),
    /// A network found up again.
    Up(NetworkKind),
    /// A ban.
    Banned(BanTarget),
    /// The end of a ban.
    Unbanned(BanTarget),
    /// A seed answered, with so many addresses that were new.
    SeedAnswered(HostName, u32),
    /// A seed failed.
    SeedFailed(HostName, LookupError),
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("the process started"),
            Self::Ended => f.write_str("the process ended"),
            Self::Down(network) => write!(f, "{network} found down"),
            Self::Up(network) => write!(f, "{network} answers again"),
            Self::Banned(target) => write!(f, "banned {target}"),
            Self::Unbanned(target) => write!(f, "no longer banned: {target}"),
            Self::SeedAnswered(seed, added) => write!(f, "seed {seed}: {added} new addresses"),
            Self::SeedFailed(seed, error) => write!(f, "seed {seed}: {error}"),
        }
    }
}

/// Notes, oldest first. Those beyond the limit are only counted.
#[derive(Clone, Debug, Default)]
pub struct DiaryNotes {
    notes: Vec<DiaryNote>,
    left_out: u64,
}

impl DiaryNotes {
    /// Notes that are kept.
    const MOST: usize = 4096;

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &DiaryNote> {
        self.notes.iter()
    }

    /// How many are not.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(super) fn push(&mut self, note: DiaryNote) {
        if self.notes.len() < Self::MOST { self.notes.push(note) } else { self.left_out += 1 }
    }
}

/// A wait of an added peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Since when.
    pub at: Instant,
    /// Which.
    pub peer: PeerId,
    /// How many attempts in a row have failed.
    pub attempt: u32,
    /// For how long.
    pub wait: Duration,
}

/// Waits, oldest first: all of them, or every n-th.
#[derive(Clone, Debug)]
pub struct Retries {
    kept: Vec<Retry>,
    total: u64,
    one_in: u64,
}

impl Default for Retries {
    fn default() -> Self {
        Self { kept: Vec::new(), total: 0, one_in: 1 }
    }
}

impl Retries {
    /// Waits that are kept.
    const MOST: usize = 1500;

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = &Retry> {
        self.kept.iter()
    }

    /// How many there were.
    pub const fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn push(&mut self, retry: Retry) {
        if self.total % self.one_in == 0 {
            self.kept.push(retry);
        }
        self.total += 1;
        if self.kept.len() > Self::MOST {
            self.one_in *= 2;
            let mut place = 0;
            self.kept.retain(|_| {
                place += 1;
                place % 2 == 1
            });
        }
    }
}
