//! Turns prefixes that contain each other into ranges beside each other.

use alloc::vec::Vec;

use super::{AsnTable, AsnTableError};

/// Takes prefixes in order. Holds those that contain the last one, at most one for each length.
#[derive(Debug)]
pub(crate) struct AsnTableBuilder {
    /// Where ranges begin, in order, and their numbers. No two neighbours have the same number.
    boundaries: Vec<(u128, u32)>,
    /// The last address and the number of the prefixes that contain the present one, the smallest last.
    open: Vec<(u128, u32)>,
}

impl AsnTableBuilder {
    /// Everything is without a number.
    pub(crate) fn new() -> Self {
        Self { boundaries: [(0, 0)].to_vec(), open: [(u128::MAX, 0)].to_vec() }
    }

    /// The prefix that begins with address `first` and has `length` bits. Prefixes come in the order of their first
    /// addresses, and longer ones after shorter ones; of equal ones the last counts.
    pub(crate) fn push(&mut self, first: u128, length: u8, number: u32) -> Result<(), AsnTableError> {
        debug_assert!(self.boundaries.last().is_none_or(|(before, _)| *before <= first), "in order");
        let last = first | u128::MAX.checked_shr(length.into()).unwrap_or(0);
        self.close_before(first);
        self.open.push((last, number));
        self.begin(first, number);
        let count = u32::try_from(self.boundaries.len()).unwrap_or(u32::MAX);
        if count > AsnTable::MAX_RANGES { Err(AsnTableError::TooManyRanges) } else { Ok(()) }
    }

    pub(crate) fn finish(mut self) -> AsnTable {
        self.close_before(u128::MAX);
        AsnTable::of_boundaries(&self.boundaries)
    }

    /// Ends the prefixes that end before this address: what is around them goes on.
    fn close_before(&mut self, address: u128) {
        while let [.., (_, around), (last, _)] = self.open[..] {
            if last >= address {
                return;
            }
            self.open.pop();
            self.begin(last + 1, around);
        }
    }

    /// From here on addresses have this number.
    fn begin(&mut self, first: u128, number: u32) {
        if self.boundaries.last().is_some_and(|(same, _)| *same == first) {
            self.boundaries.pop();
        }
        if self.boundaries.last().is_none_or(|(_, before)| *before != number) {
            self.boundaries.push((first, number));
        }
    }
}
