//! Added peers that something has kept away are dialed soon: the end of an outage, of a ban, of a failure of them all.

use core::time::Duration;

use crate::peer::AddedPeer;
use crate::types::{NetworkKind, PeerAddress, nanos};

use super::{ConnManager, Obstacle, PeerState, Timer};

/// Added peers that are released together are dialed so long after one another, …
const RELEASE_STRIDE: Duration = Duration::from_millis(150);
/// … and all of them within this.
const RELEASED_WITHIN: Duration = Duration::from_secs(15);

impl ConnManager {
    /// Added peers that the outage held up are dialed soon. A name may lead anywhere.
    pub(super) fn release_peers(&mut self, network: NetworkKind) {
        self.release_held_up(|address| address.network().is_none_or(|other| other == network));
    }

    /// The same, for those that meet a condition.
    pub(super) fn release_held_up(&mut self, concerns: impl Fn(&PeerAddress) -> bool) {
        self.release(|peer| concerns(peer.address()) && peer.is_held_up());
    }

    /// An added peer is ready. If every other one has failed since one was last ready, what kept them all away is
    /// over: they need not sit out their back-off.
    pub(super) fn added_is_ready(&mut self) {
        let (failed, now) = (core::mem::take(&mut self.fruitless_attempts), self.now());
        // Not more often than each may be dialed anyway: peers that get ready and go would else have all others dialed
        // again and again.
        let may = self.released_at.is_none_or(|at| at.after(self.config.retry.cap) <= now);
        if may && failed >= self.peers.len().max(2) {
            self.released_at = Some(now);
            self.release(|peer| peer.state() == PeerState::Waiting);
        }
    }

    /// Added peers of a sort are dialed soon, one after the other, so that no second sees more than a tenth of many.
    fn release(&mut self, sort: impl Fn(&AddedPeer) -> bool) {
        let mut ids = self.peers.ids();
        ids.retain(|id| self.peers.get(*id).is_some_and(&sort));
        let Ok(count) = u32::try_from(ids.len()) else { return };
        let stride = RELEASE_STRIDE.min(RELEASED_WITHIN / count.max(1));
        for (place, id) in (0..).zip(ids) {
            if place == 0 {
                self.disarm(Timer::Peer(id));
                self.peers.enqueue(id);
                continue;
            }
            let jitter = Duration::from_nanos(self.rng.below(nanos(stride)));
            self.arm_earlier(Timer::Peer(id), self.now().after(stride.saturating_mul(place) + jitter));
        }
    }

    /// Added peers that a ban held up are queued; those that another ban holds up still are blocked again.
    pub(super) fn release_banned_peers(&mut self) {
        for id in self.peers.ids() {
            if self.peers.get(id).is_some_and(|peer| peer.state() == PeerState::Blocked(Obstacle::Banned)) {
                self.disarm(Timer::Peer(id));
                self.peers.enqueue(id);
            }
        }
    }
}
