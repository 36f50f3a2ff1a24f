//! Every dial, handshake and visit ends at the first due timeout after its deadline. Until then `poll_timeout` is no
//! later than that deadline.

use std::collections::VecDeque;

use connmgr_core::{Action, ConnId, ConnManager, Event, Kind, Target, Time};

use super::{Ledger, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::conn::{ConnLife, KnownConn};
use crate::step::{StepCause, TICK};

/// What has a deadline. All of one sort get the same time, so each queue is ordered by deadline.
const SORTS: [&str; 4] = ["direct dial", "proxied dial", "handshake", "addr-fetch"];
const DIRECT: usize = 0;
const PROXIED: usize = 1;
const HANDSHAKE: usize = 2;
const FETCH: usize = 3;

#[derive(Clone, Debug, Default)]
pub(crate) struct DeadlinesRule {
    queues: [VecDeque<(Time, ConnId)>; SORTS.len()],
}

impl DeadlinesRule {
    fn dial(&mut self, seen: RuleContext<'_>, id: ConnId, target: &Target, deadline: Time) -> RuleResult {
        let (sort, patience) = match target {
            Target::Direct(_) => (DIRECT, seen.ledger.config.dial.direct),
            Target::Proxied { .. } => (PROXIED, seen.ledger.config.dial.proxied),
        };
        self.queues[sort].push_back((deadline, id));
        let expected = seen.now().after(patience.timeout.max(TICK));
        hold(deadline == expected, || format!("{id} has a deadline of {deadline} instead of {expected}"))
    }

    /// The earliest of a sort that still runs, with its deadline. Drops those that have ended.
    fn first(&mut self, sort: usize, ledger: &Ledger) -> Option<(Time, ConnId)> {
        while let Some((_, id)) = self.queues[sort].front() {
            if ledger.conn(*id).is_some_and(|conn| goes_on(conn, sort)) {
                break;
            }
            self.queues[sort].pop_front();
        }
        self.queues[sort].front().copied()
    }

    fn check(&mut self, seen: RuleContext<'_>, sort: usize) -> RuleResult {
        let (step, now) = (seen.step, seen.now());
        let Some((soonest, _)) = self.queues[sort].front() else { return Ok(()) };
        if step.is_end_of_time() {
            return Ok(());
        }
        let cover = soonest.after(TICK).max(step.last_due.map_or(Time::ZERO, |at| at.after(TICK)));
        let is_covered = *soonest == Time::MAX || step.due.is_some_and(|due| due <= cover.max(now.after(TICK)));
        let is_over = step.is_due_timeout() && step.is_settled() && soonest.after(TICK) <= now;
        if is_covered && !is_over {
            return Ok(());
        }
        let Some((deadline, id)) = self.first(sort, seen.ledger).filter(|(deadline, _)| *deadline < Time::MAX) else {
            return Ok(());
        };
        let is_over = step.is_due_timeout() && step.is_settled() && deadline.after(TICK) <= now;
        hold(!is_over, || format!("the {} {id} goes on at {now}, past its deadline of {deadline}", SORTS[sort]))?;
        let cover = deadline.after(TICK).max(step.last_due.map_or(Time::ZERO, |at| at.after(TICK)));
        let is_covered = step.due.is_some_and(|due| due <= cover.max(now.after(TICK)));
        hold(is_covered, || {
            format!("the {} {id} ends at {deadline}, but the next deadline is {:?}", SORTS[sort], step.due)
        })
    }
}

fn goes_on(conn: &KnownConn, sort: usize) -> bool {
    match sort {
        DIRECT | PROXIED => conn.life == ConnLife::Dialing,
        HANDSHAKE => conn.life == ConnLife::Open,
        _ => conn.life == ConnLife::Ready && conn.kind == Some(Kind::AddrFetch),
    }
}

impl Rule for DeadlinesRule {
    const PROPERTY: Property = Property::Deadlines;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Dial { conn, target, deadline, .. } => self.dial(seen, *conn, target, *deadline),
            Action::Emit(Event::Connected(connected)) => {
                let deadline = seen.now().after(seen.ledger.config.handshake_timeout);
                self.queues[HANDSHAKE].push_back((deadline, connected.conn));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        if let StepCause::Ready(id, _) = seen.step.cause {
            let visit = seen.ledger.conn(id).filter(|conn| goes_on(conn, FETCH) && conn.since == seen.now());
            if visit.is_some() {
                self.queues[FETCH].push_back((seen.now().after(seen.ledger.config.addr_fetch_timeout), id));
            }
            // `Ready` has no effect on a connection that is still being dialed.
            let is_feeler = |conn: &KnownConn| conn.kind == Some(Kind::Feeler) && conn.is_open();
            let feeler = seen.ledger.conn(id).is_some_and(is_feeler);
            hold(!feeler, || format!("the feeler {id} is ready, and stays"))?;
        }
        (0..SORTS.len()).try_for_each(|sort| self.check(seen, sort))
    }
}
