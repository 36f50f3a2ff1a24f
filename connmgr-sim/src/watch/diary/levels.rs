//! Numbers over time, in bounded memory: they get coarser over time, but no dip is lost.

use std::time::Duration;

use connmgr_core::Kind;

use crate::types::Instant;

/// Ready connections at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// By kind, see [`Kind::index`].
    pub by_kind: [u32; Kind::ALL.len()],
    /// Outbound ones to adversaries.
    pub adversaries: u32,
}

impl Level {
    pub(super) const fn add(&mut self, kind: Option<Kind>, is_adversary: bool) {
        let Some(kind) = kind else { return };
        self.by_kind[kind.index()] += 1;
        if is_adversary && !kind.is_inbound() {
            self.adversaries += 1;
        }
    }

    pub(super) const fn remove(&mut self, kind: Option<Kind>, is_adversary: bool) {
        let Some(kind) = kind else { return };
        let count = &mut self.by_kind[kind.index()];
        *count = count.saturating_sub(1);
        if is_adversary && !kind.is_inbound() {
            self.adversaries = self.adversaries.saturating_sub(1);
        }
    }

    /// Those of one kind.
    pub const fn of(&self, kind: Kind) -> u32 {
        self.by_kind[kind.index()]
    }

    /// All outbound ones.
    pub fn outbound(&self) -> u32 {
        Kind::ALL.iter().filter(|kind| !kind.is_inbound()).map(|kind| self.of(*kind)).sum()
    }
}

/// Changes of the level, oldest first.
#[derive(Clone, Debug, Default)]
pub struct LevelHistory {
    changes: Vec<(Instant, Level)>,
    /// Changes closer to each other than this are merged.
    grain: u64,
}

impl LevelHistory {
    /// Changes that are kept.
    const MOST: usize = 4096;
    /// The first changes are never merged: in a year, too, it is seen how the pool was first filled.
    const EXACT: usize = 256;

    /// The changes.
    pub fn changes(&self) -> &[(Instant, Level)] {
        &self.changes
    }

    pub(super) fn push(&mut self, at: Instant, level: Level) {
        match self.changes.last_mut() {
            Some((last, before)) if *last == at => *before = level,
            Some(_) | None => self.changes.push((at, level)),
        }
        while self.changes.len() >= Self::MOST {
            self.grain = (self.grain * 2).max(1_000_000);
            let later = self.changes.split_off(Self::EXACT);
            self.changes.extend(thin(&later, self.grain));
        }
    }
}

/// Keeps two changes of each grain of time: that with the fewest outbound connections, and the last.
pub fn thin(changes: &[(Instant, Level)], grain: u64) -> Vec<(Instant, Level)> {
    let cell = |change: &(Instant, Level)| change.0.as_nanos() / grain.max(1);
    let mut kept = Vec::new();
    for chunk in changes.chunk_by(|a, b| cell(a) == cell(b)) {
        let lowest = (0..chunk.len()).min_by_key(|place| chunk[*place].1.outbound()).expect("no chunk is empty");
        kept.push(chunk[lowest]);
        if lowest + 1 < chunk.len() {
            kept.push(chunk[chunk.len() - 1]);
        }
    }
    kept
}

/// What happened within one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bar {
    /// Dials begun.
    pub dials: u64,
    /// Dials that failed or were given up.
    pub failed: u64,
    /// Inbound connections admitted.
    pub accepted: u64,
    /// Inbound connections refused.
    pub refused: u64,
}

impl Bar {
    const fn and(self, other: Self) -> Self {
        Self {
            dials: self.dials + other.dials,
            failed: self.failed + other.failed,
            accepted: self.accepted + other.accepted,
            refused: self.refused + other.refused,
        }
    }
}

/// Bars of equal width, the first at the beginning of the world. The width doubles as time goes on.
#[derive(Clone, Debug)]
pub struct Bars {
    width: u64,
    bars: Vec<Bar>,
}

impl Default for Bars {
    fn default() -> Self {
        Self { width: 100_000_000, bars: Vec::new() }
    }
}

impl Bars {
    /// Bars that are kept.
    const MOST: u64 = 2048;

    /// How wide each is.
    pub const fn width(&self) -> Duration {
        Duration::from_nanos(self.width)
    }

    /// Those that are not empty, each with its place: it begins `place` widths after the beginning.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Bar)> {
        (0..).zip(self.bars.iter().copied()).filter(|(_, bar)| *bar != Bar::default())
    }

    pub(super) fn add(&mut self, at: Instant, change: impl FnOnce(&mut Bar)) {
        while at.as_nanos() / self.width >= Self::MOST {
            self.width = self.width.saturating_mul(2);
            let halved = self.bars.chunks(2).map(|pair| pair.iter().copied().fold(Bar::default(), Bar::and));
            self.bars = halved.collect();
        }
        let place = usize::try_from(at.as_nanos() / self.width).expect("less than the most");
        if self.bars.len() <= place {
            self.bars.resize(place + 1, Bar::default());
        }
        change(&mut self.bars[place]);
    }
}

/// A histogram with a column for each power of two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PowerCounts {
    counts: [u64; 32],
}

impl PowerCounts {
    /// The columns: zeros, ones, two and three, four to seven, and so on.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(super) fn add_millis(&mut self, duration: Duration) {
        self.add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    }

    /// One more of this size.
    pub fn add(&mut self, size: u64) {
        let place = (u64::BITS - size.leading_zeros()) as usize;
        self.counts[place.min(self.counts.len() - 1)] += 1;
    }
}
