//! Our own addresses, as far as anybody told.

use std::collections::VecDeque;

use connmgr_core::PeerAddress;
use rustc_hash::FxHashSet;

/// How many addresses may be given in all; more are ignored.
const MAX_GIVEN: usize = 1024;
/// How many addresses where we met ourselves are remembered; the oldest makes room.
const MAX_MET: usize = 64;

/// Our own addresses: those that were given, and those where we met ourselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    given: FxHashSet<PeerAddress>,
    met: VecDeque<PeerAddress>,
}

impl Own {
    pub(crate) fn new(configured: &[PeerAddress]) -> Self {
        Self { given: configured.iter().cloned().collect(), met: VecDeque::new() }
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
