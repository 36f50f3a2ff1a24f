//! Contract 11: after `shutdown` every live id gets its `Close`, then `Stopped` comes; then nothing.

use connmgr_core::{Action, CloseReason, ConnManager, Event};

use super::resting::begins;
use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::Phase;

#[derive(Clone, Debug)]
pub(crate) struct ShutMeansShut;

impl ShutMeansShut {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self
    }
}

impl Rule for ShutMeansShut {
    const PROPERTY: Property = Property::ShutMeansShut;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let phase = seen.ledger.phase;
        hold(phase != Phase::Stopped, || format!("after Stopped: {action}"))?;
        hold(phase != Phase::Stopping || !begins(action), || format!("while shutting down: {action}"))?;
        match action {
            Action::Emit(Event::Stopped) => {
                let (asked, live) = (phase == Phase::Stopping, seen.ledger.live());
                hold(asked && live == 0, || format!("Stopped with {live} connections and dials (asked for: {asked})"))
            }
            Action::Close { conn, reason: CloseReason::Shutdown } => {
                hold(phase == Phase::Stopping, || format!("{conn} is closed for a shutdown that nobody asked for"))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Verdict {
        let (phase, stopped) = (seen.ledger.phase, manager.is_stopped());
        hold((phase == Phase::Stopped) == stopped, || format!("Stopped was told: {phase:?}, and is: {stopped}"))?;
        let left = phase == Phase::Stopping && seen.step.is_settled();
        hold(!left, || format!("{} connections and dials are left, and nothing goes on", seen.ledger.live()))
    }
}
