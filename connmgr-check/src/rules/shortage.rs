//! When a dial fails for lack of descriptors, ports or memory, dials go out one at a time, with pauses that double (by the
//! schedule of probes, from 1 s up to 32 s by default), until a dial made since then ends otherwise.

use std::time::Duration;

use connmgr_core::{Action, DialError, DialFailure, Event, HealthConfig, Time};

use super::{Property, Rule, RuleContext, RuleResult, hold};

#[derive(Clone, Debug, Default)]
pub(crate) struct ShortageRule {
    /// No dial before this, while the shortage lasts.
    until: Time,
    /// The pause after the next dial.
    next: Duration,
}

impl ShortageRule {
    fn wait(&mut self, now: Time, config: &HealthConfig) {
        self.until = now.after(self.next);
        self.next = (self.next * 2).min(config.max_probe);
    }
}

impl Rule for ShortageRule {
    const PROPERTY: Property = Property::Shortage;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
        let (is_short, config) = (seen.ledger.short_from.is_some(), &seen.ledger.config.health);
        match action {
            Action::Dial { conn, .. } if is_short => {
                let until = self.until;
                self.wait(seen.now(), config);
                hold(until <= seen.now(), || {
                    format!("{conn} is dialed at {}, before {until}, though the machine lacks resources", seen.now())
                })
            }
            Action::Emit(Event::DialFailed { error: DialFailure::Failed(DialError::OutOfResources), .. })
                if !is_short =>
            {
                self.next = config.first_probe.min(config.max_probe);
                self.wait(seen.now(), config);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
