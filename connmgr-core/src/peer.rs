//! One added peer: a peer that the operator asked for, and what is being done about it.
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
//! It may leave every state for Queued, and for good. This file knows no rule and no back-off: the manager decides.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::net::IpAddr;

use crate::mechanisms::timers::TimerId;
use crate::mechanisms::turns::Turns;
use crate::types::{Backoff, ConnId, Keep, Obstacle, PeerAddress, PeerId, PeerState, PeerView, Time};

/// One added peer.
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
    /// Its one timer: the retry, or the end of what blocks it.
    timer: Option<TimerId>,
    /// The last attempt got no answer at all: when its network comes back, the peer needs not wait.
    unanswered: bool,
    /// It did not understand the encrypted transport.
    v1_only: bool,
    /// What its name resolved to, still to be tried in this attempt, last first.
    candidates: Vec<IpAddr>,
    /// Which of its name's addresses had their turn; none before its name was looked up.
    turns: Option<Box<Turns>>,
}

impl AddedPeer {
    /// A new peer, to be dialed as soon as there is a slot.
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

    /// It is to be dialed as soon as there is a slot: an attempt begins, and its name is resolved anew.
    pub(crate) fn enqueue(&mut self) {
        self.state = PeerState::Queued;
        self.candidates = Vec::new();
    }

    /// The attempt that is under way goes on as soon as there is a slot.
    pub(crate) fn go_on(&mut self) {
        debug_assert!(matches!(self.state, PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_)));
        self.state = PeerState::Queued;
    }

    /// Something forbids to dial it.
    pub(crate) fn block(&mut self, obstacle: Obstacle) {
        debug_assert!(!matches!(self.state, PeerState::Connected(_)), "a connected peer is not dialed");
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

    /// Its dial has opened: no other address of its name is needed.
    pub(crate) fn connect(&mut self, conn: ConnId) {
        debug_assert_eq!(self.state, PeerState::Dialing(conn));
        self.state = PeerState::Connected(conn);
        self.candidates = Vec::new();
        self.unanswered = false;
    }

    /// A connection that was there already is its own, in place of the one it has, if it has one.
    pub(crate) const fn adopt(&mut self, conn: ConnId) {
        self.state = PeerState::Connected(conn);
    }

    /// Its connection or dial has ended, `stable` for long enough to prove the address good.
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

    /// An attempt has failed, and it waits for the next. Where it counts, the wait grows; the first always counts.
    /// Returns how many have failed in a row.
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

    /// Its name was looked up: those of an answer that are to be tried, in the order in which they are.
    pub(crate) fn order_answer(&mut self, answer: &[IpAddr]) -> Vec<IpAddr> {
        self.turns.get_or_insert_default().order(answer)
    }

    /// What is still to be tried in this attempt, last first.
    pub(crate) fn set_candidates(&mut self, candidates: Vec<IpAddr>) {
        self.candidates = candidates;
    }

    /// The same, to be looked through; it has none until some are set again.
    pub(crate) fn take_candidates(&mut self) -> Vec<IpAddr> {
        core::mem::take(&mut self.candidates)
    }

    /// What is still to be tried, in order.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = IpAddr> {
        self.candidates.iter().rev().copied()
    }

    /// An address of its name has its turn.
    pub(crate) fn take_turn(&mut self, ip: Option<IpAddr>) {
        if let (Some(turns), Some(ip)) = (&mut self.turns, ip) {
            turns.take(ip);
        }
    }

    /// An address is tried out of turn.
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

    /// It does not understand the encrypted transport.
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

    /// Where the deadlines keep its one timer.
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

    /// Hashes what decides the future, but for its id, its timer, and the connection it has.
    pub(crate) fn fingerprint<H: Hasher>(&self, to: &mut H) {
        (&self.address, self.keep, self.attempt, self.unanswered, self.v1_only).hash(to);
        self.retry().map(|retry| (retry.growth as u8, retry.base, retry.cap, retry.jitter)).hash(to);
        (&self.candidates, &self.turns).hash(to);
    }
}
