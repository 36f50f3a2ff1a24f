//! Dials that are made once more: a peer that hung up on the encrypted transport, unheard, is dialed without it.
//!
//! They come first, so that each gets the slot and the group of the dial before it. Where it finds neither, or may not be
//! dialed any more, it is left out: its address is known to want v1 from now on.

use core::net::SocketAddr;

use crate::config::Split;
use crate::types::{Isolation, Kind, PeerAddress, PeerId, Transport};

use super::{ConnManager, PlannedDial};
use crate::manager::PeerState;

/// A dial that is made once more, as v1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::manager) struct Redial {
    pub(in crate::manager) kind: Kind,
    pub(in crate::manager) address: PeerAddress,
    pub(in crate::manager) peer: Option<PeerId>,
    /// Its route, which is taken again: another circuit would tell the peer's neighbourhood apart from the first dial's.
    pub(in crate::manager) via: Option<(SocketAddr, Isolation)>,
    pub(in crate::manager) is_trial: bool,
}

impl ConnManager {
    /// A dial is to be made once more, if it may be. Returns whether it is.
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

    /// Makes the dials that are made once more.
    pub(super) fn dial_again(&mut self, split: &Split) {
        while let Some(redial) = self.redials.front() {
            let (kind, may) = (redial.kind, self.still_waits(redial) && self.may_be_dialed(redial, split));
            if may && (self.must_pause() || self.is_too_fast(kind)) {
                return;
            }
            match self.redials.pop_front() {
                Some(redial) if may => self.redial(redial),
                Some(redial) => self.drop_redial(&redial),
                None => return,
            }
        }
    }

    /// Whether the peer that it is for, if it is for one, still waits for it.
    fn still_waits(&self, redial: &Redial) -> bool {
        let waits = |peer| self.peers.get(peer).is_some_and(|peer| peer.state() == PeerState::Queued);
        redial.peer.is_none_or(waits)
    }

    /// Whether the rules and the limits let it be dialed.
    fn may_be_dialed(&self, redial: &Redial, split: &Split) -> bool {
        self.rules().obstacle(&redial.address).is_none()
            && self.has_slot(redial.kind, split)
            && self.rules().group_is_free(redial.kind, &redial.address)
    }

    fn redial(&mut self, redial: Redial) {
        let Redial { kind, address, peer, via, is_trial } = redial;
        if kind.is_automatic() {
            self.pay_for_dial();
        }
        self.dial(PlannedDial { kind, address, peer, transport: Transport::V1, is_trial, same_route: Some(via) });
    }

    /// None is made any more.
    pub(super) fn drop_redials(&mut self) {
        while let Some(redial) = self.redials.pop_front() {
            self.drop_redial(&redial);
        }
    }

    /// An added peer is in its queue all the same.
    fn drop_redial(&mut self, redial: &Redial) {
        if redial.kind == Kind::AddrFetch {
            self.end_fetch(&redial.address, true, false);
        }
    }
}
