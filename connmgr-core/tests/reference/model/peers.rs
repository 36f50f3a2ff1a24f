//! The list of added peers.

use std::ops::Range;
use std::time::Duration;

use connmgr_core::{AddedPeer, Backoff, ConnId, Growth, Keep, PeerAddress, PeerId, PeerView, Time};

use super::clock::Due;
use super::{Model, Stage};

/// The interval between dials of released peers.
const STRIDE: Duration = Duration::from_millis(150);
/// The time within which all of them are dialed.
const WITHIN: Duration = Duration::from_secs(15);

#[derive(Clone, Debug)]
pub(super) struct RPeer {
    pub(super) id: PeerId,
    pub(super) address: PeerAddress,
    pub(super) keep: Keep,
    /// Its misbehavior bans no host.
    pub(super) is_spared: bool,
    /// Failures in a row.
    pub(super) attempt: u32,
    /// The last failure was without an answer.
    pub(super) unanswered: bool,
    pub(super) retry: Option<Backoff>,
    /// Its dial or connection.
    pub(super) busy: Option<ConnId>,
    /// It is not dialed before this.
    pub(super) waits: Option<Due>,
    /// Released in this step: it is dialed at a random time in each of these spans, if that is earlier.
    released: Vec<Range<Time>>,
    /// Its attempt failed, and its retry is not scheduled yet.
    pub(super) owes_retry: bool,
    /// It is wanted, but was found banned: it is dialed again only after a deadline shows the end of the ban.
    pub(super) held_by_ban: bool,
}

impl RPeer {
    pub(super) fn new(id: PeerId, wanted: &AddedPeer) -> Self {
        Self {
            id,
            address: wanted.addresses[0].clone(),
            keep: wanted.keep,
            is_spared: wanted.permissions.no_ban,
            attempt: 0,
            unanswered: false,
            retry: None,
            busy: None,
            waits: None,
            released: Vec::new(),
            owes_retry: false,
            held_by_ban: false,
        }
    }

    /// To be dialed as soon as nothing forbids it.
    pub(super) const fn is_wanted(&self) -> bool {
        self.busy.is_none() && self.waits.is_none() && !self.owes_retry
    }

    /// To be checked now.
    pub(super) fn wake(&mut self) {
        if self.busy.is_none() {
            self.waits = None;
            self.released.clear();
            self.held_by_ban = false;
        }
    }
}

/// The shortest and the longest wait after so many failures in a row.
pub(super) fn wait_bounds(backoff: &Backoff, attempt: u32) -> (Duration, Duration) {
    let mut wait = backoff.base;
    for _ in 1..attempt {
        wait = match backoff.growth {
            Growth::Linear => wait + backoff.base,
            Growth::Exponential => wait * 2,
        };
        wait = wait.min(backoff.cap);
    }
    let wait = wait.min(backoff.cap);
    (if backoff.jitter { wait / 2 } else { wait }, wait)
}

impl Model {
    pub(super) fn peer_mut(&mut self, id: PeerId) -> Option<&mut RPeer> {
        self.peers.iter_mut().find(|peer| peer.id == id)
    }

    /// The dial or connection of an added peer ended, at this stage, with or without an answer.
    pub(super) fn peer_lost(&mut self, conn: &super::RConn, unanswered: bool) {
        let was_stable = conn.stage == Stage::Ready && self.is_long_ago(conn.since, self.config.stable_after);
        let active = self.active;
        let Some(at) = self.peers.iter().position(|peer| peer.busy == Some(conn.id)) else { return };
        let peer = &mut self.peers[at];
        peer.busy = None;
        if was_stable {
            peer.attempt = 0;
        }
        peer.owes_retry = active || peer.keep == Keep::Once;
        if active {
            peer.attempt += 1;
            peer.unanswered = unanswered;
            let counts = peer.keep == Keep::Always;
            self.fruitless_attempts += usize::from(counts);
        }
    }

    /// The peer is to be dialed then.
    pub(super) fn retry_is_said(&mut self, id: PeerId, at: Time, attempt: u32) {
        let now = self.now;
        let default = self.config.retry;
        let Some(peer) = self.peers.iter().find(|peer| peer.id == id).cloned() else {
            return self.hold(false, "a retry of nobody");
        };
        self.hold(peer.owes_retry && peer.keep == Keep::Always, "a retry without a failure");
        self.hold(attempt == peer.attempt, "failures in a row are counted wrongly");
        let (shortest, longest) = wait_bounds(&peer.retry.unwrap_or(default), peer.attempt);
        let tick = Duration::from_millis(1);
        self.hold(at >= now.after(shortest.max(tick)), "a retry too early");
        self.hold(at <= now.after(longest.max(tick)), "a retry too late");
        let due = self.due(at);
        if let Some(peer) = self.peer_mut(id) {
            peer.owes_retry = false;
            peer.waits = Some(due);
        }
    }

    /// An added peer is ready. After as many failures as there are peers this releases all of them, but not more often
    /// than each may be dialed anyway.
    pub(super) fn added_is_ready(&mut self) {
        let (failed, now) = (std::mem::take(&mut self.fruitless_attempts), self.now);
        let may = self.released_at.is_none_or(|last| last.after(self.config.retry.cap) <= now);
        if may && failed >= self.peers.len().max(2) {
            self.released_at = Some(now);
            self.release(|_| true);
        }
    }

    /// The waiting peers of a sort are dialed one after the other, the first now.
    pub(super) fn release(&mut self, sort: impl Fn(&RPeer) -> bool) {
        let now = self.now;
        let mut waiting: Vec<&mut RPeer> =
            self.peers.iter_mut().filter(|peer| peer.waits.is_some() && sort(peer)).collect();
        waiting.sort_by_key(|peer| peer.id);
        let count = u32::try_from(waiting.len()).expect("few");
        for (place, peer) in (0..).zip(waiting) {
            let stride = STRIDE.min(WITHIN / count);
            match place {
                0 => peer.wake(),
                place => peer.released.push(now.after(stride * place)..now.after(stride * (place + 1))),
            }
        }
    }

    /// Reads from the view when the peers released in this step are dialed, and checks it: at a time that their release
    /// allows, and not later than before it.
    pub(super) fn read_releases(&mut self, views: &[PeerView]) {
        let mut peers = std::mem::take(&mut self.peers);
        for peer in peers.iter_mut().filter(|peer| !peer.released.is_empty()) {
            let (Some(before), spans) = (peer.waits, std::mem::take(&mut peer.released)) else { continue };
            let shown = views.iter().find(|view| view.peer == peer.id).and_then(|view| view.next_retry);
            let Some(shown) = shown else { return self.hold(false, "a peer that is released waits for no time") };
            let is_one = shown == before.at || spans.iter().any(|span| span.contains(&shown));
            let is_first = shown <= before.at && spans.iter().all(|span| shown < span.end);
            self.hold(is_one && is_first, &format!("{} is released to {shown}, not {spans:?}", peer.address));
            if shown != before.at {
                peer.waits = Some(self.due(shown));
            }
        }
        self.peers = peers;
    }
}
