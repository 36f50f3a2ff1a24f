//! Buckets side by side: at most 64 addresses in each, and what they are to a choice.
//!
//! A few addresses are spread over many buckets, so a bucket has no memory of its own: those of a row share it, and an
//! address takes four bytes of it. It knows numbers of addresses and their marks, and no rule.

use alloc::vec::Vec;
use core::ops::Range;

use super::marks::{Filter, MarkSet, Marks};
use super::secret::POSITIONS;

/// The buckets of a row. To put an address in moves half of the row's, at most 2 KiB in a full one.
pub(super) const IN_ROW: u16 = 16;

/// An occupied position: six bits of position, five of marks and the slot of the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell(u32);

/// The bits of a slot. A book has at most 81 920.
const SLOT_BITS: u32 = 21;

impl Cell {
    fn new(position: u8, slot: u32, marks: Marks) -> Self {
        debug_assert!(position < POSITIONS && slot < 1 << SLOT_BITS, "position and slot fit");
        Self(u32::from(position) << (SLOT_BITS + Marks::BITS) | marks.number() << SLOT_BITS | slot)
    }

    const fn position(self) -> u8 {
        // Six bits are left.
        (self.0 >> (SLOT_BITS + Marks::BITS)) as u8
    }

    /// The number of its marks.
    const fn marks(self) -> u32 {
        self.0 >> SLOT_BITS & ((1 << Marks::BITS) - 1)
    }

    const fn slot(self) -> u32 {
        self.0 & ((1 << SLOT_BITS) - 1)
    }
}

/// Buckets side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct BucketRow {
    /// The occupied positions, by bucket and position.
    cells: Vec<Cell>,
    /// Where those of each bucket end …
    ends: [u16; IN_ROW as usize],
    /// … and which marks these have.
    marks: [MarkSet; IN_ROW as usize],
}

impl BucketRow {
    /// The bucket at an index below [`IN_ROW`].
    pub(super) fn bucket(&self, index: usize) -> TableBucket<'_> {
        TableBucket { cells: &self.cells[self.range(index)], marks: self.marks[index] }
    }

    /// Which marks occur in a bucket.
    pub(super) const fn marks(&self, index: usize) -> MarkSet {
        self.marks[index]
    }

    /// Puts an address at a free position of a bucket.
    pub(super) fn put(&mut self, index: usize, position: u8, slot: u32, marks: Marks) {
        let start = self.range(index).start;
        let place = self.bucket(index).find(position).expect_err("the position is free");
        if self.cells.len() == self.cells.capacity() {
            self.cells.reserve_exact((self.cells.len() / 8).max(4));
        }
        self.cells.insert(start + place, Cell::new(position, slot, marks));
        self.ends[index..].iter_mut().for_each(|end| *end += 1);
        self.marks[index].insert(marks);
    }

    /// Takes the address away from a position.
    pub(super) fn take(&mut self, index: usize, position: u8) {
        let at = self.place(index, position);
        let gone = self.cells.remove(at);
        self.ends[index..].iter_mut().for_each(|end| *end -= 1);
        self.forget_marks(index, gone);
    }

    /// The address at a position has other marks now.
    pub(super) fn mark(&mut self, index: usize, position: u8, marks: Marks) {
        let at = self.place(index, position);
        let before = self.cells[at];
        self.cells[at] = Cell::new(position, before.slot(), marks);
        self.marks[index].insert(marks);
        self.forget_marks(index, before);
    }

    /// A bucket has a cell less with these marks.
    fn forget_marks(&mut self, index: usize, gone: Cell) {
        let cells = &self.cells[self.range(index)];
        if cells.iter().all(|cell| cell.marks() != gone.marks()) {
            self.marks[index].remove(gone.marks());
        }
    }

    /// Where the cell of an occupied position is.
    fn place(&self, index: usize, position: u8) -> usize {
        self.range(index).start + self.bucket(index).find(position).expect("the position is occupied")
    }

    fn range(&self, index: usize) -> Range<usize> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        usize::from(start)..usize::from(self.ends[index])
    }

    /// Whether every cell is of a bucket, in order, and the marks are those of the cells.
    pub(super) fn is_in_order(&self) -> bool {
        let is_sound = |index: usize| {
            let bucket = self.bucket(index);
            let mut marks = MarkSet::NONE;
            bucket.cells.iter().for_each(|cell| marks.insert_number(cell.marks()));
            marks == bucket.marks && bucket.cells.is_sorted_by(|one, next| one.position() < next.position())
        };
        let is_whole = self.ends.is_sorted() && self.ends.last().copied().map(usize::from) == Some(self.cells.len());
        is_whole && (0..self.ends.len()).all(is_sound)
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Cell>()
    }
}

/// One bucket, to look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableBucket<'a> {
    cells: &'a [Cell],
    marks: MarkSet,
}

impl TableBucket<'_> {
    /// The slot at a position.
    pub(super) fn get(self, position: u8) -> Option<u32> {
        self.find(position).ok().map(|at| self.cells[at].slot())
    }

    /// The first free position from `start` on, around the end.
    pub(super) fn free_from(self, start: u8) -> Option<u8> {
        if self.cells.len() == usize::from(POSITIONS) {
            return None;
        }
        let (Ok(first) | Err(first)) = self.find(start);
        let free = start + occupied_run(&self.cells[first..], start);
        Some(if free < POSITIONS { free } else { occupied_run(self.cells, 0) })
    }

    /// Which of its addresses a filter lets pass: a bit for each, in the order of positions.
    pub(super) fn passing(self, filter: Filter) -> u64 {
        let lets = filter.marks();
        if lets.includes(self.marks) {
            return u64::MAX.checked_shr(u64::BITS - self.len()).unwrap_or(0);
        }
        let bit = |(nth, cell): (usize, &Cell)| u64::from(lets.has_number(cell.marks())) << nth;
        self.cells.iter().enumerate().map(bit).fold(0, |all, bit| all | bit)
    }

    /// The slot of the `nth` address.
    pub(super) fn nth(self, nth: u8) -> u32 {
        self.cells[usize::from(nth)].slot()
    }

    /// The position of the `nth` address, its slot and the number of its marks.
    pub(super) fn iter(self) -> impl Iterator<Item = (u8, u32, u32)> {
        self.cells.iter().map(|cell| (cell.position(), cell.slot(), cell.marks()))
    }

    fn len(self) -> u32 {
        u32::try_from(self.cells.len()).expect("at most 64")
    }

    /// Where the cell of a position is, or would be.
    fn find(self, position: u8) -> Result<usize, usize> {
        // Compares with each, several at a time: most steps of a search would be mispredicted.
        let first = u32::from(position) << (SLOT_BITS + Marks::BITS);
        let before = self.cells.iter().map(|cell| u32::from(cell.0 < first)).sum::<u32>() as usize;
        let is_there = self.cells.get(before).is_some_and(|cell| cell.position() == position);
        if is_there { Ok(before) } else { Err(before) }
    }
}

/// How many positions in a row are occupied from `start` on. The cells begin there.
fn occupied_run(cells: &[Cell], start: u8) -> u8 {
    let run = cells.iter().zip(start..).take_while(|(cell, position)| cell.position() == *position).count();
    u8::try_from(run).expect("at most 64")
}

/// The number of a bit as a position, around the end.
fn position(bit: u32) -> u8 {
    u8::try_from(bit % u32::from(POSITIONS)).expect("below 64")
}

/// The numbers of the bits that are set, in order.
pub(super) fn bits(mut word: u64) -> impl Iterator<Item = u8> {
    core::iter::from_fn(move || {
        (word != 0).then(|| {
            let lowest = position(word.trailing_zeros());
            word &= word - 1;
            lowest
        })
    })
}

/// The number of the `nth` bit that is set, counted from 0.
pub(super) fn nth_bit(mut word: u64, nth: u32) -> u8 {
    debug_assert!(nth < word.count_ones(), "that many bits are set");
    let (mut left, mut base) = (nth, 0);
    // Counting the bits of a half costs as much as clearing six.
    if nth > 12 {
        for width in [32, 16, 8] {
            let low = (word & ((1 << width) - 1)).count_ones();
            if left >= low {
                left -= low;
                word >>= width;
                base += width;
            }
        }
    }
    for _ in 0..left {
        word &= word - 1;
    }
    position(base + word.trailing_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanisms::rng::Rng;
    use crate::types::{NetworkKind, NetworkSet};

    use super::super::marks::Class;

    const PLAIN: Marks = Marks { network: NetworkKind::Ipv4, full: false, block_relay: false };

    #[test]
    fn every_bit_is_found_by_its_number() {
        for word in [1, u64::MAX, 1 << 63, 0x8000_0001_0000_8001, 0x0123_4567_89ab_cdef] {
            let by_number: Vec<u8> = (0..word.count_ones()).map(|nth| nth_bit(word, nth)).collect();
            assert_eq!(by_number, bits(word).collect::<Vec<_>>(), "{word:#x}");
        }
    }

    #[test]
    fn a_free_position_is_found_around_the_end() {
        let mut row = BucketRow::default();
        for slot in 0..64 {
            let position = row.bucket(3).free_from(60).expect("not full");
            assert_eq!(u32::from(position), (60 + slot) % 64);
            row.put(3, position, slot, PLAIN);
        }
        assert_eq!(row.bucket(3).free_from(3), None);
        row.take(3, 59);
        let bucket = row.bucket(3);
        assert_eq!((bucket.free_from(60), bucket.get(58), bucket.get(59)), (Some(59), Some(62), None));
    }

    fn any_marks(rng: &mut Rng) -> Marks {
        let network = NetworkKind::ALL[rng.index(NetworkKind::ALL.len())];
        Marks { network, full: rng.below(2) == 0, block_relay: rng.below(2) == 0 }
    }

    /// A plain array of positions for each bucket does the same.
    #[test]
    fn any_mix_of_changes_agrees_with_plain_arrays() {
        let mut rng = Rng::new([3; 32], 0);
        let (mut row, mut plain) = (BucketRow::default(), [[None::<(u32, Marks)>; 64]; IN_ROW as usize]);
        for slot in 0..20_000 {
            let (index, position) = (rng.index(3), rng.index(64));
            let (here, marks) = (&mut plain[index][position], any_marks(&mut rng));
            let at = u8::try_from(position).expect("below 64");
            match (*here, rng.below(2)) {
                (None, _) => {
                    row.put(index, at, slot, marks);
                    *here = Some((slot, marks));
                }
                (Some(_), 0) => {
                    row.take(index, at);
                    *here = None;
                }
                (Some((slot, _)), _) => {
                    row.mark(index, at, marks);
                    *here = Some((slot, marks));
                }
            }
            assert!(row.is_in_order());
            agree(row.bucket(index), &plain[index], &mut rng);
        }
    }

    fn agree(bucket: TableBucket<'_>, plain: &[Option<(u32, Marks)>; 64], rng: &mut Rng) {
        let class = Class::ALL[rng.index(3)];
        let networks: NetworkSet = NetworkKind::ALL.into_iter().filter(|_| rng.below(2) == 0).collect();
        let filter = Filter::new(networks, class);
        let passing: Vec<u32> = bits(bucket.passing(filter)).map(|nth| bucket.nth(nth)).collect();
        let fitting = plain.iter().flatten().filter(|(_, marks)| filter.fits(*marks));
        assert_eq!(passing, fitting.map(|(slot, _)| *slot).collect::<Vec<_>>());
        let start = rng.index(64);
        let free = (start..64).chain(0..start).find(|position| plain[*position].is_none());
        let at = |position: usize| u8::try_from(position).expect("below 64");
        assert_eq!(bucket.free_from(at(start)), free.map(at));
        assert_eq!(bucket.get(at(start)), plain[start].map(|(slot, _)| slot));
    }
}
