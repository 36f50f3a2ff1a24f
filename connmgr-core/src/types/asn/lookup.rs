//! The ranges of a table, laid out for look-ups.
//!
//! A file of Bitcoin Core's is a program of bits that would have to be run for each look-up. Sorted ranges take less
//! than three times the memory, and a sixth (IPv6) to a thirtieth (IPv4) of the time. What a look-up costs is the memory that it misses in the processor's caches, so
//! its first steps share little memory.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter;

/// The ranges of IPv4 and of IPv6.
#[derive(Debug)]
pub(super) struct AsnLookup {
    v4: V4Ranges,
    /// The number at the first address of each /64.
    v6: V6Ranges,
    /// Where ranges begin within a /64, and their numbers; hardly any do.
    fine: Box<[(u128, u32)]>,
}

/// `::ffff:0:0/96`: IPv4.
const V4_FIRST: u128 = 0xffff_0000_0000;
const V4_LAST: u128 = 0xffff_ffff_ffff;

impl AsnLookup {
    /// From the boundaries in order, the first at address 0.
    pub(super) fn new(boundaries: &[(u128, u32)]) -> Self {
        let until = |address: u128| boundaries.partition_point(|(start, _)| *start <= address);
        let number_at = |address: u128| boundaries[until(address) - 1].1;
        let (inside, after) = (&boundaries[until(V4_FIRST)..until(V4_LAST)], &boundaries[until(V4_LAST + 1)..]);
        let v4 = iter::once((0, number_at(V4_FIRST)));
        let v4: Vec<(u32, u32)> = v4.chain(inside.iter().map(|(start, number)| (v4_bits(*start), *number))).collect();
        // What is inside IPv4 is never looked up as IPv6.
        let outside = boundaries[..until(V4_FIRST - 1)].iter().copied();
        let outside = outside.chain([(V4_LAST + 1, number_at(V4_LAST + 1))]).chain(after.iter().copied());
        // A range that begins within a /64 goes on in the next one, if no other begins there.
        let mut sites: Vec<u64> = outside.clone().filter_map(|(start, _)| first_site(start)).collect();
        sites.dedup();
        Self {
            v4: V4Ranges::new(&v4),
            v6: V6Ranges::new(sites.into_iter().map(|site| (site, number_at(u128::from(site) << 64)))),
            fine: outside.filter(|(start, _)| begins_within(*start)).collect(),
        }
    }

    pub(super) fn number_of_v4(&self, ip: u32) -> u32 {
        self.v4.number_of(ip)
    }

    pub(super) fn number_of_v6(&self, ip: u128) -> u32 {
        let begun = self.fine.partition_point(|(start, _)| *start <= ip);
        match self.fine[..begun].last() {
            Some((start, number)) if site(*start) == site(ip) => *number,
            Some(_) | None => self.v6.number_of(site(ip)),
        }
    }
}

/// Found by the first 16 bits, then by comparing the last ones.
#[derive(Debug)]
struct V4Ranges {
    /// For each first 16 bits: how many ranges begin before; and how many there are.
    index: Box<[u32]>,
    /// The last 16 bits of the address with which a range begins.
    starts: Box<[u16]>,
    numbers: Box<[u32]>,
}

impl V4Ranges {
    /// From where ranges begin, in order, the first at address 0.
    fn new(ranges: &[(u32, u32)]) -> Self {
        let mut begun = 0;
        let mut index = Vec::with_capacity(usize::from(u16::MAX) + 2);
        for part in 0..=u16::MAX {
            index.push(begun);
            while ranges.get(begun as usize).is_some_and(|(start, _)| high(*start) == part) {
                begun += 1;
            }
        }
        index.push(begun);
        Self {
            index: index.into(),
            starts: ranges.iter().map(|(start, _)| low(*start)).collect(),
            numbers: ranges.iter().map(|(_, number)| *number).collect(),
        }
    }

    /// At most 17 comparisons.
    fn number_of(&self, ip: u32) -> u32 {
        let part = usize::from(high(ip));
        let (from, to) = (self.index[part] as usize, self.index[part + 1] as usize);
        let begun = from + self.starts[from..to].partition_point(|start| *start <= low(ip));
        // The range begins in this part, or in an earlier one: the first begins at 0.
        self.numbers[begun - 1]
    }
}

/// Found as in a tree: each of its nodes is `FAN` starts beside each other.
#[derive(Debug)]
struct V6Ranges {
    /// The first start of every node of `middle`.
    top: Box<[u64]>,
    /// The first start of every node of `starts`.
    middle: Box<[u64]>,
    /// The /64 with which a range begins.
    starts: Box<[u64]>,
    numbers: Box<[u32]>,
}

/// Two lines of the processor's cache.
const FAN: usize = 16;

impl V6Ranges {
    /// From where ranges begin, in order, the first at 0.
    fn new(ranges: impl Iterator<Item = (u64, u32)>) -> Self {
        let (starts, numbers): (Vec<u64>, Vec<u32>) = ranges.unzip();
        let middle: Vec<u64> = starts.iter().step_by(FAN).copied().collect();
        let top = middle.iter().step_by(FAN).copied().collect();
        Self { top, middle: middle.into(), starts: starts.into(), numbers: numbers.into() }
    }

    /// At most 50 comparisons.
    fn number_of(&self, site: u64) -> u32 {
        // The first start is never beyond `site`, neither of all nor of the node that this leads to.
        let mut at = self.top.partition_point(|start| *start <= site) - 1;
        for level in [&self.middle, &self.starts] {
            let from = at * FAN;
            let node = &level[from..level.len().min(from + FAN)];
            // All of a node are compared: the processor fetches them at once, and waits for none before the next.
            at = from + node.iter().filter(|start| **start <= site).count() - 1;
        }
        self.numbers[at]
    }
}

fn v4_bits(mapped: u128) -> u32 {
    u32::try_from(mapped - V4_FIRST).expect("it is inside ::ffff:0:0/96")
}

fn high(ip: u32) -> u16 {
    u16::try_from(ip >> 16).expect("16 bits are left")
}

fn low(ip: u32) -> u16 {
    u16::try_from(ip & 0xffff).expect("16 bits are left")
}

/// The /64 of an address.
fn site(ip: u128) -> u64 {
    u64::try_from(ip >> 64).expect("64 bits are left")
}

fn begins_within(start: u128) -> bool {
    start << 64 != 0
}

/// The first /64 that a range with this start has from its first address on.
fn first_site(start: u128) -> Option<u64> {
    if begins_within(start) { site(start).checked_add(1) } else { Some(site(start)) }
}
