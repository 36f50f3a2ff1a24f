//! One added peer, and its states.
//!
//! ```text
//!               ┌──────────── retry is due ───────────┐
//!               ▼                                     │
//!   add ────► Queued ──► Resolving ──► Dialing ──► Waiting
//!              ▲  │        (name)       │    ▲        ▲
//!              │  ▼                     ▼    │        │
//!            Blocked                 Connected ───────┘
//! ```
//!
//! Every state may be left for Queued, and by removal. A probe dials a Waiting or Blocked peer without queueing it.
//! Queued, Resolving and Dialing name the newest step of an [attempt](crate::attempt); silent dials may go on beside it.
//! This file knows no rules and no back-off: the manager decides.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use crate::attempt::{Attempt, Failure};
use crate::mechanisms::timers::TimerId;
use crate::mechanisms::turns::{Candidate, Turns};
use crate::types::{
    AddedPeer, Backoff, ConnId, Identity, Keep, LookupId, Obstacle, PeerAddress, PeerId, PeerState, PeerView,
    Permissions, Time,
};

/// A peer added by the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    id: PeerId,
    addresses: Box<[PeerAddress]>,
    keep: Keep,
    permissions: Permissions,
    /// What few peers have.
    extras: Option<Box<Extras>>,
    state: PeerState,
    /// Failed attempts in a row.
    failures: u32,
    /// The timer of its next attempt, or of its next look at what blocks it.
    timer: Option<TimerId>,
    /// The last attempt got no answer: if its network recovers, the peer need not wait.
    unanswered: bool,
    /// It does not speak the encrypted transport.
    v1_only: bool,
    /// The attempt under way. An attempt at a single address needs no notes: its state says all.
    attempt: Option<Box<Attempt>>,
    /// Which of its addresses were tried; `None` while it never had more than one.
    turns: Option<Box<Turns>>,
}

/// What few added peers have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Extras {
    identity: Option<Identity>,
    retry: Option<Backoff>,
    tag: Option<u64>,
}

impl Peer {
    /// A new peer, to be dialed as soon as a slot is free.
    pub(crate) fn new(id: PeerId, wanted: AddedPeer) -> Self {
        let AddedPeer { addresses, keep, identity, permissions, retry, tag } = wanted;
        let extras = Extras { identity, retry, tag };
        Self {
            id,
            addresses: addresses.into_boxed_slice(),
            keep,
            permissions,
            extras: (extras != Extras::default()).then(|| Box::new(extras)),
            state: PeerState::Queued,
            failures: 0,
            timer: None,
            unanswered: false,
            v1_only: false,
            attempt: None,
            turns: None,
        }
    }

    // ── transitions

    /// Waits for a slot, to begin an attempt. Nothing of an earlier one may be under way.
    pub(crate) fn enqueue(&mut self) {
        debug_assert!(self.dials().is_empty(), "a dial would be forgotten");
        self.state = PeerState::Queued;
        self.attempt = None;
    }

    /// Waits for a slot, to continue its attempt.
    pub(crate) fn go_on(&mut self) {
        debug_assert!(self.is_trying(), "only an attempt under way goes on");
        self.state = PeerState::Queued;
    }

    /// It is its turn: begins an attempt at its addresses, unless one is under way.
    #[inline]
    pub(crate) fn begin_attempt(&mut self) {
        debug_assert_eq!(self.state, PeerState::Queued);
        if self.attempt.is_none() && !self.has_one_address() {
            let all = self.addresses.iter().enumerate();
            let all = all.map(|(of, address)| Candidate { of, address: address.clone() }).collect();
            let ordered = self.order(all);
            self.attempt = Some(Box::new(Attempt::new(ordered)));
        }
    }

    /// A rule forbids every address that its attempt has left.
    pub(crate) fn block(&mut self, obstacle: Obstacle) {
        debug_assert!(self.is_trying() && self.dials().is_empty(), "a dial would be forgotten");
        self.state = PeerState::Blocked(obstacle);
    }

    /// A name of it is being looked up.
    pub(crate) fn resolve(&mut self, lookup: LookupId, name: Candidate) {
        debug_assert_eq!(self.state, PeerState::Queued);
        self.take_turn(&name);
        self.state = PeerState::Resolving;
        self.attempt.get_or_insert_default().resolve(lookup, name);
    }

    /// It is being dialed at this address, which is for this one of its list, perhaps beside silent dials of the same
    /// attempt.
    #[inline]
    pub(crate) fn dial(&mut self, conn: ConnId, of: usize, address: &PeerAddress) {
        debug_assert!(!matches!(self.state, PeerState::Resolving | PeerState::Connected(_)), "it has a step under way");
        self.state = PeerState::Dialing(conn);
        if !self.has_one_address() {
            let at = Candidate { of, address: address.clone() };
            self.take_turn(&at);
            self.attempt.get_or_insert_default().dial(conn, &at);
        }
    }

    /// Nothing is left to try: waits for the dials under way. Returns false if there are none.
    pub(crate) fn wait_for_dials(&mut self) -> bool {
        debug_assert!(self.is_trying(), "only an attempt under way waits");
        let last = self.dials().last().copied();
        if let Some(conn) = last {
            self.state = PeerState::Dialing(conn);
        }
        last.is_some()
    }

    /// A dial has opened, the only one left of its attempt.
    #[inline]
    pub(crate) fn connect(&mut self, conn: ConnId) {
        debug_assert_eq!(self.dials(), [conn], "the others were given up");
        if let Some(attempt) = &mut self.attempt {
            attempt.end_dial(conn);
        }
        self.state = PeerState::Connected(conn);
        self.unanswered = false;
    }

    /// An existing connection becomes its own, in place of the one it may have.
    pub(crate) fn adopt(&mut self, conn: ConnId) {
        debug_assert!(self.dials().is_empty(), "a dial would be forgotten");
        self.state = PeerState::Connected(conn);
        self.attempt = None;
    }

    /// A dial or connection of it has ended. The manager says what follows.
    #[inline]
    pub(crate) fn end_dial(&mut self, conn: ConnId) {
        match &mut self.attempt {
            Some(attempt) => attempt.end_dial(conn),
            None if self.state == PeerState::Dialing(conn) => self.state = PeerState::Waiting,
            None => {}
        }
    }

    /// Its connection, made at this address, was stable: its back-off starts over, and the address is the first of the
    /// next attempt.
    pub(crate) fn serve(&mut self, at: Option<Candidate>) {
        self.failures = 0;
        if let Some(at) = at {
            self.begin_next_with(at);
        }
    }

    /// The peer is at this address: it is the first of the next attempt.
    pub(crate) fn begin_next_with(&mut self, at: Candidate) {
        if let Some(turns) = &mut self.turns {
            turns.serve(at);
        }
    }

    /// The attempt has failed; the peer waits for the next. If `counts` is set the wait grows; the first failure always
    /// counts. Returns the number of failures in a row.
    #[inline]
    pub(crate) fn wait(&mut self, unanswered: bool, counts: bool) -> u32 {
        debug_assert!(self.dials().is_empty(), "a dial would be forgotten");
        self.attempt = None;
        self.unanswered = unanswered;
        if counts || self.failures == 0 {
            self.failures = self.failures.saturating_add(1);
        }
        self.state = PeerState::Waiting;
        self.failures
    }

    const fn is_trying(&self) -> bool {
        match self.state {
            PeerState::Queued | PeerState::Resolving | PeerState::Dialing(_) | PeerState::Connected(_) => true,
            PeerState::Waiting | PeerState::Blocked(_) => false,
        }
    }

    // ── its attempt

    /// Whether it has a single address, which is no name: an attempt is one dial.
    pub(crate) fn has_one_address(&self) -> bool {
        matches!(&*self.addresses, [only] if only.name().is_none())
    }

    /// The dials of its attempt, the newest last.
    pub(crate) fn dials(&self) -> &[ConnId] {
        match (&self.attempt, &self.state) {
            (Some(attempt), _) => attempt.dials(),
            (None, PeerState::Dialing(conn)) => core::slice::from_ref(conn),
            (None, _) => &[],
        }
    }

    /// Whether this dial or connection is its own.
    pub(crate) fn claims(&self, conn: ConnId) -> bool {
        self.state == PeerState::Connected(conn) || self.dials().contains(&conn)
    }

    /// The addresses that its attempt has not tried yet, the next one first.
    pub(crate) fn to_try(&self) -> impl Iterator<Item = Candidate> {
        let is_untried = matches!(self.state, PeerState::Queued | PeerState::Blocked(_)) && self.has_one_address();
        let only = self.addresses.first().filter(|_| is_untried);
        let only = only.map(|address| Candidate { of: 0, address: address.clone() });
        self.attempt.iter().flat_map(|attempt| attempt.to_try().cloned()).chain(only)
    }

    /// Stores the answer to the lookup of one of its names: these are tried next.
    pub(crate) fn use_answer(&mut self, answer: Vec<Candidate>) {
        let ordered = self.order(answer);
        if let Some(attempt) = &mut self.attempt {
            attempt.try_next(ordered);
        }
    }

    /// This address, too, may be tried again before the attempt fails, after all the others.
    pub(crate) fn try_last(&mut self, candidate: Candidate) {
        if let Some(attempt) = &mut self.attempt {
            attempt.try_last(candidate);
        }
    }

    /// The lookup of its name, if there is one.
    pub(crate) fn lookup(&self) -> Option<LookupId> {
        self.attempt.as_ref().and_then(|attempt| attempt.lookup())
    }

    /// Ends the lookup of its name. Returns the name.
    pub(crate) fn end_lookup(&mut self) -> Option<Candidate> {
        self.attempt.as_mut().and_then(|attempt| attempt.end_lookup())
    }

    /// A step of its attempt has failed.
    pub(crate) fn record_failure(&mut self, failure: Failure) {
        if let Some(attempt) = &mut self.attempt {
            attempt.record_failure(failure);
        }
    }

    /// How its attempt last failed; `None` if nothing was tried.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.attempt.as_ref().and_then(|attempt| attempt.failure())
    }

    /// The order in which to try these.
    fn order(&mut self, candidates: Vec<Candidate>) -> Vec<Candidate> {
        match &mut self.turns {
            None if candidates.len() < 2 => candidates,
            turns => turns.get_or_insert_default().order(candidates),
        }
    }

    fn take_turn(&mut self, candidate: &Candidate) {
        if let Some(turns) = &mut self.turns {
            turns.take(candidate);
        }
    }

    // ── what is known of it

    pub(crate) const fn id(&self) -> PeerId {
        self.id
    }

    pub(crate) const fn addresses(&self) -> &[PeerAddress] {
        &self.addresses
    }

    pub(crate) const fn keep(&self) -> Keep {
        self.keep
    }

    pub(crate) fn identity(&self) -> Option<Identity> {
        self.extras.as_ref().and_then(|extras| extras.identity)
    }

    /// Whether its misbehavior closes its connection and bans no host.
    pub(crate) const fn is_spared(&self) -> bool {
        self.permissions.no_ban
    }

    pub(crate) fn tag(&self) -> Option<u64> {
        self.extras.as_ref().and_then(|extras| extras.tag)
    }

    pub(crate) const fn state(&self) -> PeerState {
        self.state
    }

    /// Whether it waits for its turn.
    pub(crate) const fn is_queued(&self) -> bool {
        matches!(self.state, PeerState::Queued)
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
    pub(crate) fn retry(&self) -> Option<Backoff> {
        self.extras.as_ref().and_then(|extras| extras.retry)
    }

    pub(crate) fn set_retry(&mut self, retry: Option<Backoff>) {
        self.extras = Some(Box::new(Extras { retry, ..self.extras() }));
    }

    fn extras(&self) -> Extras {
        self.extras.as_deref().copied().unwrap_or_default()
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
            addresses: self.addresses.to_vec(),
            keep: self.keep,
            identity: self.identity(),
            tag: self.tag(),
            state: self.state,
            attempt: self.failures,
            next_retry,
        }
    }

    /// Hashes what decides its future, except its id, timer and connections.
    pub(crate) fn fingerprint<H: Hasher>(&self, to: &mut H) {
        let Extras { identity, retry, tag: _ } = self.extras();
        (&self.addresses, self.keep, identity, self.permissions.no_ban).hash(to);
        (self.failures, self.unanswered, self.v1_only).hash(to);
        retry.map(|retry| (retry.growth as u8, retry.base, retry.cap, retry.jitter)).hash(to);
        self.turns.hash(to);
        if let Some(attempt) = &self.attempt {
            attempt.fingerprint(to);
        }
    }
}
