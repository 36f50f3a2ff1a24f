//! The narrow neighbourhood of an IP address: one access line.

use core::hash::{Hash, Hasher};
use core::net::IpAddr;

use super::ranges::first_bits;

/// An IPv4 /24 or IPv6 /64: addresses that usually share one access line.
///
/// Narrower than a [`Group`], for limits that would be unfair to a whole /16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Neighbourhood(Prefix);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Prefix {
    V4(u32),
    V6(u64),
}

/// One write, because arrivals are counted by it.
impl Hash for Prefix {
    fn hash<H: Hasher>(&self, to: &mut H) {
        to.write_u64(match self {
            Self::V4(bits) => u64::from(*bits),
            Self::V6(bits) => *bits,
        });
    }
}

impl Neighbourhood {
    /// The neighbourhood of an address; IPv4-mapped IPv6 counts as IPv4.
    pub(crate) fn of(ip: IpAddr) -> Self {
        Self(match ip.to_canonical() {
            IpAddr::V4(ip) => Prefix::V4(ip.to_bits() >> 8),
            IpAddr::V6(ip) => Prefix::V6(first_bits(ip, 64)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neighbourhood(text: &str) -> Neighbourhood {
        Neighbourhood::of(text.parse().expect(text))
    }

    #[test]
    fn the_neighbourhood_is_24_bits_or_64() {
        assert_eq!(neighbourhood("1.2.3.4"), neighbourhood("::ffff:1.2.3.255"));
        assert_ne!(neighbourhood("1.2.3.4"), neighbourhood("1.2.4.4"));
        assert_eq!(neighbourhood("2a01:1:2:3::1"), neighbourhood("2a01:1:2:3:ffff::1"));
        assert_ne!(neighbourhood("2a01:1:2:3::1"), neighbourhood("2a01:1:2:4::1"));
    }
}
