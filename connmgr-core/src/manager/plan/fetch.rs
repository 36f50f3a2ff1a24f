//! Addr-fetch visits: seeds that can't be looked up are dialed and asked for addresses.

use crate::config::Split;
use crate::types::Kind;

use super::{ConnManager, PlannedDial};

impl ConnManager {
    pub(super) fn dial_addr_fetches(&mut self, split: &Split) {
        while self.has_slot(Kind::AddrFetch, split) {
            if self.pause_if_needed() {
                return;
            }
            let Some(seed) = self.seeds.next_fetch() else { return };
            let address = self.fetch_address(seed);
            if self.rules().obstacle(&address).is_some() {
                self.end_fetch(&address, false, true);
                continue;
            }
            let (kind, transport, via) = (Kind::AddrFetch, self.config.transport, self.route(&address));
            let group = self.rules().group(kind, &address);
            self.dial(PlannedDial {
                kind,
                address,
                id: None,
                group,
                peer: None,
                of: 0,
                transport,
                is_trial: false,
                via,
            });
        }
    }
}
