//! The book is saved within a minute of the first address learnt, and then at most once in `book.save_every`. A ban that
//! began or was lifted is saved after a second, and no later. Nothing else is a reason to save.

use core::time::Duration;

use connmgr_core::{Action, ConnManager, Event, Time};

use super::{Property, Rule, RuleContext, RuleResult, hold};
use crate::ledger::RunPhase;
use crate::step::{StepCause, TICK};

/// How soon a change of the bans is saved.
const BANS_WITHIN: Duration = Duration::from_secs(1);

/// How soon the first addresses are saved.
const FIRST_BOOK_WITHIN: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Default)]
pub(crate) struct SaveSpacingRule {
    /// When the book was last saved.
    book: Option<Time>,
    /// When the first address was learnt.
    learnt: Option<Time>,
    /// When the bans changed, if that is not saved yet.
    changed: Option<Time>,
    saved: Option<SaveReason>,
}

/// Why state was saved in this step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SaveReason {
    /// The bans have changed, or it is the end. The book may be saved with them.
    Enough,
    /// It must be for the book.
    BookAlone,
}

impl SaveSpacingRule {
    fn save(&mut self, seen: RuleContext<'_>) {
        let is_due = self.changed.take().is_some_and(|changed| seen.now() >= changed.after(BANS_WITHIN));
        let is_enough = is_due || seen.ledger.phase == RunPhase::Stopping;
        self.saved = Some(if is_enough { SaveReason::Enough } else { SaveReason::BookAlone });
    }

    fn after_save(&mut self, reason: SaveReason, seen: RuleContext<'_>, saves_book: bool) -> RuleResult {
        let (now, every) = (seen.now(), seen.ledger.config.book.save_every.max(TICK));
        if !saves_book {
            return hold(reason == SaveReason::Enough, || format!("state is saved at {now} for no reason"));
        }
        let before = self.book.replace(now);
        let is_spaced =
            seen.ledger.phase == RunPhase::Stopped || before.is_none_or(|before| now >= before.after(every));
        hold(is_spaced, || format!("the book is saved at {now}, and was at {before:?}"))
    }

    fn nothing_is_late(&self, seen: RuleContext<'_>) -> RuleResult {
        let now = seen.now();
        let late = |since: Option<Time>, within| since.filter(|at| at.after(within).after(TICK) <= now);
        let bans = late(self.changed, BANS_WITHIN);
        hold(bans.is_none(), || format!("bans changed at {bans:?}, and were not saved at {now}"))?;
        let within = FIRST_BOOK_WITHIN.min(seen.ledger.config.book.save_every);
        let book = late(self.learnt.filter(|_| self.book.is_none()), within);
        hold(book.is_none(), || format!("the first address was learnt at {book:?}, and not saved at {now}"))
    }
}

impl Rule for SaveSpacingRule {
    const PROPERTY: Property = Property::SaveSpacing;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        match action {
            Action::Save => self.save(seen),
            Action::Emit(Event::Banned { .. }) => self.changed = self.changed.or(Some(seen.now())),
            // A ban that ends by itself need not be saved: it has ended on load too.
            Action::Emit(Event::Unbanned { .. }) if seen.step.cause == StepCause::Unban => {
                self.changed = self.changed.or(Some(seen.now()));
            }
            Action::Emit(Event::SeedAnswered { added: 1.., .. }) => {
                self.learnt = self.learnt.or(Some(seen.now()));
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: RuleContext<'_>, manager: &ConnManager) -> RuleResult {
        let (step, now) = (seen.step, seen.now());
        if let Some(reason) = self.saved.take() {
            self.after_save(reason, seen, manager.saves_book())?;
        }
        if self.learnt.is_none() && manager.stats().addresses_learnt > 0 {
            self.learnt = Some(now);
        }
        if !step.is_due_timeout() || !step.is_settled() || seen.ledger.phase == RunPhase::Stopped || now == Time::MAX {
            return Ok(());
        }
        self.nothing_is_late(seen)
    }
}
