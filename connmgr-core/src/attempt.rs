//! One attempt at an added peer: what it may still try, what is under way, and how it failed.
//!
//! An attempt ends when a connection is ready, or when everything it could try has failed. This file knows no rules: the
//! manager decides what is tried, and when.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use crate::mechanisms::turns::Candidate;
use crate::types::{ConnId, LookupId, NetworkKind};

/// How many addresses an attempt tries in all. The next attempt begins with those not tried yet; a peer with
/// [`Keep::Once`](crate::Keep::Once) has only these.
pub(crate) const MAX_CANDIDATES: usize = 16;

/// One attempt at an added peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// What it has not tried yet, the next one last. What a rule forbids stays until the attempt ends.
    to_try: Vec<Candidate>,
    /// Its dials that have not opened, the newest last.
    dials: Vec<ConnId>,
    /// The name that is being looked up.
    resolving: Option<(LookupId, Candidate)>,
    failure: Option<Failure>,
}

/// How a step of an attempt failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Failure {
    /// Nothing answered.
    pub(crate) unanswered: bool,
    /// Where the dial went, if that network can be down.
    pub(crate) network: Option<NetworkKind>,
}

impl Attempt {
    /// An attempt at these, the first one first.
    pub(crate) fn new(mut candidates: Vec<Candidate>) -> Self {
        candidates.reverse();
        Self { to_try: candidates, dials: Vec::new(), resolving: None, failure: None }
    }

    /// What it has not tried yet, the next one first.
    pub(crate) fn to_try(&self) -> impl DoubleEndedIterator<Item = &Candidate> {
        self.to_try.iter().rev()
    }

    /// Tries these next, the first one first.
    pub(crate) fn try_next(&mut self, mut candidates: Vec<Candidate>) {
        candidates.truncate(MAX_CANDIDATES.saturating_sub(self.to_try.len()));
        candidates.reverse();
        self.to_try.append(&mut candidates);
    }

    /// Tries this one after all the others.
    pub(crate) fn try_last(&mut self, candidate: Candidate) {
        self.to_try.insert(0, candidate);
    }

    /// A dial begins.
    pub(crate) fn dial(&mut self, conn: ConnId, at: &Candidate) {
        debug_assert!(self.resolving.is_none() && !self.dials.contains(&conn), "one step is under way at a time");
        self.to_try.retain(|other| other != at);
        self.dials.push(conn);
    }

    /// A dial has opened or ended.
    pub(crate) fn end_dial(&mut self, conn: ConnId) {
        self.dials.retain(|other| *other != conn);
    }

    /// Its dials that have not opened, the newest last.
    pub(crate) fn dials(&self) -> &[ConnId] {
        &self.dials
    }

    /// A lookup begins.
    pub(crate) fn resolve(&mut self, lookup: LookupId, name: Candidate) {
        debug_assert!(self.resolving.is_none(), "an attempt has one lookup at a time");
        self.to_try.retain(|other| *other != name);
        self.resolving = Some((lookup, name));
    }

    /// The lookup under way.
    pub(crate) fn lookup(&self) -> Option<LookupId> {
        self.resolving.as_ref().map(|(lookup, _)| *lookup)
    }

    /// The lookup has ended. Returns the name.
    pub(crate) fn end_lookup(&mut self) -> Option<Candidate> {
        self.resolving.take().map(|(_, name)| name)
    }

    /// A step has failed.
    pub(crate) const fn record_failure(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }

    /// How the last step failed; `None` if none did.
    pub(crate) const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Hashes what decides its future, except the ids of its dials and its lookup.
    pub(crate) fn fingerprint<H: Hasher>(&self, to: &mut H) {
        (&self.to_try, self.resolving.as_ref().map(|(_, name)| name), self.failure).hash(to);
    }
}
