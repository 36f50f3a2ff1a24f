//! Our own addresses: those reported to us, and those where we met ourselves.
//!
//! This file knows no connections and no nonces. The two sorts are kept apart, because a stranger can echo our nonce
//! and so have his address taken for ours. However often he does, no reported address makes room.

use alloc::collections::{BTreeSet, VecDeque};

use crate::types::PeerAddress;

/// How many addresses may be reported, those of the configuration included; more are ignored.
const MAX_GIVEN: usize = 1024;
/// How many addresses where we met ourselves are remembered. Beyond that, the oldest is forgotten; that costs one dial.
const MAX_MET: usize = 64;

/// Our own addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OwnAddresses {
    all: BTreeSet<PeerAddress>,
    /// Those where we met ourselves, the oldest first.
    met: VecDeque<PeerAddress>,
}

impl OwnAddresses {
    /// The addresses of the configuration, which are never dropped.
    pub(crate) fn new(configured: impl Iterator<Item = PeerAddress>) -> Self {
        Self { all: configured.collect(), met: VecDeque::new() }
    }

    /// The operator or the application reports an address as ours.
    pub(crate) fn give(&mut self, address: &PeerAddress) {
        if self.all.len() - self.met.len() < MAX_GIVEN {
            self.met.retain(|other| other != address);
            self.all.insert(address.clone());
        }
    }

    /// We dialed an address and reached ourselves.
    pub(crate) fn meet(&mut self, address: &PeerAddress) {
        if !self.all.insert(address.clone()) {
            return;
        }
        if self.met.len() == MAX_MET {
            let oldest = self.met.pop_front();
            if let Some(oldest) = oldest {
                self.all.remove(&oldest);
            }
        }
        self.met.push_back(address.clone());
    }

    /// Whether an address is ours.
    pub(crate) fn contains(&self, address: &PeerAddress) -> bool {
        self.all.contains(address)
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
        addresses.iter().for_each(|address| own.meet(address));
        let ours: Vec<bool> = addresses.iter().map(|address| own.contains(address)).collect();
        let lost = |n: usize| (2..70 - MAX_MET).contains(&n);
        assert!(ours.iter().enumerate().all(|(n, ours)| *ours != lost(n)), "{ours:?}");
    }

    #[test]
    fn one_met_that_is_given_later_is_never_dropped() {
        let addresses = addresses(70);
        let mut own = OwnAddresses::new(core::iter::empty());
        own.meet(&addresses[0]);
        own.give(&addresses[0]);
        addresses.iter().for_each(|address| own.meet(address));
        assert!(own.contains(&addresses[0]));
    }

    #[test]
    fn no_more_are_given_than_can_be_kept() {
        let addresses = addresses(2000);
        let mut own = OwnAddresses::new(core::iter::empty());
        addresses.iter().for_each(|address| own.give(address));
        assert_eq!(own.all.len(), MAX_GIVEN);
    }
}
