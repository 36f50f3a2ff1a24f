//! How the total is split: added peers first, then full, then block-relay; the rest is for inbound connections.

use connmgr_core::{Kind, Mode};

use super::lists::AUTOMATIC;
use super::{Model, Stage};

impl Model {
    /// How many connections of a kind there may be.
    pub(super) fn share(&self, kind: Kind) -> u32 {
        let automatic = u32::from(self.config.mode == Mode::Automatic);
        let peers = u32::try_from(self.peers.len()).expect("few");
        let wanted = [
            (Kind::Added, peers.min(self.limits.added)),
            (Kind::Full, automatic * self.limits.full),
            (Kind::BlockRelay, automatic * self.limits.block_relay),
        ];
        let mut left = self.limits.total;
        for (whose, wanted) in wanted {
            let share = wanted.min(left);
            if whose == kind {
                return share;
            }
            left -= share;
        }
        if kind == Kind::Inbound { left } else { 0 }
    }

    /// Inbound slots that are kept free while an automatic kind is being dialed.
    pub(super) fn kept_for_hedging(&self) -> u32 {
        if self.count(|conn| conn.is_automatic() && conn.stage != Stage::Ready) == 0 {
            return 0;
        }
        let most = self.config.dial.max_hedged.unwrap_or(u32::MAX);
        let wanted: u32 = AUTOMATIC.iter().map(|kind| self.share(*kind).min(most)).sum();
        wanted.min(self.share(Kind::Inbound) / 4)
    }

    /// Whether one more of a kind fits.
    pub(super) fn has_room(&self, kind: Kind) -> bool {
        self.held(kind) < self.share(kind) && self.count(|_| true) < self.limits.total
    }
}
