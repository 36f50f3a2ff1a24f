//! One added peer, and its states.
//!
//! ```text
//!               ┌──────────── retry is due ───────────┐
//!               ▼                                     │
//!   add ────► Queued ──► Resolving ──► Dialing ──► Waiting
//!              ▲  │           (names)   │    ▲        ▲
//!              │  ▼                     ▼    │        │
//!            Blocked                 Connected ───────┘
//! ```
//!
//! Every state may be left for Queued, and by removal. A probe dials a Waiting or Blocked peer without queueing it. This
//! file knows no rules and no back-off: the manager decides.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::net::IpAddr;

use crate::mechanisms::timers::TimerId;
use crate::mechanisms::turns::Turns;
use crate::types::{Backoff, ConnId, Keep, Obstacle, PeerAddress, PeerId, PeerState, PeerView, Time};

/// A peer added by the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AddedPeer {
    id: PeerId,
    address: PeerAddress,
    keep: Keep,
    state: PeerState,
    /// Its own back-off, if it has one.
    retry: Option<Box<Backoff>>,
    /// Failed attempts in a row.
    attempt: u32,
    /// The timer of its next attempt, or of the end of its ban.
    timer: Option<TimerId>,
    /// The last attempt got no answer: if its network recovers, the peer need not wait.
    unanswered: bool,
    /// It does not speak the encrypted transport.
    v1_only: bool,
    /// The addresses of its name that this attempt has not tried yet, the next one last.
    candidates: Vec<IpAddr>,
    /// Which addresses of its name were tried; `None` until the name is first looked up.
    turns: Option<Box<Turns>>,
}

impl AddedPeer {
    /// A new peer, to be dialed as soon as a slot is free.
    pub(crate) const fn new(id: PeerId, address: PeerAddress, keep: Keep) -> Self {
        Self {
            id,
            address,
            keep,
            state: PeerState::Queued,
            retry: None,
            attempt: 0,
            timer: None,
            unanswered: false,
            v1_only: false,
            candidates: Vec::new(),
            turns: None,
        }
    }

    // ── transitions

    /// Begins an attempt as soon as a slot is free. Its name is resolved again.
    pub(crate) fn enqueue(&mut self) {
        self.state = PeerState::Queued;
        self.candidates = Vec::new();
    }

    /// Continues the current attempt as soon as a slot is free.
    pub(crate) fn go_on(&mut self) {
        debug_assert!(matches!(self.state, PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_)));
        self.state = PeerState::Queued;
    }

    /// It is its turn, and a rule forbids dialing it.
    pub(crate) fn block(&mut self, obstacle: Obstacle) {
        debug_assert_eq!(self.state, PeerState::Queued, "only the planner finds an obstacle");
        self.state = PeerState::Blocked(obstacle);
    }

    /// Its name is being looked up.
    pub(crate) fn resolve(&mut self) {
        debug_assert_eq!(self.state, PeerState::Queued);
        self.state = PeerState::Resolving;
    }

    /// It is being dialed.
    pub(crate) fn dial(&mut self, conn: ConnId) {
        debug_assert!(!matches!(self.state, PeerState::Dialing(_) | PeerState::Connected(_)), "one dial at a time");
        self.state = PeerState::Dialing(conn);
    }

    /// Its dial has opened. The other addresses of its name may still be needed, if the peer is never ready.
    pub(crate) fn connect(&mut self, conn: ConnId) {
        debug_assert_eq!(self.state, PeerState::Dialing(conn));
        self.state = PeerState::Connected(conn);
        self.unanswered = false;
    }

    /// An existing connection becomes its own, in place of the one it may have.
    pub(crate) const fn adopt(&mut self, conn: ConnId) {
        self.state = PeerState::Connected(conn);
    }

    /// Its connection or dial has ended; `stable` if it was ready for `stable_after`. `dialed` is its IP address, if it
    /// has one.
    pub(crate) fn lose(&mut self, stable: bool, dialed: Option<IpAddr>) {
        debug_assert!(matches!(self.state, PeerState::Dialing(_) | PeerState::Connected(_)));
        self.candidates = Vec::new();
        if !stable {
            return;
        }
        self.attempt = 0;
        if let (Some(turns), Some(ip)) = (&mut self.turns, dialed) {
            turns.give_back(ip);
        }
    }

    /// The attempt has failed; the peer waits for the next. If `counts` is set the wait grows; the first failure always
    /// counts. Returns the number of failures in a row.
    pub(crate) fn wait(&mut self, unanswered: bool, counts: bool) -> u32 {
        debug_assert!(matches!(self.state, PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_)));
        self.unanswered = unanswered;
        if counts || self.attempt == 0 {
            self.attempt = self.attempt.saturating_add(1);
        }
        self.state = PeerState::Waiting;
        self.attempt
    }

    // ── the addresses of its name

    /// Puts the addresses of its name in the order in which to try them.
    pub(crate) fn order_answer(&mut self, answer: &[IpAddr]) -> Vec<IpAddr> {
        self.turns.get_or_insert_default().order(answer)
    }

    /// Stores the addresses that this attempt still tries, the next one last.
    pub(crate) fn set_candidates(&mut self, candidates: Vec<IpAddr>) {
        self.candidates = candidates;
    }

    /// Takes the remaining addresses out.
    pub(crate) fn take_candidates(&mut self) -> Vec<IpAddr> {
        core::mem::take(&mut self.candidates)
    }

    /// The remaining addresses, in the order in which they are tried.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = IpAddr> {
        self.candidates.iter().rev().copied()
    }

    /// An address of its name is tried.
    pub(crate) fn take_turn(&mut self, ip: Option<IpAddr>) {
        if let (Some(turns), Some(ip)) = (&mut self.turns, ip) {
            turns.take(ip);
        }
    }

    /// An address is tried out of order.
    pub(crate) fn drop_candidate(&mut self, ip: Option<IpAddr>) {
        self.candidates.retain(|other| Some(*other) != ip);
    }

    // ── what is known of it

    pub(crate) const fn id(&self) -> PeerId {
        self.id
    }

    pub(crate) const fn address(&self) -> &PeerAddress {
        &self.address
    }

    pub(crate) const fn keep(&self) -> Keep {
        self.keep
    }

    pub(crate) const fn state(&self) -> PeerState {
        self.state
    }

    /// Whether an outage, or what looked like one, holds it up.
    pub(crate) fn is_held_up(&self) -> bool {
        match self.state {
            PeerState::Blocked(obstacle) => obstacle == Obstacle::NetworkDown,
            PeerState::Waiting => self.unanswered,
            PeerState::Queued | PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_) => false,
        }
    }

    pub(crate) const fn is_v1_only(&self) -> bool {
        self.v1_only
    }

    /// It does not speak the encrypted transport.
    pub(crate) const fn set_v1_only(&mut self) {
        self.v1_only = true;
    }

    /// Its own back-off, if it has one.
    pub(crate) fn retry(&self) -> Option<&Backoff> {
        self.retry.as_deref()
    }

    pub(crate) fn set_retry(&mut self, retry: Option<Backoff>) {
        self.retry = retry.map(Box::new);
    }

    pub(crate) const fn timer(&self) -> Option<TimerId> {
        self.timer
    }

    /// Where its timer's id is kept.
    pub(crate) const fn timer_mut(&mut self) -> &mut Option<TimerId> {
        &mut self.timer
    }

    pub(crate) fn view(&self, next_retry: Option<Time>) -> PeerView {
        PeerView {
            peer: self.id,
            address: self.address.clone(),
            keep: self.keep,
            state: self.state,
            attempt: self.attempt,
            next_retry,
        }
    }

    /// Hashes what decides its future, except its id, timer and connection.
    pub(crate) fn fingerprint<H: Hasher>(&self, to: &mut H) {
        (&self.address, self.keep, self.attempt, self.unanswered, self.v1_only).hash(to);
        self.retry().map(|retry| (retry.growth as u8, retry.base, retry.cap, retry.jitter)).hash(to);
        (&self.candidates, &self.turns).hash(to);
    }
}
