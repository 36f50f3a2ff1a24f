//! Numbers of a few bytes, read from the front.

/// Bytes that were not read yet. A read returns none at their end, and then nothing more is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }

    /// A number that [`put_short`] wrote.
    pub(super) fn short(&mut self) -> Option<u64> {
        let length = usize::from(self.u8()?);
        let mut bytes = [0; 8];
        bytes.get_mut(..length)?.copy_from_slice(self.bytes(length)?);
        Some(u64::from_le_bytes(bytes))
    }
}

/// Writes a number without its leading zeros: how many bytes, and these.
pub(super) fn put_short(number: u64, to: &mut Vec<u8>) {
    let bytes = number.to_le_bytes();
    let length = bytes.len() - number.leading_zeros() as usize / 8;
    to.push(u8::try_from(length).expect("a number has at most 8 bytes"));
    to.extend_from_slice(&bytes[..length]);
}
