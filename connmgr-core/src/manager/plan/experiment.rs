//! For experiments: choices without dials. No application needs it.

use crate::types::{Kind, NetworkKind, PeerAddress, Time};

use super::ConnManager;

impl ConnManager {
    /// The address that would be dialed next for this kind in this network, if one were wanted and the pace of dials
    /// allowed it. Dials nothing and records nothing, but uses up chances: what the manager draws later is not what it
    /// would have drawn.
    #[doc(hidden)]
    pub fn sample_choice(&mut self, kind: Kind, network: NetworkKind, now: Time) -> Option<PeerAddress> {
        self.begin(now);
        self.choose(kind, network, self.rested(), |rules, address| rules.obstacle(address)).map(|chosen| chosen.address)
    }
}
