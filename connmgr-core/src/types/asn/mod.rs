//! A table of autonomous systems: which one announces an address.
//!
//! Read first: Bitcoin Core's `doc/files.md` on asmap, and `contrib/asmap/README.md`. This file knows no file format and no
//! groups.

mod builder;
mod lookup;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher;
use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU32;

use ipnet::IpNet;
use siphasher::sip128::{Hasher128, SipHasher24};

pub(crate) use builder::AsnTableBuilder;
use lookup::AsnLookup;

/// Which autonomous system (AS) announces an address: prefixes with AS numbers, made once and shared by all clones.
///
/// One operator may have many prefixes, far apart. With a table in [`GroupRule::asn`](crate::GroupRule::asn) all of them are
/// one group. Make it with [`new`](Self::new) or [`from_asmap`](Self::from_asmap); `connmgr-std` reads files.
///
/// Two tables are equal if they give every address the same number, wherever they come from. They are compared by a digest.
/// A trace has only this digest and two counts: what is read from one knows no number ([`is_loaded`](Self::is_loaded)) until
/// the table itself takes its place.
///
/// A look-up allocates nothing, and takes at most 80 comparisons. The table of the whole internet has some 480 000
/// ranges, and takes about 4 MB.
#[derive(Clone)]
pub struct AsnTable {
    digest: u128,
    ranges: u32,
    systems: u32,
    /// None in what is read from a trace.
    lookup: Option<Arc<AsnLookup>>,
}

impl AsnTable {
    /// The most ranges in a table. The internet's has some 480 000.
    pub const MAX_RANGES: u32 = 1 << 22;

    /// A table of prefixes and AS numbers, in any order. Of the prefixes that contain an address the longest counts, and
    /// of equal ones the last. Number 0 is no number: it takes a part out of a larger prefix. Bits beyond a prefix's length
    /// are ignored. As in Bitcoin Core's files, `::ffff:0:0/96` is IPv4.
    ///
    /// # Errors
    /// [`AsnTableError::TooManyRanges`].
    pub fn new(prefixes: impl IntoIterator<Item = (IpNet, u32)>) -> Result<Self, AsnTableError> {
        let mut prefixes: Vec<(u128, u8, u32)> = prefixes
            .into_iter()
            .map(|(net, number)| match net.trunc() {
                IpNet::V4(net) => (v4_key(net.addr()), 96 + net.prefix_len(), number),
                IpNet::V6(net) => (net.addr().to_bits(), net.prefix_len(), number),
            })
            .collect();
        prefixes.sort_by_key(|(first, length, _)| (*first, *length));
        let mut builder = AsnTableBuilder::new();
        for (first, length, number) in prefixes {
            builder.push(first, length, number)?;
        }
        Ok(builder.finish())
    }

    /// The table with these boundaries: where a range begins, and its number.
    fn of_boundaries(boundaries: &[(u128, u32)]) -> Self {
        let mut hasher = SipHasher24::new();
        for (start, number) in boundaries {
            hasher.write(&start.to_le_bytes());
            hasher.write(&number.to_le_bytes());
        }
        let mut systems: Vec<u32> =
            boundaries.iter().map(|(_, number)| *number).filter(|number| *number != 0).collect();
        let ranges = count(systems.len());
        systems.sort_unstable();
        systems.dedup();
        Self {
            digest: hasher.finish128().as_u128(),
            ranges,
            systems: count(systems.len()),
            lookup: Some(Arc::new(AsnLookup::new(boundaries))),
        }
    }

    /// The number of the AS that announces this address; none if the table has none for it, or is not
    /// [loaded](Self::is_loaded).
    pub fn number_of(&self, ip: IpAddr) -> Option<NonZeroU32> {
        let lookup = self.lookup.as_deref()?;
        let number = match ip.to_canonical() {
            IpAddr::V4(ip) => lookup.number_of_v4(ip.to_bits()),
            IpAddr::V6(ip) => lookup.number_of_v6(ip.to_bits()),
        };
        NonZeroU32::new(number)
    }

    /// The digest of all ranges and numbers. It tells tables apart, but is no protection against somebody who makes one
    /// on purpose.
    pub const fn digest(&self) -> u128 {
        self.digest
    }

    /// How many ranges of addresses have a number. Neighbours with one number are one range.
    pub const fn ranges(&self) -> u32 {
        self.ranges
    }

    /// How many different numbers there are.
    pub const fn systems(&self) -> u32 {
        self.systems
    }

    /// The same table as a trace has it.
    #[cfg(test)]
    pub(crate) fn not_loaded(self) -> Self {
        Self { lookup: None, ..self }
    }

    /// Whether the numbers are here. Not in what was read from a trace, which has only the digest:
    /// [`Config::check`](crate::Config::check) refuses it.
    pub const fn is_loaded(&self) -> bool {
        self.lookup.is_some()
    }
}

impl PartialEq for AsnTable {
    fn eq(&self, other: &Self) -> bool {
        (self.digest, self.ranges, self.systems) == (other.digest, other.ranges, other.systems)
    }
}

impl Eq for AsnTable {}

impl fmt::Display for AsnTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { digest, ranges, systems, lookup: _ } = self;
        let plural = |count: u32| if count == 1 { "" } else { "s" };
        let (of_ranges, of_systems) = (plural(*ranges), plural(*systems));
        write!(f, "{ranges} range{of_ranges} of {systems} autonomous system{of_systems} (digest {digest:032x})")
    }
}

impl fmt::Debug for AsnTable {
    /// Without the ranges, which are many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsnTable({self}{})", if self.is_loaded() { "" } else { ", not loaded" })
    }
}

/// Why there is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AsnTableError {
    /// More than [`AsnTable::MAX_RANGES`].
    TooManyRanges,
}

impl fmt::Display for AsnTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRanges => write!(f, "more than {} ranges", AsnTable::MAX_RANGES),
        }
    }
}

impl core::error::Error for AsnTableError {}

/// The place of an IPv4 address among those of IPv6: it is mapped (RFC 4291 §2.5.5.2).
fn v4_key(ip: Ipv4Addr) -> u128 {
    ip.to_ipv6_mapped().to_bits()
}

fn count(length: usize) -> u32 {
    u32::try_from(length).expect("the builder lets in at most MAX_RANGES")
}

#[cfg(feature = "serde")]
mod data {
    use alloc::format;
    use alloc::string::String;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::AsnTable;

    /// What a trace tells of a table.
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields, rename = "AsnTable")]
    struct Name {
        digest: String,
        ranges: u32,
        systems: u32,
    }

    impl Serialize for AsnTable {
        fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
            let name = Name { digest: format!("{:032x}", self.digest), ranges: self.ranges, systems: self.systems };
            name.serialize(out)
        }
    }

    impl<'de> Deserialize<'de> for AsnTable {
        fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
            let Name { digest, ranges, systems } = Name::deserialize(input)?;
            let is_digest = digest.len() == 32 && digest.bytes().all(|digit| digit.is_ascii_hexdigit());
            match u128::from_str_radix(&digest, 16) {
                Ok(digest) if is_digest => Ok(Self { digest, ranges, systems, lookup: None }),
                Ok(_) | Err(_) => Err(D::Error::custom("the digest of a table is 32 hexadecimal digits")),
            }
        }
    }
}
