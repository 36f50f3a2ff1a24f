//! Contract 6: every dial ends once, by the first of the driver's result and our `Close`. A success that has no slot,
//! or comes after our `Close`, is closed at once; what we close has its end told next.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, DialError, DialFailure, Event, Input, Reply};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;
use crate::ledger::conn::Life;
use crate::step::Cause;

#[derive(Clone, Debug)]
pub(crate) struct DialEndsOnce {
    /// What the result told in this step must lead to.
    wanted: Wanted,
    /// We closed this one with the action before: its end comes next.
    closed: Option<ConnId>,
}

/// What a dial's result must lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Nothing,
    /// A `Connected`, or a `Close`.
    Opening(ConnId),
    /// A `DialFailed` that says so.
    Failure(ConnId, DialError),
    /// A `Close` as `Late`, before all else.
    LateClose(ConnId),
}

impl DialEndsOnce {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { wanted: Wanted::Nothing, closed: None }
    }

    fn close(&mut self, seen: Seen<'_>, id: ConnId, reason: CloseReason) -> Verdict {
        if reason == CloseReason::Late {
            let wanted = core::mem::replace(&mut self.wanted, Wanted::Nothing);
            return hold(wanted == Wanted::LateClose(id), || format!("{id} is closed as late, but nobody reported it"));
        }
        self.closed = Some(id);
        hold(seen.ledger.conn(id).is_some(), || format!("{id} is closed ({reason}), but has ended or never was"))
    }

    fn fits(&self, id: ConnId, error: DialFailure) -> bool {
        match error {
            DialFailure::Failed(error) => self.wanted == Wanted::Failure(id, error),
            DialFailure::GivenUp(_) => true,
        }
    }

    /// Whether an end is that of the one closed just before, if one was.
    fn is_told_next(&mut self, action: &Action) -> Verdict {
        let Some(id) = self.closed.take() else { return Ok(()) };
        let told = match action {
            Action::Emit(Event::Disconnected { conn, .. } | Event::DialFailed { conn, .. }) => *conn == id,
            _ => false,
        };
        hold(told, || format!("{id} was closed, and next came: {action}"))
    }
}

impl Rule for DialEndsOnce {
    const PROPERTY: Property = Property::DialEndsOnce;

    fn input(&mut self, seen: Seen<'_>, _: &Input, _: &Reply) -> Verdict {
        self.closed = None;
        self.wanted = Wanted::Nothing;
        let Cause::DialResult(id, result) = seen.step.cause else { return Ok(()) };
        let was_given = (1..=seen.ledger.last_conn).contains(&id.as_u64());
        self.wanted = match (seen.ledger.conn(id).map(|conn| conn.life), result) {
            (Some(Life::Dialing), Ok(())) => Wanted::Opening(id),
            (Some(Life::Dialing), Err(error)) => Wanted::Failure(id, error),
            (None, Ok(())) if was_given && seen.ledger.phase != Phase::Stopped => Wanted::LateClose(id),
            (Some(Life::Open | Life::Ready) | None, _) => Wanted::Nothing,
        };
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        self.is_told_next(action)?;
        if let (1, Wanted::LateClose(id)) = (seen.step.actions, self.wanted) {
            let first = matches!(action, Action::Close { conn, reason: CloseReason::Late } if *conn == id);
            hold(first, || format!("the late success of {id} was answered with: {action}"))?;
        }
        match action {
            Action::Close { conn, reason } => {
                if self.wanted == Wanted::Opening(*conn) {
                    self.wanted = Wanted::Nothing;
                }
                self.close(seen, *conn, *reason)
            }
            Action::Emit(Event::Connected(connected)) => {
                let opening = self.wanted == Wanted::Opening(connected.conn);
                if opening {
                    self.wanted = Wanted::Nothing;
                }
                hold(opening || connected.kind.is_inbound(), || {
                    format!("{} is connected, but no success was reported", connected.conn)
                })
            }
            Action::Emit(Event::DialFailed { conn, error, .. }) => {
                let fits = self.fits(*conn, *error);
                let was_dialing = seen.ledger.conn(*conn).is_some_and(|conn| conn.life == Life::Dialing);
                if matches!(self.wanted, Wanted::Opening(id) | Wanted::Failure(id, _) if id == *conn) {
                    self.wanted = Wanted::Nothing;
                }
                hold(was_dialing, || format!("the dial {conn} failed, but has ended or never was"))?;
                hold(fits, || format!("the dial {conn} failed as {error}, which nobody reported"))
            }
            Action::Dial { .. }
            | Action::ResolveSeed { .. }
            | Action::ResolveHost { .. }
            | Action::ScheduleRetry { .. }
            | Action::PauseAccept { .. }
            | Action::Save
            | Action::Emit(_) => Ok(()),
        }
    }

    fn after(&mut self, _: Seen<'_>, _: &ConnManager) -> Verdict {
        let closed = self.closed.take();
        hold(closed.is_none(), || format!("the end of {closed:?} was not told after its Close"))?;
        match self.wanted {
            Wanted::Nothing => Ok(()),
            Wanted::Opening(id) => Err(format!("{id} succeeded, and was neither connected nor closed")),
            Wanted::Failure(id, error) => Err(format!("{id} failed ({error}), and no DialFailed came")),
            Wanted::LateClose(id) => Err(format!("the late success of {id} was leaked")),
        }
    }
}
