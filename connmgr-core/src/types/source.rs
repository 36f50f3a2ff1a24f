//! Who announced an address, counted as one neighbourhood, and where the book keeps it.

#[cfg(feature = "serde")]
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// Who announced an address, as one neighbourhood: the group of a peer, a DNS seed, or a number of the caller's own.
///
/// The book limits what one source group can fill. The value says nothing more; equal values are one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceGroup(u128);

impl SourceGroup {
    /// Nobody is known to have announced it, as in files of version 1.
    pub const UNKNOWN: Self = Self(0);
    // The highest bytes of a network group, its sort, are lower than all of these.

    /// Fixed seeds.
    pub(crate) const FIXED: Self = Self(0xf1 << 64);
    /// The application's own store.
    pub(crate) const APPLICATION: Self = Self(0xf2 << 64);
    /// Peers that share an address with others, as behind a proxy.
    pub(crate) const HIDDEN: Self = Self(0xf3 << 64);

    /// A source group of the caller's own, for [`Source::Import`](crate::Source::Import).
    #[must_use]
    pub const fn imported(number: u64) -> Self {
        Self(0xf4 << 64 | number as u128)
    }

    /// The DNS seed with this number.
    pub(crate) const fn seed(index: usize) -> Self {
        Self(0xf0 << 64 | index as u128)
    }

    /// The group of a peer, as the number of its [`Group`](crate::Group).
    pub(crate) const fn peer(group: u128) -> Self {
        Self(group)
    }

    /// Whether peers of this group, or peers that share an address, announced it.
    pub(crate) const fn is_peer(self) -> bool {
        let sort = self.0 >> 64;
        (sort > 0 && sort < Self::seed(0).0 >> 64) || self.0 == Self::HIDDEN.0
    }

    /// The number. The same on every platform.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// The source group with this number, as from a file.
    #[must_use]
    pub const fn from_u128(number: u128) -> Self {
        Self(number)
    }
}

/// Hexadecimal digits.
impl fmt::Display for SourceGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

impl FromStr for SourceGroup {
    type Err = core::num::ParseIntError;

    /// Reads hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(feature = "serde")]
super::data::as_text!(SourceGroup);

/// Where the book keeps an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Placement {
    /// Not known: it gets a new place, by its source.
    #[default]
    Anew,
    /// In these buckets of the table of new addresses.
    New(NewBuckets),
    /// In the table of tried addresses.
    Tried,
}

/// The buckets of an address in the table of new addresses: one for each source that counted, at most
/// [`MAX`](Self::MAX).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NewBuckets {
    buckets: [u16; Self::MAX],
    count: u8,
}

impl NewBuckets {
    /// The most places of one address, as in Bitcoin Core.
    pub const MAX: usize = 8;

    /// The buckets, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        &self.buckets[..usize::from(self.count)]
    }
}

/// The first [`MAX`](NewBuckets::MAX) of them.
impl FromIterator<u16> for NewBuckets {
    fn from_iter<I: IntoIterator<Item = u16>>(buckets: I) -> Self {
        let mut all = Self::default();
        for (place, bucket) in all.buckets.iter_mut().zip(buckets) {
            *place = bucket;
            all.count += 1;
        }
        all
    }
}

impl fmt::Debug for NewBuckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for NewBuckets {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(out)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for NewBuckets {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Vec::<u16>::deserialize(input).map(|buckets| buckets.into_iter().collect())
    }
}

/// The secret by which the book places its addresses. Nobody else may know it: they could choose addresses that push
/// others out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BookSecret(pub [u8; 16]);

/// Shows nothing.
impl fmt::Debug for BookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BookSecret(..)")
    }
}

#[cfg(feature = "serde")]
mod text {
    use super::BookSecret;

    /// 32 hexadecimal digits: the trace of a run has to repeat its placement.
    impl serde::Serialize for BookSecret {
        fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
            out.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
        }
    }

    impl<'de> serde::Deserialize<'de> for BookSecret {
        fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
            let text: super::SourceGroup = crate::types::data::parse(input)?;
            Ok(Self(text.as_u128().to_be_bytes()))
        }
    }
}
