//! Fields of an entry that share one word, for most of what a word would be is spare in each.

/// A word of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bits(u64);

/// Some bits of the word.
#[derive(Clone, Copy)]
pub(super) struct Field {
    shift: u32,
    width: u32,
}

impl Field {
    pub(super) const FIRST: Self = Self { shift: 0, width: 0 };

    /// The bits behind these.
    pub(super) const fn then(self, width: u32) -> Self {
        let next = Self { shift: self.shift + self.width, width };
        assert!(width < u32::BITS && next.shift + width <= u64::BITS, "the fields fit into the word");
        next
    }

    const fn mask(self) -> u64 {
        (1 << self.width) - 1
    }
}

impl Bits {
    /// All fields are 0.
    pub(super) const ZERO: Self = Self(0);

    pub(super) const fn get(self, field: Field) -> u32 {
        let [a, b, c, d, ..] = (self.0 >> field.shift & field.mask()).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    pub(super) const fn with(self, field: Field, value: u32) -> Self {
        debug_assert!((value as u64) <= field.mask(), "the value fits");
        Self(self.0 & !(field.mask() << field.shift) | (value as u64) << field.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_keeps_its_value_whatever_the_others_are() {
        let first = Field::FIRST.then(17);
        let fields = [first, first.then(1), first.then(1).then(8), first.then(1).then(8).then(31)];
        for (at, field) in fields.into_iter().enumerate() {
            for full in [Bits::ZERO, Bits(u64::MAX)] {
                let most = u32::try_from(field.mask()).expect("fewer than 32 bits");
                for value in [0, 1, most / 2, most] {
                    let changed = full.with(field, value);
                    assert_eq!(changed.get(field), value);
                    assert_eq!(changed.with(field, full.get(field)), full, "field {at} changes no other");
                }
            }
        }
    }
}
