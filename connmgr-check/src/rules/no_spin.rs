//! Contract 4: due timeouts without any action stay few. Each connection, peer and lookup may cause a few of them a
//! second (to hedge a dial, to find a peer blocked), and the manager itself some more; a busy loop causes a thousand.

use connmgr_core::{ConnManager, Time};

use super::{Property, Rule, RuleContext, RuleResult, hold};

/// Idle wake-ups allowed in a second in any case.
const FREE: u64 = 100;
/// Idle wake-ups allowed in addition for each dial, connection and peer.
const EACH: u64 = 2;

#[derive(Clone, Debug, Default)]
pub(crate) struct NoSpinRule {
    second: u64,
    idle: u64,
    /// Dials of this second.
    dials: u64,
    last: Time,
}

impl Rule for NoSpinRule {
    const PROPERTY: Property = Property::NoSpin;

    fn after(&mut self, seen: RuleContext<'_>, _: &ConnManager) -> RuleResult {
        let (step, now) = (seen.step, seen.now());
        if step.dials.is_empty() && !step.is_due_timeout() {
            return Ok(());
        }
        let second = now.as_nanos() / 1_000_000_000;
        if second != self.second {
            *self = Self { second, idle: 0, dials: 0, last: self.last };
        }
        self.dials += step.dials.len() as u64;
        if !step.is_due_timeout() || step.actions > 0 || now == self.last {
            return Ok(());
        }
        self.last = now;
        self.idle += 1;
        let things = u64::from(seen.ledger.live()) + u64::from(seen.ledger.peers.len()) + self.dials;
        hold(self.idle <= FREE + EACH * things, || {
            format!("{} wake-ups in second {second} led to nothing; there are {things} things to wake for", self.idle)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;
    use crate::step::StepRecord;
    use connmgr_core::{Birth, Config, Input, Reply, UnixTime};

    /// What the rule says to this many idle timeouts in one second, each due.
    fn wake(times: u64) -> RuleResult {
        let (unix, now) = (UnixTime::from_secs(1), Time::ZERO);
        let ledger = Ledger::new(&Config::default(), None, unix, now);
        let birth = Birth { config: Config::default(), snapshot: None, rng_seed: [0; 32], unix, now };
        let manager = ConnManager::new(birth).expect("a good configuration");
        let (mut rule, mut step) = (NoSpinRule::default(), StepRecord::new(now));
        (1..=times).try_for_each(|millis| {
            step.begin(Time::from_millis(millis), &Input::Timeout, &Reply::Noted);
            rule.after(RuleContext { ledger: &ledger, step: &step }, &manager)
        })
    }

    #[test]
    fn a_wake_up_every_millisecond_is_a_spin() {
        assert!(wake(999).is_err());
    }

    #[test]
    fn a_few_idle_wake_ups_are_none() {
        assert_eq!(wake(FREE), Ok(()));
    }
}
