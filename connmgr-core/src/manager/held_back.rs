//! Counts the known addresses by the rule that holds them back, for an application that is asked for more.

use crate::types::{DialRule, HeldBack, Kind, NetworkKind, PeerAddress};

use super::ConnManager;

/// The most addresses that are looked at. Of a larger book, so many that are spread over it: the cost of telling is
/// bounded, and the shares are right within a few per cent.
const LOOKED_AT: usize = 256;

impl ConnManager {
    /// What holds the known addresses back from connections of this kind.
    pub(super) fn held_back(&self, kind: Kind) -> HeldBack {
        let known = u32::try_from(self.book.len()).unwrap_or(u32::MAX);
        let mut counts = HeldBack { known, ..HeldBack::default() };
        let now = self.now();
        let waiting = NetworkKind::ALL.map(|network| self.network_rule(network, now).map(|found| found.rule));
        for address in self.book.spread(LOOKED_AT) {
            let own = self.address_hindrance(kind, &address, now).map(|found| found.rule);
            counts.count(own.or_else(|| network_rule(&waiting, &address)));
        }
        counts
    }
}

fn network_rule(waiting: &[Option<DialRule>; NetworkKind::ALL.len()], address: &PeerAddress) -> Option<DialRule> {
    address.network().and_then(|network| waiting[network.index()])
}
