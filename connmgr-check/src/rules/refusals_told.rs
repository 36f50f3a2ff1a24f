//! Refused arrivals are told, merged: at most once in a second, within a tick of it, and all of them by the end.

use core::time::Duration;

use connmgr_core::{Action, ConnManager, Event, Input, RefusalCounts, Reply, Time};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::step::TICK;

/// How long refusals are collected.
const COLLECTED_FOR: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Default)]
pub(crate) struct RefusalsToldRule {
    /// Refused and not told yet.
    waiting: RefusalCounts,
    /// When the first of those came.
    since: Option<Time>,
    told: Option<Time>,
}

impl Rule for RefusalsToldRule {
    const PROPERTY: Property = Property::RefusalsTold;
    const INPUT: Concern = Concern::News;
    const AFTER: Concern = Concern::DueTimeout;

    fn input(&mut self, seen: RuleContext<'_>, _: &Input, reply: &Reply) -> RuleResult {
        if let Reply::Accepted(Err(refusal)) = reply {
            if seen.ledger.phase != RunPhase::Stopped {
                self.waiting.count(*refusal);
                self.since = self.since.or(Some(seen.now()));
            }
        }
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Emit(Event::Refused { counts }) => {
                let waiting = core::mem::take(&mut self.waiting);
                let (now, before) = (seen.now(), self.told.replace(seen.now()));
                self.since = None;
                hold(*counts == waiting, || format!("refused were {waiting}, and told are {counts}"))?;
                hold(counts.total() > 0, || "no refusal is told of".to_owned())?;
                let is_spaced = before.is_none_or(|before| now >= before.after(COLLECTED_FOR));
                // At the end, what is left is told at once.
                let is_end = seen.ledger.phase == RunPhase::Stopping;
                hold(is_spaced || is_end, || format!("refusals are told at {now}, and were at {before:?}"))
            }
            Action::Emit(Event::Stopped) => {
                let left = self.waiting;
                hold(left.total() == 0, || format!("stopped, and nothing was told of the refused: {left}"))
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let (step, now) = (seen.step, seen.now());
        if !step.is_due_timeout() || !step.is_settled() || now == Time::MAX {
            return Ok(());
        }
        let late = self.since.filter(|since| since.after(COLLECTED_FOR).after(TICK) <= now);
        hold(late.is_none(), || format!("arrivals are refused since {late:?}, and it is not told at {now}"))
    }
}
