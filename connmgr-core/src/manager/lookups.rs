//! Name lookups. Each has a deadline, and belongs to an added peer or to a seed.

use crate::types::{LookupError, LookupId, ResolvedIp, Time};

use super::{ConnManager, Phase};

impl ConnManager {
    /// Begins a lookup and arms its deadline. Returns both.
    pub(super) fn begin_lookup(&mut self) -> (LookupId, Time) {
        let (lookup, deadline) = (self.next_lookup.take(), self.now().after(self.config.dial.lookup_timeout));
        self.await_lookup(lookup, deadline);
        self.stats.lookups += 1;
        (lookup, deadline)
    }

    pub(super) fn use_lookup(&mut self, lookup: LookupId, result: Result<&[ResolvedIp], LookupError>) {
        if self.phase != Phase::Active {
            self.abandon_lookup(lookup);
        } else if let Some((peer, name)) = self.peers.end_lookup(lookup) {
            self.use_peer_lookup(peer, &name, result);
        } else {
            self.use_seed_lookup(lookup, result);
        }
    }

    /// Dialing is off. Drops the lookup; its owner asks again once dialing is on.
    fn abandon_lookup(&mut self, lookup: LookupId) {
        match self.peers.end_lookup(lookup) {
            Some((peer, _)) => self.peers.stop_resolving(peer),
            None => self.seeds.abandon(lookup),
        }
    }
}
