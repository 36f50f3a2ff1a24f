//! A number in three bytes: a slot, a group or a source, of which there are at most as many as addresses.

use core::fmt;

/// A number below 2^24. A book has at most 81 920 addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Short([u8; 3]);

impl Short {
    pub(super) const ZERO: Self = Self([0; 3]);

    pub(super) const fn of(number: u32) -> Self {
        let [low, middle, high, beyond] = number.to_le_bytes();
        debug_assert!(beyond == 0, "the number fits");
        Self([low, middle, high])
    }

    pub(super) const fn get(self) -> u32 {
        let [low, middle, high] = self.0;
        u32::from_le_bytes([low, middle, high, 0])
    }

    pub(super) const fn index(self) -> usize {
        self.get() as usize
    }

    pub(super) const fn add_one(&mut self) {
        *self = Self::of(self.get() + 1);
    }

    pub(super) const fn subtract_one(&mut self) {
        *self = Self::of(self.get() - 1);
    }
}

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
