//! A ban ends at its end, by `unban`, or, if it is the next to end and the list is full, to make room for another. Once
//! it has ended, no added peer is blocked by it. `Banned` tells the end that stands, which another ban may have set.

use connmgr_core::{Action, BanTarget, ConnManager, Event, Host, Obstacle, PeerState, PeerView, Time, UnixTime};

use super::{Concern, Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::bans::BanKey;
use crate::step::{StepCause, TICK};

#[derive(Clone, Debug, Default)]
pub(crate) struct BanEndsRule {
    /// When a ban last began or ended. The deadline of the next end is set only then.
    changed: Time,
}

impl BanEndsRule {
    fn unbanned(seen: RuleContext<'_>, target: &BanTarget) -> RuleResult {
        let (key, bans, now) = (BanKey::of(target), &seen.ledger.bans, seen.now());
        let is_part = || seen.step.cause == StepCause::Unban && bans.end_around(&key).is_some_and(|until| until > now);
        if bans.get(&key).is_none() && is_part() {
            return Ok(());
        }
        let Some(ban) = bans.get(&key) else { return Err(format!("{target} is unbanned, but was not banned")) };
        match seen.step.cause {
            StepCause::Unban => Ok(()),
            StepCause::Ban(_) | StepCause::Misbehavior(..) => {
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

impl BanEndsRule {
    fn tells_what_stands(seen: RuleContext<'_>, target: &BanTarget, until: UnixTime) -> RuleResult {
        let duration = match seen.step.cause {
            StepCause::Ban(duration) => duration,
            _ => seen.ledger.config.score.ban_for,
        };
        let (imposed, around) = (seen.now().after(duration), seen.ledger.bans.end_around_banned(&BanKey::of(target)));
        let expected = seen.ledger.unix_at(imposed.max(around.unwrap_or_default()));
        hold(until == expected, || format!("{target} is banned until {until}, and the ban stands until {expected}"))
    }
}

impl Rule for BanEndsRule {
    const PROPERTY: Property = Property::BanEnds;
    const AFTER: Concern = Concern::DueTimeout;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Emit(Event::Unbanned { target }) => {
                self.changed = seen.now();
                Self::unbanned(seen, target)
            }
            Action::Emit(Event::Banned { target, until }) => {
                self.changed = seen.now();
                Self::tells_what_stands(seen, target, *until)
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
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

    fn audit(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        let has_acted = seen.step.last_due.is_some_and(|due| self.changed.after(TICK) <= due);
        if !has_acted || !seen.step.is_settled() {
            return Ok(());
        }
        let is_free = |host: &Host| seen.ledger.bans.until(host, Time::ZERO).is_none();
        let held_up = |state| state == PeerState::Blocked(Obstacle::Banned);
        let peers = manager.added_peers();
        // A name may be held up by the ban of what it led to.
        let is_held_for_nothing = |view: &&PeerView| {
            held_up(view.state) && view.addresses.iter().all(|at| at.name().is_none() && is_free(at.host()))
        };
        match peers.iter().find(is_held_for_nothing) {
            Some(view) => Err(format!("no ban of {:?} stands, and one holds {} up", view.addresses, view.peer)),
            None => Ok(()),
        }
    }
}
