//! Contract 6: every dial ends once, by the driver's result or our `Close`, whichever is first. A success that has no
//! slot, or comes after our `Close`, is closed at once. The action after a `Close` reports the end of that connection.

use connmgr_core::{Action, CloseReason, ConnId, ConnManager, DialError, DialFailure, Event, Input, Reply};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::ledger::conn::ConnLife;
use crate::step::{StepCause, ended};

#[derive(Clone, Debug, Default)]
pub(crate) struct DialEndsOnceRule {
    /// What the dial result of this step must lead to.
    wanted: Wanted,
    /// Closed by the action before; the next action must report its end.
    closed: Option<ConnId>,
}

/// What a dial's result must lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    #[default]
    Nothing,
    /// A `Connected`, or a `Close`.
    Opening(ConnId),
    /// A `DialFailed` with this error.
    Failure(ConnId, DialError),
    /// A `Close` with reason `Late`, as the first action.
    LateClose(ConnId),
}

impl DialEndsOnceRule {
    fn close(&mut self, seen: RuleContext<'_>, id: ConnId, reason: CloseReason) -> RuleResult {
        if reason == CloseReason::Late {
            let wanted = core::mem::take(&mut self.wanted);
            return hold(wanted == Wanted::LateClose(id), || format!("{id} is closed as late, but nobody reported it"));
        }
        self.closed = Some(id);
        hold(seen.ledger.conn(id).is_some(), || format!("{id} is closed ({reason}), but has ended or never was"))
    }

    fn fits(&self, id: ConnId, error: DialFailure) -> bool {
        match error {
            DialFailure::Failed(error) => self.wanted == Wanted::Failure(id, error),
            _ => true,
        }
    }

    /// If the action before was a `Close`, this one must report the end of the same connection.
    fn is_told_next(&mut self, action: &Action) -> RuleResult {
        let Some(id) = self.closed.take() else { return Ok(()) };
        hold(ended(action) == Some(id), || format!("{id} was closed, and next came: {action}"))
    }
}

impl Rule for DialEndsOnceRule {
    const PROPERTY: Property = Property::DialEndsOnce;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::News;

    fn input(&mut self, seen: RuleContext<'_>, _: &Input, _: &Reply) -> RuleResult {
        self.closed = None;
        self.wanted = Wanted::Nothing;
        let StepCause::DialResult(id, result) = seen.step.cause else { return Ok(()) };
        let was_given = (1..=seen.ledger.last_conn).contains(&id.as_u64());
        self.wanted = match (seen.ledger.conn(id).map(|conn| conn.life), result) {
            (Some(ConnLife::Dialing), Ok(())) => Wanted::Opening(id),
            (Some(ConnLife::Dialing), Err(error)) => Wanted::Failure(id, error),
            (None, Ok(())) if was_given && seen.ledger.phase != RunPhase::Stopped => Wanted::LateClose(id),
            (Some(ConnLife::Open | ConnLife::Ready) | None, _) => Wanted::Nothing,
        };
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
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
                let was_dialing = seen.ledger.conn(*conn).is_some_and(|conn| conn.life == ConnLife::Dialing);
                if matches!(self.wanted, Wanted::Opening(id) | Wanted::Failure(id, _) if id == *conn) {
                    self.wanted = Wanted::Nothing;
                }
                hold(was_dialing, || format!("the dial {conn} failed, but has ended or never was"))?;
                hold(fits, || format!("the dial {conn} failed as {error}, which nobody reported"))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, _: RuleContext<'_>, _: &ConnManager) -> RuleResult {
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
