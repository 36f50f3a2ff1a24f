//! The step being checked: one input and the actions that it caused.

use connmgr_core::{
    Action, CloseCause, ConnId, DialError, Event, Input, ListenerId, LookupId, NetworkKind, PeerId, PeerInfo, Penalty,
    Reply, Time,
};
use core::time::Duration;

use super::concern::Concern;

/// The shortest time to any deadline (contract 4).
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// What the input was, as far as a rule asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepCause {
    /// There was no input yet.
    Birth,
    Timeout,
    DialResult(ConnId, Result<(), DialError>),
    Ready(ConnId, PeerInfo),
    Closed(ConnId, CloseCause),
    Dropped(ConnId),
    LookupResult(LookupId),
    Misbehavior(ConnId, Penalty),
    AcceptError(ListenerId),
    NetworkChanged,
    OwnAddress,
    AddPeer,
    RemovePeer(PeerId),
    Disconnect(ConnId),
    Reconnect(ConnId),
    DialNow(PeerId),
    Ban(Duration),
    Unban,
    SetActive(bool),
    /// A command that was refused.
    Refused,
    /// An input that no rule asks about.
    Other,
}

impl StepCause {
    fn of(input: &Input, reply: &Reply) -> Self {
        if matches!(reply, Reply::Done(Err(_))) {
            return Self::Refused;
        }
        match input {
            Input::Timeout => Self::Timeout,
            Input::DialResult { conn, result } => Self::DialResult(*conn, *result),
            Input::Ready { conn, info } => Self::Ready(*conn, *info),
            Input::Closed { conn, cause } => Self::Closed(*conn, *cause),
            Input::Dropped { conn } => Self::Dropped(*conn),
            Input::LookupResult { lookup, .. } => Self::LookupResult(*lookup),
            Input::Misbehavior { conn, penalty } => Self::Misbehavior(*conn, *penalty),
            Input::AcceptError { listener } => Self::AcceptError(*listener),
            Input::NetworkChanged => Self::NetworkChanged,
            Input::OwnAddress { .. } => Self::OwnAddress,
            Input::AddPeer { .. } => Self::AddPeer,
            Input::RemovePeer { peer } => Self::RemovePeer(*peer),
            Input::Disconnect { conn } => Self::Disconnect(*conn),
            Input::Reconnect { conn } => Self::Reconnect(*conn),
            Input::DialNow { peer } => Self::DialNow(*peer),
            Input::Ban { duration, .. } => Self::Ban(*duration),
            Input::Unban { .. } => Self::Unban,
            Input::SetActive { active } => Self::SetActive(*active),
            // A new input is named here once a rule asks about it.
            _ => Self::Other,
        }
    }
}

/// The step being checked.
#[derive(Clone, Debug)]
pub(crate) struct StepRecord {
    /// The latest time of any input.
    pub(crate) now: Time,
    /// What the input was.
    pub(crate) cause: StepCause,
    /// How many actions it caused.
    pub(crate) actions: u32,
    /// The dials among them.
    pub(crate) dials: Vec<ConnId>,
    /// The connection that became ready. Known at the end of the step.
    pub(crate) made_ready: Option<ConnId>,
    /// A dial or handshake without a slot made progress and took one. Known at the end of the step.
    pub(crate) took_slot: bool,
    /// A handshake lost its slot.
    pub(crate) stalled: bool,
    /// Dials into a network have slowed down for certain.
    pub(crate) slowed: bool,
    /// Dials into a network may go at full speed again.
    pub(crate) restored: bool,
    /// The first automatic dial that came sooner than the pace of its network allows.
    pub(crate) too_fast: Option<(ConnId, NetworkKind)>,
    /// The first automatic dial that came sooner than `dial.rate` allows.
    pub(crate) over_rate: Option<ConnId>,
    /// What `poll_timeout` said before the step; none in the first step, where that is not known.
    pub(crate) due_before: Option<Option<Time>>,
    /// What `poll_timeout` says after the step. Valid once all actions have been seen.
    pub(crate) due: Option<Time>,
    /// When the last due timeout came.
    pub(crate) last_due: Option<Time>,
    /// See [`Self::is_due_timeout`] and [`Self::is_settled`]: many rules ask.
    is_due_timeout: bool,
    is_settled: bool,
    /// The input is more than time, a sign of life or addresses.
    is_news: bool,
}

impl StepRecord {
    pub(crate) fn new(now: Time) -> Self {
        let mut step = Self {
            now,
            cause: StepCause::Birth,
            actions: 0,
            dials: Vec::new(),
            made_ready: None,
            took_slot: false,
            stalled: false,
            slowed: false,
            restored: false,
            too_fast: None,
            over_rate: None,
            due_before: None,
            due: None,
            last_due: None,
            is_due_timeout: false,
            is_settled: false,
            is_news: false,
        };
        step.end(None);
        step
    }

    /// An input begins a new step.
    pub(crate) fn begin(&mut self, now: Time, input: &Input, reply: &Reply) {
        self.now = self.now.max(now);
        self.cause = StepCause::of(input, reply);
        self.is_news =
            !matches!(input, Input::Timeout | Input::Clock { .. } | Input::Activity { .. } | Input::Addresses { .. });
        self.actions = 0;
        self.dials.clear();
        self.made_ready = None;
        (self.took_slot, self.stalled, self.slowed, self.restored) = (false, false, false, false);
        (self.too_fast, self.over_rate) = (None, None);
        let is_due = || self.due_before.is_none_or(|due| due.is_some_and(|due| due <= self.now));
        self.is_due_timeout = self.is_timeout() && is_due();
        if self.is_due_timeout {
            self.last_due = Some(self.now);
        }
    }

    /// All actions were seen; `due` is the next deadline.
    pub(crate) fn end(&mut self, due: Option<Time>) {
        self.due = due;
        self.is_settled = !self.is_end_of_time() && due.is_none_or(|due| due > self.now.after(TICK));
    }

    /// The next step begins where this one ended.
    pub(crate) const fn close(&mut self) {
        self.due_before = Some(self.due);
    }

    /// Whether it is a timeout at or after the deadline. In the first step the deadline is not known: any timeout is due.
    pub(crate) const fn is_due_timeout(&self) -> bool {
        self.is_due_timeout
    }

    /// Whether it is a timeout.
    const fn is_timeout(&self) -> bool {
        matches!(self.cause, StepCause::Timeout)
    }

    /// Whether it is a timeout that came before the deadline.
    pub(crate) const fn is_early_timeout(&self) -> bool {
        self.is_timeout() && !self.is_due_timeout
    }

    /// Whether no work was left when the step began.
    pub(crate) fn is_calm(&self) -> bool {
        self.due_before.is_some_and(|due| due.is_none_or(|due| due > self.now.after(TICK)))
    }

    /// Whether time is at its end: no deadline can follow, so none is missing.
    pub(crate) fn is_end_of_time(&self) -> bool {
        self.now.after(TICK) == Time::MAX
    }

    /// Whether the step leaves no work. Where work is cut short by `max_actions_per_input`, or due work waits for a
    /// timeout, the next deadline is at most a tick away. At the end of time no step is settled: no timeout is due there.
    /// Valid once all actions have been seen.
    pub(crate) const fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Whether it concerns a rule.
    pub(crate) fn is_of(&self, concern: Concern) -> bool {
        match concern {
            Concern::EachStep => true,
            Concern::News => self.is_news || self.actions > 0,
            Concern::Dials => !self.dials.is_empty(),
            Concern::DueTimeout => self.is_due_timeout,
        }
    }
}

/// The connection or dial whose end an action reports.
pub(crate) const fn ended(action: &Action) -> Option<ConnId> {
    match action {
        Action::Emit(Event::Disconnected { conn, .. } | Event::DialFailed { conn, .. }) => Some(*conn),
        _ => None,
    }
}
