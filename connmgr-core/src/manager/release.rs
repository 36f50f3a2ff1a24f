//! Queues added peers again once what held them up is over: an outage, a ban, or a failure of all of them.

use core::time::Duration;

use crate::peer::Peer;
use crate::types::{NetworkKind, PeerAddress, nanos};

use super::{ConnManager, Obstacle, PeerState, Timer};

/// Added peers released together are dialed this far apart, …
const RELEASE_STRIDE: Duration = Duration::from_millis(150);
/// … or closer, so that the last one is dialed within this time.
const RELEASED_WITHIN: Duration = Duration::from_secs(15);

impl ConnManager {
    /// Releases the added peers that an outage of this network held up. A name may lead to any network.
    pub(super) fn release_peers(&mut self, network: NetworkKind) {
        let may_lead_there = |address: &PeerAddress| address.network().is_none_or(|other| other == network);
        self.release(|peer| peer.is_held_up() && peer.addresses().iter().any(may_lead_there));
    }

    /// Releases all added peers that something held up.
    pub(super) fn release_held_up(&mut self) {
        self.release(Peer::is_held_up);
    }

    /// An added peer is ready. If all the others have failed since one was last ready, the cause is over: releases
    /// those that wait for their back-off.
    pub(super) fn record_added_ready(&mut self) {
        let (failed, now) = (core::mem::take(&mut self.fruitless_attempts), self.now());
        // At most once in `retry.cap`: otherwise peers that get ready and leave would have all others dialed again and
        // again.
        let may = self.released_at.is_none_or(|at| at.after(self.config.retry.cap) <= now);
        if may && failed >= self.peers.len().max(2) {
            self.released_at = Some(now);
            self.release(|peer| peer.state() == PeerState::Waiting);
        }
    }

    /// Queues the first of the peers that `sort` selects, and the others one after the other within 15 s. With many, no
    /// second sees more than a tenth of them.
    fn release(&mut self, sort: impl Fn(&Peer) -> bool) {
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

    /// Queues the added peers that a ban blocks. The planner blocks those again that another ban covers.
    pub(super) fn release_banned_peers(&mut self) {
        self.release_blocked_by(Obstacle::Banned);
    }

    /// Queues the added peers that this blocks. The planner blocks again those that something forbids still.
    pub(super) fn release_blocked_by(&mut self, obstacle: Obstacle) {
        for id in self.peers.ids() {
            if self.peers.get(id).is_some_and(|peer| peer.state() == PeerState::Blocked(obstacle)) {
                self.disarm(Timer::Peer(id));
                self.peers.enqueue(id);
            }
        }
    }
}
