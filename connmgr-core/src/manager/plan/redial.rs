//! Redials: a peer that closed the encrypted transport before any byte arrived is dialed again without it.
//!
//! Redials come first, so that each gets the slot and the group of its first dial. A redial that finds no slot or
//! group, or that a rule forbids, is dropped; the address is known to need v1 from now on.

use crate::config::Split;
use crate::types::{Isolation, Kind, PeerAddress, PeerId, ProxyAddress, Transport};

use super::{ConnManager, PlannedDial};
use crate::manager::PeerState;

/// A dial to be repeated as v1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::manager) struct Redial {
    pub(in crate::manager) kind: Kind,
    pub(in crate::manager) address: PeerAddress,
    pub(in crate::manager) peer: Option<PeerId>,
    /// Which address of the peer it is for.
    pub(in crate::manager) of: usize,
    /// The route of the first dial. The redial takes it again: another circuit could lead to another exit.
    pub(in crate::manager) via: Option<(ProxyAddress, Isolation)>,
    pub(in crate::manager) is_trial: bool,
}

impl ConnManager {
    /// Queues a redial, if it may be made. Returns whether it was queued.
    pub(in crate::manager) fn queue_redial(&mut self, redial: Redial) -> bool {
        if !self.may_be_dialed(&redial, &self.split()) {
            return false;
        }
        if let Some(peer) = redial.peer {
            self.peers.enqueue_first(peer);
        }
        self.redials.push_back(redial);
        true
    }

    /// Makes the queued redials. Those of added peers do not wait behind automatic ones, which keep the rate: the peer
    /// is in its own queue too, and would be dialed from there by another route.
    pub(super) fn dial_redials(&mut self, split: &Split) {
        let mut place = 0;
        while let Some(redial) = self.redials.get(place) {
            let (kind, may) = (redial.kind, self.still_waits(redial) && self.may_be_dialed(redial, split));
            if may && self.pause_if_needed() {
                return;
            }
            if may && self.wait_for_rate(kind) {
                place += 1;
                continue;
            }
            match self.redials.remove(place) {
                Some(redial) if may => self.redial(redial),
                Some(redial) => self.drop_redial(&redial),
                None => return,
            }
        }
    }

    /// Whether the added peer of this redial, if any, still waits for it.
    fn still_waits(&self, redial: &Redial) -> bool {
        let waits = |peer| self.peers.get(peer).is_some_and(|peer| peer.state() == PeerState::Queued);
        redial.peer.is_none_or(waits)
    }

    /// Whether the rules, the slots and the groups allow this redial.
    fn may_be_dialed(&self, redial: &Redial, split: &Split) -> bool {
        self.rules().obstacle(&redial.address).is_none()
            && self.has_slot(redial.kind, split)
            && self.rules().group_is_free(redial.kind, &redial.address)
    }

    fn redial(&mut self, redial: Redial) {
        let Redial { kind, address, peer, of, via, is_trial } = redial;
        if kind.is_automatic() {
            self.pay_for_dial();
        }
        let (group, transport) = (self.rules().group(kind, &address), Transport::V1);
        self.dial(PlannedDial { kind, address, id: None, group, peer, of, transport, is_trial, via });
    }

    /// Drops every redial.
    pub(super) fn drop_redials(&mut self) {
        while let Some(redial) = self.redials.pop_front() {
            self.drop_redial(&redial);
        }
    }

    /// An added peer stays in its own queue.
    fn drop_redial(&mut self, redial: &Redial) {
        if redial.kind == Kind::AddrFetch {
            self.end_fetch(&redial.address, true, false);
        }
    }
}
