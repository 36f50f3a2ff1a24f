//! Our own addresses.

use std::collections::VecDeque;
use std::time::Duration;

use connmgr_core::{PeerAddress, Time};
use rustc_hash::FxHashSet;

/// At most so many addresses are given; more are ignored.
const MAX_GIVEN: usize = 1024;
/// At most so many addresses where we met ourselves are remembered; the oldest is dropped.
const MAX_MET: usize = 64;
/// For so long.
const MET_FOR: Duration = Duration::from_secs(86_400);

/// Our own addresses: those given by configuration and input, and those where we met ourselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    given: FxHashSet<PeerAddress>,
    met: VecDeque<Met>,
}

#[derive(Clone, Debug)]
struct Met {
    address: PeerAddress,
    at: Time,
    /// A change of the network may have it forgotten; it is not known when that takes effect.
    is_doubtful: bool,
}

impl Own {
    pub(crate) fn new(configured: impl Iterator<Item = PeerAddress>) -> Self {
        Self { given: configured.collect(), met: VecDeque::new() }
    }

    pub(crate) fn give(&mut self, address: &PeerAddress) {
        if self.given.len() < MAX_GIVEN {
            self.met.retain(|met| met.address != *address);
            self.given.insert(address.clone());
        }
    }

    pub(crate) fn meet(&mut self, address: &PeerAddress, now: Time) {
        if self.contains(address, now) {
            return;
        }
        self.met.retain(|met| met.address != *address);
        if self.met.len() == MAX_MET {
            self.met.pop_front();
        }
        self.met.push_back(Met { address: address.clone(), at: now, is_doubtful: false });
    }

    pub(crate) fn forget(&mut self, address: &PeerAddress) {
        self.given.remove(address);
        self.met.retain(|met| met.address != *address);
    }

    /// A change of the network may take effect now.
    pub(crate) fn doubt_met(&mut self) {
        self.met.iter_mut().for_each(|met| met.is_doubtful = true);
    }

    /// Whether an address is ours for certain.
    pub(crate) fn contains(&self, address: &PeerAddress, now: Time) -> bool {
        let is_it = |met: &Met| !met.is_doubtful && met.address == *address && now < met.at.after(MET_FOR);
        (!self.given.is_empty() && self.given.contains(address)) || self.met.iter().any(is_it)
    }

    /// Whether it is not known if an address is ours.
    pub(crate) fn is_doubtful(&self, address: &PeerAddress, now: Time) -> bool {
        !self.contains(address, now) && self.met.iter().any(|met| met.is_doubtful && met.address == *address)
    }
}
