//! Our own addresses.

use std::collections::VecDeque;

use connmgr_core::PeerAddress;
use rustc_hash::FxHashSet;

/// At most so many addresses are given; more are ignored.
const MAX_GIVEN: usize = 1024;
/// At most so many addresses where we met ourselves are remembered; the oldest is dropped.
const MAX_MET: usize = 64;

/// Our own addresses: those given by configuration and input, and those where we met ourselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    given: FxHashSet<PeerAddress>,
    met: VecDeque<PeerAddress>,
}

impl Own {
    pub(crate) fn new(configured: impl Iterator<Item = PeerAddress>) -> Self {
        Self { given: configured.collect(), met: VecDeque::new() }
    }

    pub(crate) fn give(&mut self, address: &PeerAddress) {
        if self.given.len() < MAX_GIVEN {
            self.met.retain(|other| other != address);
            self.given.insert(address.clone());
        }
    }

    pub(crate) fn meet(&mut self, address: &PeerAddress) {
        if self.contains(address) {
            return;
        }
        if self.met.len() == MAX_MET {
            self.met.pop_front();
        }
        self.met.push_back(address.clone());
    }

    pub(crate) fn contains(&self, address: &PeerAddress) -> bool {
        (!self.given.is_empty() && self.given.contains(address)) || self.met.contains(address)
    }
}
