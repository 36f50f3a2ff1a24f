//! Every dial, handshake and visit ends by its deadline, at the first due timeout after it; and until then
//! `poll_timeout` covers it.

use std::collections::VecDeque;

use connmgr_core::{Action, ConnId, ConnManager, Event, Kind, Target, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::conn::{Conn, Life};
use crate::step::{Cause, TICK};

/// What must end. Of each sort all take equally long, so that a queue is in order of time.
const SORTS: [&str; 4] = ["direct dial", "proxied dial", "handshake", "addr-fetch"];
const DIRECT: usize = 0;
const PROXIED: usize = 1;
const HANDSHAKE: usize = 2;
const FETCH: usize = 3;

#[derive(Clone, Debug)]
pub(crate) struct Deadlines {
    queues: [VecDeque<(Time, ConnId)>; SORTS.len()],
}

impl Deadlines {
    pub(crate) fn new(_: &Ledger) -> Self {
        Self { queues: Default::default() }
    }

    fn dial(&mut self, seen: Seen<'_>, id: ConnId, target: &Target, deadline: Time) -> Verdict {
        let (sort, patience) = match target {
            Target::Direct(_) => (DIRECT, seen.ledger.config.dial.direct),
            Target::Proxied { .. } => (PROXIED, seen.ledger.config.dial.proxied),
        };
        self.queues[sort].push_back((deadline, id));
        let expected = seen.now().after(patience.timeout.max(TICK));
        hold(deadline == expected, || format!("{id} has a deadline of {deadline} instead of {expected}"))
    }

    /// The first of a sort that still goes on, with its deadline. Those that ended before theirs are forgotten.
    fn first(&mut self, sort: usize, ledger: &Ledger) -> Option<(Time, ConnId)> {
        while let Some((_, id)) = self.queues[sort].front() {
            if ledger.conn(*id).is_some_and(|conn| goes_on(conn, sort)) {
                break;
            }
            self.queues[sort].pop_front();
        }
        self.queues[sort].front().copied()
    }

    fn judge(&mut self, seen: Seen<'_>, sort: usize) -> Verdict {
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

fn goes_on(conn: &Conn, sort: usize) -> bool {
    match sort {
        DIRECT | PROXIED => conn.life == Life::Dialing,
        HANDSHAKE => conn.life == Life::Open,
        _ => conn.life == Life::Ready && conn.kind == Some(Kind::AddrFetch),
    }
}

impl Rule for Deadlines {
    const PROPERTY: Property = Property::Deadlines;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
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

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        if let Cause::Ready(id, _) = seen.step.cause {
            let visit = seen.ledger.conn(id).filter(|conn| goes_on(conn, FETCH) && conn.since == seen.now());
            if visit.is_some() {
                self.queues[FETCH].push_back((seen.now().after(seen.ledger.config.addr_fetch_timeout), id));
            }
            // Of one that is still being dialed, a handshake means nothing.
            let is_feeler = |conn: &Conn| conn.kind == Some(Kind::Feeler) && conn.is_open();
            let feeler = seen.ledger.conn(id).is_some_and(is_feeler);
            hold(!feeler, || format!("the feeler {id} is ready, and stays"))?;
        }
        (0..SORTS.len()).try_for_each(|sort| self.judge(seen, sort))
    }
}
