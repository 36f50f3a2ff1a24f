//! The traits of what a world holds: a subject, which dials and is dialed, and its onlooker.
//!
//! The world itself knows neither the manager nor its checkers; see [`subject`](crate::subject) and
//! [`watch`](crate::watch).

use std::net::SocketAddr;
use std::time::Duration;

use connmgr_check::{Probes, Violation};
use connmgr_core::driver::{Observer, PoolEvent};
use connmgr_core::{
    Birth, ConfigError, ConnId, ConnManager, DialError, HostName, Input, LookupId, PeerAddress, Refusal, Reply, Route,
    Snapshot, Target, Time, Transport,
};
use rustc_hash::FxHashSet;

use super::links::LinkId;
use crate::types::Instant;

/// A call of `Net` that a subject made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is a method of `Net`, each field its argument")]
pub enum NetCall {
    Dial { conn: ConnId, target: Target, transport: Transport },
    Abort { conn: ConnId },
    Close { conn: ConnId },
    Resolve { lookup: LookupId, name: HostName, route: Route, deadline: Time },
    PauseAccept { until: Time },
    Save,
}

/// All calls of one turn, in order.
pub type Outbox = Vec<NetCall>;

/// What is tested in a world: the real manager, or a model of another one.
pub trait Subject: Clone {
    /// Its onlooker.
    type Watch: Onlooker;

    /// Creates one.
    ///
    /// # Errors
    /// When its configuration is refused.
    fn born(birth: &Birth, watch: Self::Watch) -> Result<Self, ConfigError>;
    /// Tells or asks anything but dial results and accepts.
    fn apply(&mut self, input: &Input, now: Time, outbox: &mut Outbox) -> Reply;
    /// Reports a dial.
    fn dialed(&mut self, conn: ConnId, result: Result<LinkId, DialError>, now: Time, outbox: &mut Outbox);
    /// Asks whether an inbound connection may stay.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    fn accept(&mut self, remote: SocketAddr, link: LinkId, now: Time, outbox: &mut Outbox) -> Result<ConnId, Refusal>;
    /// The next event for its application.
    fn poll_event(&mut self) -> Option<PoolEvent<LinkId>>;
    /// When it wants to be woken.
    fn poll_timeout(&self) -> Option<Time>;
    /// Lets the checkers check the step that was made.
    ///
    /// # Errors
    /// What was broken.
    fn judge(&mut self, now: Time, thoroughly: bool) -> Result<(), Violation>;
    /// The onlooker.
    fn watch(&self) -> &Self::Watch;
    /// The onlooker, to change.
    fn watch_mut(&mut self) -> &mut Self::Watch;
    /// What it would save now.
    fn snapshot(&self) -> Snapshot;
    /// A digest of its state.
    fn fingerprint(&self, now: Time) -> u128;
}

/// Sees what one manager is told and does, through all runs of its process: checkers, diaries, recorders. It changes
/// nothing.
pub trait Onlooker: Observer + Clone + Default {
    /// A process starts with this birth. `is_checked`: with checkers.
    fn born(&mut self, birth: &Birth, is_checked: bool);
    /// Checks the last step; with `thoroughly`, recounts everything.
    ///
    /// # Errors
    /// What was broken.
    fn judge(&mut self, now: Time, manager: &ConnManager, thoroughly: bool) -> Result<(), Violation>;
    /// A digest of all inputs and actions of this run.
    fn digest(&self) -> u64;
    /// The probes reached in this run; `None` without checkers.
    fn probes(&self) -> Option<&Probes>;
    /// The onlooker of a process that is about to start. What spans all runs moves to it.
    #[must_use]
    fn next_run(&mut self, now: Instant) -> Self;
    /// A process has ended: takes back from its onlooker what spans all runs.
    fn run_ended(&mut self, now: Instant, over: Self);
    /// The manager's monotonic clock stood still for so long.
    fn stood_still(&mut self, lasted: Duration);
    /// These addresses belong to adversaries.
    fn beware(&mut self, adversaries: FxHashSet<PeerAddress>);
}

/// No onlooker.
impl Onlooker for () {
    fn born(&mut self, _: &Birth, _: bool) {}

    fn judge(&mut self, _: Time, _: &ConnManager, _: bool) -> Result<(), Violation> {
        Ok(())
    }

    fn digest(&self) -> u64 {
        0
    }

    fn probes(&self) -> Option<&Probes> {
        None
    }

    fn next_run(&mut self, _: Instant) -> Self {}
    fn run_ended(&mut self, _: Instant, (): Self) {}
    fn stood_still(&mut self, _: Duration) {}
    fn beware(&mut self, _: FxHashSet<PeerAddress>) {}
}
