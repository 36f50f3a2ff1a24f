//! What a world asks of whom it holds: of a subject, which dials and is dialed, and of who looks on at it.
//!
//! A world knows neither the manager nor its checkers. Both are given to it: see [`subject`](crate::subject) and
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

/// What a subject asks of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is a method of `Net`, each field its argument")]
pub enum NetCall {
    Dial { conn: ConnId, target: Target, transport: Transport },
    Abort { conn: ConnId },
    Close { conn: ConnId },
    Resolve { lookup: LookupId, name: HostName, route: Route, deadline: Time },
    PauseAccept { until: Time },
    Save { snapshot: Box<Snapshot> },
}

/// Everything that was asked in one turn, in order.
pub type Outbox = Vec<NetCall>;

/// What is tried in the world: the real manager, or a model of another's.
pub trait Subject: Clone {
    /// Who can look on at it.
    type Watch: Onlooker;

    /// A newborn one.
    ///
    /// # Errors
    /// When its configuration is refused.
    fn born(birth: &Birth, watch: Self::Watch) -> Result<Self, ConfigError>;
    /// Tells or asks anything but dial results and accepts.
    fn apply(&mut self, input: &Input, now: Time, outbox: &mut Outbox) -> Reply;
    /// Reports a dial.
    fn dialed(&mut self, conn: ConnId, result: Result<LinkId, DialError>, now: Time, outbox: &mut Outbox);
    /// Asks whether a stranger may come in.
    ///
    /// # Errors
    /// [`Refusal`] says why not.
    fn accept(&mut self, remote: SocketAddr, link: LinkId, now: Time, outbox: &mut Outbox) -> Result<ConnId, Refusal>;
    /// What it tells its application.
    fn poll_event(&mut self) -> Option<PoolEvent<LinkId>>;
    /// When it wants to be woken.
    fn poll_timeout(&self) -> Option<Time>;
    /// Lets the checkers judge the step that was made.
    ///
    /// # Errors
    /// What was broken.
    fn judge(&mut self, now: Time, thoroughly: bool) -> Result<(), Violation>;
    /// Who watches.
    fn watch(&self) -> &Self::Watch;
    /// Who watches, to take what it wrote.
    fn watch_mut(&mut self) -> &mut Self::Watch;
    /// What it would save if it ended now.
    fn snapshot(&self) -> Snapshot;
    /// Its state folded into a number.
    fn fingerprint(&self, now: Time) -> u128;
}

/// Who looks on at one manager through all runs of its process: checkers, diaries, recorders. It changes nothing.
pub trait Onlooker: Observer + Clone + Default {
    /// A process was born. With `is_checked`, the checkers look on.
    fn born(&mut self, birth: &Birth, is_checked: bool);
    /// Judges the step that was made; with `thoroughly`, everything that can be recounted.
    ///
    /// # Errors
    /// What was broken.
    fn judge(&mut self, now: Time, manager: &ConnManager, thoroughly: bool) -> Result<(), Violation>;
    /// All that was told and asked in this run, folded into a number.
    fn digest(&self) -> u64;
    /// The notable states that were reached in this run; none if no checkers look on.
    fn probes(&self) -> Option<&Probes>;
    /// A process is about to start: who looks on at it. What spans all runs goes along.
    #[must_use]
    fn next_run(&mut self, now: Instant) -> Self;
    /// A process has ended: what spans all runs comes back from who looked on.
    fn run_ended(&mut self, now: Instant, over: Self);
    /// The manager's monotonic clock stood still for so long.
    fn stood_still(&mut self, lasted: Duration);
    /// These addresses belong to adversaries.
    fn beware(&mut self, adversaries: FxHashSet<PeerAddress>);
}

/// Nobody looks on.
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
