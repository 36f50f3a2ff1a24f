//! The step being judged: one input and the actions that it caused.

use connmgr_core::{
    CloseCause, ConnId, DialError, Input, ListenerId, LookupId, NetworkKind, PeerId, PeerInfo, Penalty, Reply, Time,
};
use core::time::Duration;

/// The shortest time to any deadline (contract 4).
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// What the input was, as far as rules ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nothing was told yet.
    Birth,
    Timeout,
    DialResult(ConnId, Result<(), DialError>),
    Ready(ConnId, PeerInfo),
    Closed(ConnId, CloseCause),
    LookupResult(LookupId),
    Misbehavior(ConnId, Penalty),
    AcceptError(ListenerId),
    NetworkChanged,
    OwnAddress,
    Accept,
    AddPeer,
    RemovePeer(PeerId),
    Disconnect(ConnId),
    Reconnect(ConnId),
    DialNow(PeerId),
    Ban(Duration),
    Unban,
    SetActive(bool),
    SetLimits,
    Shutdown,
    /// A command that was refused.
    Refused,
    /// Anything that no rule asks about.
    Other,
}

impl Cause {
    fn of(input: &Input, reply: &Reply) -> Self {
        if matches!(reply, Reply::Done(Err(_))) {
            return Self::Refused;
        }
        match input {
            Input::Timeout => Self::Timeout,
            Input::DialResult { conn, result } => Self::DialResult(*conn, *result),
            Input::Ready { conn, info } => Self::Ready(*conn, *info),
            Input::Closed { conn, cause } => Self::Closed(*conn, *cause),
            Input::LookupResult { lookup, .. } => Self::LookupResult(*lookup),
            Input::Misbehavior { conn, penalty } => Self::Misbehavior(*conn, *penalty),
            Input::AcceptError { listener } => Self::AcceptError(*listener),
            Input::NetworkChanged => Self::NetworkChanged,
            Input::OwnAddress { .. } => Self::OwnAddress,
            Input::Accept { .. } => Self::Accept,
            Input::AddPeer { .. } => Self::AddPeer,
            Input::RemovePeer { peer } => Self::RemovePeer(*peer),
            Input::Disconnect { conn } => Self::Disconnect(*conn),
            Input::Reconnect { conn } => Self::Reconnect(*conn),
            Input::DialNow { peer } => Self::DialNow(*peer),
            Input::Ban { duration, .. } => Self::Ban(*duration),
            Input::Unban { .. } => Self::Unban,
            Input::SetActive { active } => Self::SetActive(*active),
            Input::SetLimits { .. } => Self::SetLimits,
            Input::Shutdown => Self::Shutdown,
            Input::Clock { .. }
            | Input::Addresses { .. }
            | Input::Activity { .. }
            | Input::SetRetry { .. }
            | Input::ResetScore { .. }
            | Input::SampleAddresses { .. } => Self::Other,
        }
    }
}

/// The step being judged.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The latest time told.
    pub(crate) now: Time,
    /// What the input was.
    pub(crate) cause: Cause,
    /// How many actions came of it.
    pub(crate) actions: u32,
    /// The dials among them.
    pub(crate) dials: Vec<ConnId>,
    /// Who became ready, once the step is over.
    pub(crate) made_ready: Option<ConnId>,
    /// Once the step is over: what had no slot has made progress, and taken one.
    pub(crate) took_slot: bool,
    /// A handshake gave its slot away.
    pub(crate) stalled: bool,
    /// Dials into a network have slowed down for certain.
    pub(crate) slowed: bool,
    /// They may go at full speed again.
    pub(crate) restored: bool,
    /// The first automatic dial that came sooner than its network's pace allows.
    pub(crate) too_fast: Option<(ConnId, NetworkKind)>,
    /// What `poll_timeout` said before; none while that is not known (before the first step is over).
    pub(crate) due_before: Option<Option<Time>>,
    /// What it says after. Meaningful once all actions have been seen.
    pub(crate) due: Option<Time>,
    /// When the last timeout was that was due.
    pub(crate) last_due: Option<Time>,
}

impl Step {
    pub(crate) const fn new(now: Time) -> Self {
        Self {
            now,
            cause: Cause::Birth,
            actions: 0,
            dials: Vec::new(),
            made_ready: None,
            took_slot: false,
            stalled: false,
            slowed: false,
            restored: false,
            too_fast: None,
            due_before: None,
            due: None,
            last_due: None,
        }
    }

    /// An input begins a new step.
    pub(crate) fn begin(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.now = self.now.max(now);
        self.cause = Cause::of(input, reply);
        self.actions = 0;
        self.dials.clear();
        self.made_ready = None;
        (self.took_slot, self.stalled, self.slowed, self.restored) = (false, false, false, false);
        self.too_fast = None;
        if self.is_due_timeout() {
            self.last_due = Some(self.now);
        }
    }

    /// All actions were seen; this is the deadline that follows.
    pub(crate) const fn end(&mut self, due: Option<Time>) {
        self.due = due;
    }

    /// The next step begins where this one ended.
    pub(crate) const fn close(&mut self) {
        self.due_before = Some(self.due);
    }

    /// Whether it is a timeout that was due. Before the first step is over nobody knows; then it counts as due.
    pub(crate) fn is_due_timeout(&self) -> bool {
        self.cause == Cause::Timeout && self.due_before.is_none_or(|due| due.is_some_and(|due| due <= self.now))
    }

    /// Whether it is a timeout that came before the deadline.
    pub(crate) fn is_early_timeout(&self) -> bool {
        self.cause == Cause::Timeout && !self.is_due_timeout()
    }

    /// Whether nothing was left to be done when the step began.
    pub(crate) fn is_calm(&self) -> bool {
        self.due_before.is_some_and(|due| due.is_none_or(|due| due > self.now.after(TICK)))
    }

    /// Whether no deadline can follow: then none is missing, whatever goes on.
    pub(crate) fn is_end_of_time(&self) -> bool {
        self.now.after(TICK) == Time::MAX
    }

    /// Whether nothing was left to be done a tick later. Where work is cut short by `max_actions_per_input`, and
    /// where due work was not asked for yet, the next deadline is at most a tick away: what a step must bring about
    /// may then still be coming; at the end of time for ever, for nothing is due any more.
    pub(crate) fn is_settled(&self) -> bool {
        !self.is_end_of_time() && self.due.is_none_or(|due| due > self.now.after(TICK))
    }
}

/// Whether a command was carried out.
pub(crate) const fn is_done(reply: &Reply) -> bool {
    matches!(reply, Reply::Done(Ok(())))
}
