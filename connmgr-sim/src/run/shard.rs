//! A part of a campaign.

/// Which part of a campaign: one of `count`, from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// The whole of it.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The `index`-th of `count` parts, from 0 on; `None` if there is no such part.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (index < count).then_some(Self { index, count })
    }

    /// Which part, from 0 on.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Of how many.
    pub const fn count(self) -> u32 {
        self.count
    }

    pub(super) fn has(self, place: usize) -> bool {
        place % self.count as usize == self.index as usize
    }
}
