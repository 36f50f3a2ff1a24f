//! Our own addresses: those reported to us, and those where we met ourselves.
//!
//! This file knows no connections and no nonces. The two sorts are kept apart, because a stranger can echo our nonce
//! and so have his address taken for ours, and because an address where we met ourselves may belong to somebody else
//! tomorrow. However many are met, no reported address makes room.

use alloc::collections::{BTreeSet, VecDeque};
use core::time::Duration;

use crate::types::{PeerAddress, Time};

/// How many addresses may be reported, those of the configuration included; more are ignored.
const MAX_GIVEN: usize = 1024;
/// How many addresses where we met ourselves are remembered. Beyond that, the oldest is forgotten; that costs one dial.
const MAX_MET: usize = 64;
/// How long an address where we met ourselves is remembered. Then one dial finds out whether it is still ours.
const MET_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Our own addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnAddresses {
    given: BTreeSet<PeerAddress>,
    /// Those where we met ourselves, and until when that counts; the oldest first. None is given as well.
    met: VecDeque<(PeerAddress, Time)>,
}

impl OwnAddresses {
    /// The addresses of the configuration, which are never dropped.
    pub(crate) fn new(configured: impl Iterator<Item = PeerAddress>) -> Self {
        Self { given: configured.collect(), met: VecDeque::new() }
    }

    /// The operator or the application reports an address as ours.
    pub(crate) fn give(&mut self, address: &PeerAddress) {
        if self.given.len() < MAX_GIVEN {
            self.met.retain(|(other, _)| other != address);
            self.given.insert(address.clone());
        }
    }

    /// We dialed an address and reached ourselves.
    pub(crate) fn meet(&mut self, address: &PeerAddress, now: Time) {
        if self.contains(address, now) {
            return;
        }
        self.met.retain(|(other, _)| other != address);
        if self.met.len() == MAX_MET {
            self.met.pop_front();
        }
        self.met.push_back((address.clone(), now.after(MET_FOR)));
    }

    /// Forgets an address, wherever it is from. Returns whether it was ours.
    pub(crate) fn forget(&mut self, address: &PeerAddress) -> bool {
        let (given, met) = (self.given.remove(address), self.met.len());
        self.met.retain(|(other, _)| other != address);
        given || self.met.len() < met
    }

    /// Forgets all addresses where we met ourselves. Returns whether there were any.
    pub(crate) fn forget_met(&mut self) -> bool {
        let had_any = !self.met.is_empty();
        self.met.clear();
        had_any
    }

    /// Forgets the addresses that we met a day ago.
    pub(crate) fn expire(&mut self, now: Time) {
        self.met.retain(|(_, until)| *until > now);
    }

    /// When the next address is forgotten.
    pub(crate) fn next_expiry(&self) -> Option<Time> {
        self.met.front().map(|(_, until)| *until)
    }

    /// Whether an address is ours.
    #[inline]
    pub(crate) fn contains(&self, address: &PeerAddress, now: Time) -> bool {
        // Many nodes know of none, and this is asked before every dial.
        !(self.given.is_empty() && self.met.is_empty()) && self.knows(address, now)
    }

    fn knows(&self, address: &PeerAddress, now: Time) -> bool {
        self.given.contains(address) || self.met.iter().any(|(met, until)| *until > now && met == address)
    }

    /// Until when an address where we met ourselves counts as ours; `None` for any other.
    pub(crate) fn until(&self, address: &PeerAddress) -> Option<Time> {
        self.met.iter().find(|(met, _)| met == address).map(|(_, until)| *until)
    }

    /// The reported addresses, in order.
    pub(crate) fn given(&self) -> impl Iterator<Item = &PeerAddress> {
        self.given.iter()
    }

    /// The addresses where we met ourselves, and until when that counts.
    pub(crate) fn met(&self) -> impl Iterator<Item = &(PeerAddress, Time)> {
        self.met.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Host;
    use alloc::vec::Vec;

    fn addresses(count: u16) -> Vec<PeerAddress> {
        let host = Host::from(core::net::Ipv4Addr::new(1, 2, 3, 4));
        (0..count).map(|port| PeerAddress::new(host.clone(), port)).collect()
    }

    #[test]
    fn of_those_met_the_oldest_makes_room_of_those_given_none_does() {
        let addresses = addresses(70);
        let mut own = OwnAddresses::new(addresses[..1].iter().cloned());
        own.give(&addresses[1]);
        addresses.iter().for_each(|address| own.meet(address, Time::ZERO));
        let ours: Vec<bool> = addresses.iter().map(|address| own.contains(address, Time::ZERO)).collect();
        let lost = |n: usize| (2..70 - MAX_MET).contains(&n);
        assert!(ours.iter().enumerate().all(|(n, ours)| *ours != lost(n)), "{ours:?}");
    }

    #[test]
    fn one_met_that_is_given_later_is_never_dropped() {
        let addresses = addresses(70);
        let mut own = OwnAddresses::new(core::iter::empty());
        own.meet(&addresses[0], Time::ZERO);
        own.give(&addresses[0]);
        addresses.iter().for_each(|address| own.meet(address, Time::ZERO));
        assert!(own.contains(&addresses[0], Time::ZERO));
    }

    #[test]
    fn no_more_are_given_than_can_be_kept() {
        let addresses = addresses(2000);
        let mut own = OwnAddresses::new(core::iter::empty());
        addresses.iter().for_each(|address| own.give(address));
        assert_eq!(own.given.len(), MAX_GIVEN);
    }

    #[test]
    fn one_met_is_forgotten_after_a_day_one_given_is_not() {
        let addresses = addresses(2);
        let (begin, end) = (Time::from_secs(7), Time::from_secs(7).after(MET_FOR));
        let mut own = OwnAddresses::new(addresses[..1].iter().cloned());
        own.meet(&addresses[0], begin);
        own.meet(&addresses[1], begin);
        assert_eq!(own.next_expiry(), Some(end));
        let last = Time::from_nanos(end.as_nanos() - 1);
        assert!(own.contains(&addresses[1], last) && !own.contains(&addresses[1], end));
        own.expire(end);
        assert_eq!((own.next_expiry(), own.contains(&addresses[0], end)), (None, true));
    }

    #[test]
    fn one_met_again_counts_for_another_day() {
        let (mut own, address) = (OwnAddresses::new(core::iter::empty()), addresses(1).remove(0));
        own.meet(&address, Time::ZERO);
        own.meet(&address, Time::ZERO.after(MET_FOR));
        assert!(own.contains(&address, Time::ZERO.after(MET_FOR)));
        assert_eq!(own.met.len(), 1);
    }

    #[test]
    fn any_is_forgotten_when_told_so() {
        let addresses = addresses(2);
        let mut own = OwnAddresses::new(addresses[..1].iter().cloned());
        own.meet(&addresses[1], Time::ZERO);
        assert!(addresses.iter().all(|address| own.forget(address)));
        assert!(!addresses.iter().any(|address| own.contains(address, Time::ZERO) || own.forget(address)));
    }
}
