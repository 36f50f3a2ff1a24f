//! The addresses that answered last, to probe a network with.
//!
//! Every answered dial is recorded and hardly any is ever asked for, so recording is what must be cheap: a ring, and a
//! mark of each address, since most differ in that. This file knows no networks.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::net::IpAddr;

use crate::types::{Host, PeerAddress};

/// How many are kept.
const KEPT: usize = 8;

/// The addresses that answered last, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    ring: Vec<PeerAddress>,
    /// The [`mark`] of each.
    marks: [u32; KEPT],
    /// Where the next one goes once there are [`KEPT`]: the one that answered longest ago is there.
    oldest: usize,
}

impl Answered {
    /// None yet; allocates nothing.
    pub(crate) const fn new() -> Self {
        Self { ring: Vec::new(), marks: [0; KEPT], oldest: 0 }
    }

    /// A dial to this address was answered.
    pub(crate) fn record(&mut self, address: &PeerAddress) {
        let mark = mark(address);
        match self.find(mark, address) {
            Some(at) if at == self.latest() => return,
            Some(at) => self.take(at),
            None => {}
        }
        if self.ring.len() < KEPT {
            self.marks[self.ring.len()] = mark;
            return self.ring.push(address.clone());
        }
        self.marks[self.oldest] = mark;
        self.ring[self.oldest].clone_from(address);
        self.oldest = (self.oldest + 1) % KEPT;
    }

    fn find(&self, mark: u32, address: &PeerAddress) -> Option<usize> {
        // Mostly none is alike, and all marks are compared at once.
        if !self.marks.contains(&mark) {
            return None;
        }
        let is_it = |at: &usize| self.marks[*at] == mark && self.ring.get(*at) == Some(address);
        (0..KEPT).find(is_it)
    }

    /// Where the latest is, of one or more.
    fn latest(&self) -> usize {
        (self.oldest + self.ring.len() - 1) % self.ring.len()
    }

    /// Takes one out; the ring begins with the oldest then.
    fn take(&mut self, at: usize) {
        self.ring.rotate_left(self.oldest);
        let len = self.ring.len();
        let at = (at + len - self.oldest) % len;
        self.ring.remove(at);
        self.oldest = 0;
        for (known, address) in self.marks.iter_mut().zip(&self.ring) {
            *known = mark(address);
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    /// All of them, the one that answered last first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PeerAddress> + Clone {
        let (latest, earliest) = self.ring.split_at(self.oldest);
        latest.iter().rev().chain(earliest.iter().rev())
    }
}

/// In order: where the ring begins does not matter.
impl Hash for Answered {
    fn hash<H: Hasher>(&self, to: &mut H) {
        self.ring.len().hash(to);
        self.iter().for_each(|address| address.hash(to));
    }
}

/// Some bits of an address, which most others have not.
const fn mark(address: &PeerAddress) -> u32 {
    match address.host() {
        Host::Ip(IpAddr::V4(ip)) => ip.to_bits(),
        Host::Ip(IpAddr::V6(ip)) | Host::Cjdns(ip) => {
            let [.., a, b, c, d] = ip.octets();
            u32::from_be_bytes([a, b, c, d])
        }
        Host::Onion([a, b, c, d, ..]) | Host::I2p([a, b, c, d, ..]) => u32::from_be_bytes([*a, *b, *c, *d]),
        // Few have names, and names are compared.
        Host::Name(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> PeerAddress {
        text.parse().expect(text)
    }

    fn numbered(number: usize) -> PeerAddress {
        address(&alloc::format!("1.2.3.{number}:8333"))
    }

    #[test]
    fn the_last_eight_are_kept_and_the_latest_is_first() {
        let mut answered = Answered::new();
        for number in 0..20 {
            answered.record(&numbered(number));
            let latest: Vec<PeerAddress> = (0..=number).rev().take(KEPT).map(numbered).collect();
            assert!(answered.iter().eq(&latest), "{answered:?}");
        }
    }

    #[test]
    fn one_that_answers_again_is_the_latest_and_kept_once() {
        for again in 0..KEPT {
            let mut answered = Answered::new();
            (0..KEPT + 3).for_each(|number| answered.record(&numbered(number)));
            answered.record(&numbered(3 + again));
            let others = (3..KEPT + 3).rev().filter(|number| *number != 3 + again);
            let latest: Vec<PeerAddress> = core::iter::once(3 + again).chain(others).map(numbered).collect();
            assert!(answered.iter().eq(&latest), "{again}: {answered:?}");
            (20..24).for_each(|number| answered.record(&numbered(number)));
            assert!(answered.iter().skip(4).eq(latest.iter().take(4)), "{again}: {answered:?}");
        }
    }

    #[test]
    fn addresses_that_are_alike_are_told_apart() {
        let mut answered = Answered::new();
        let alike = ["1.2.3.4:1", "1.2.3.4:2", "[2a01::102:304]:1", "a.example:1", "b.example:1"].map(address);
        alike.iter().for_each(|one| answered.record(one));
        assert!(answered.iter().eq(alike.iter().rev()), "{answered:?}");
    }

    #[test]
    fn the_same_answers_have_the_same_hash_however_they_came() {
        use core::hash::BuildHasher as _;
        let hash = |numbers: &[usize]| {
            let mut answered = Answered::new();
            numbers.iter().for_each(|number| answered.record(&numbered(*number)));
            crate::mechanisms::hasher::Keyed::new(1, 2).hash_one(answered)
        };
        assert_eq!(hash(&[0, 1, 2, 3, 4, 5, 6, 7, 8]), hash(&[1, 2, 3, 4, 5, 6, 7, 8]));
        assert_ne!(hash(&[1, 2, 3, 4, 5, 6, 7, 8]), hash(&[2, 1, 3, 4, 5, 6, 7, 8]));
    }
}
