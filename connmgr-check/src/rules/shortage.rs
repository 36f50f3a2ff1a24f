//! When a dial fails because the machine has no room for another, all dials wait: for a second, and then one at a time
//! goes out, each after a pause twice as long, up to 32 s (by the schedule of probes); until a dial that was made since
//! ends otherwise. What is repeated as v1 takes the place of a connection that has just ended, and need not wait.

use std::time::Duration;

use connmgr_core::{Action, ConnManager, DialError, DialFailure, Event, HealthConfig, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

#[derive(Clone, Debug)]
pub(crate) struct Shortage {
    /// No dial before this, while it lasts.
    until: Time,
    /// The pause after the next dial.
    next: Duration,
    /// Dials of this step that came too soon, unless one is a repetition.
    too_soon: u32,
}

impl Shortage {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { until: Time::ZERO, next: Duration::ZERO, too_soon: 0 }
    }

    fn wait(&mut self, now: Time, config: &HealthConfig) {
        self.until = now.after(self.next);
        self.next = (self.next * 2).min(config.max_probe);
    }
}

impl Rule for Shortage {
    const PROPERTY: Property = Property::Shortage;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        let (is_short, config) = (seen.ledger.short_from.is_some(), &seen.ledger.config.health);
        match action {
            Action::Dial { .. } if is_short => {
                self.too_soon += u32::from(self.until > seen.now());
                self.wait(seen.now(), config);
            }
            Action::Emit(Event::DialFailed { error: DialFailure::Failed(DialError::OutOfResources), .. })
                if !is_short =>
            {
                self.next = config.first_probe.min(config.max_probe);
                self.wait(seen.now(), config);
            }
            _ => {}
        }
        Ok(())
    }

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let too_soon = std::mem::take(&mut self.too_soon);
        let address = |id| seen.ledger.conn(id).and_then(|conn| conn.address.as_ref());
        let is_repeated = |id| seen.ledger.unheard.is_some() && address(id) == seen.ledger.unheard_address.as_ref();
        let repeated = seen.step.dials.iter().filter(|id| is_repeated(**id)).count();
        hold(too_soon as usize <= repeated, || {
            format!("{:?} are dialed at {} though the machine has no room for them", seen.step.dials, seen.now())
        })
    }
}
