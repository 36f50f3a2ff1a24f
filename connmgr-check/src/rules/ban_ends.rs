//! A ban ends when it was to end, and no other way but by command or, being the first to end, for want of room. Then it
//! holds no added peer up any more.

use connmgr_core::{Action, BanTarget, ConnManager, Event, Obstacle, PeerState, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::ledger::bans::Key;
use crate::step::{Cause, TICK};

#[derive(Clone, Debug)]
pub(crate) struct BanEnds {
    /// When a ban last came or went: only then is the deadline of the next one set.
    changed: Time,
}

impl BanEnds {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { changed: Time::ZERO }
    }

    fn unbanned(seen: Seen<'_>, target: &BanTarget) -> Verdict {
        let (key, bans, now) = (Key::of(target), &seen.ledger.bans, seen.now());
        let Some(ban) = bans.get(&key) else { return Err(format!("{target} is unbanned, but was not banned")) };
        match seen.step.cause {
            Cause::Unban => Ok(()),
            Cause::Ban(_) | Cause::Misbehavior(..) => {
                let first = bans.first().is_some_and(|(until, _)| *until == ban.until);
                let full = bans.len() >= seen.ledger.config.max_bans as usize;
                hold(first && full, || {
                    format!(
                        "the ban of {target} until {} made room, of {}, not the first to end",
                        ban.until,
                        bans.len()
                    )
                })
            }
            _ => hold(ban.until <= now, || format!("the ban of {target} ended at {now} instead of {}", ban.until)),
        }
    }
}

impl Rule for BanEnds {
    const PROPERTY: Property = Property::BanEnds;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Emit(Event::Unbanned { target }) => {
                self.changed = seen.now();
                Self::unbanned(seen, target)
            }
            Action::Emit(Event::Banned { .. }) => {
                self.changed = seen.now();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let (step, now) = (seen.step, seen.now());
        if !step.is_due_timeout() || !step.is_settled() {
            return Ok(());
        }
        let overdue = seen.ledger.bans.first().filter(|(until, _)| (*until).max(self.changed).after(TICK) <= now);
        match overdue.filter(|(until, _)| *until < Time::MAX && now < Time::MAX) {
            Some((until, key)) => Err(format!("the ban of {key:?} was to end at {until}, and stands at {now}")),
            None => Ok(()),
        }
    }

    fn audit(&mut self, seen: Seen<'_>, manager: &ConnManager) -> Verdict {
        let has_acted = seen.step.last_due.is_some_and(|due| self.changed.after(TICK) <= due);
        if !has_acted || !seen.step.is_settled() {
            return Ok(());
        }
        let is_free = |host| seen.ledger.bans.until(host, Time::ZERO).is_none();
        let held_up = |state| state == PeerState::Blocked(Obstacle::Banned);
        let peers = manager.added_peers();
        let left = peers.iter().find(|view| held_up(view.state) && is_free(view.address.host()));
        left.map_or(Ok(()), |view| Err(format!("the ban of {} is over, and holds {} up", view.address, view.peer)))
    }
}
