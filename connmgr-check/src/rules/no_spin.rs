//! Contract 4: wake-ups that lead to nothing stay few. Each connection, peer and lookup may wake the manager in vain a
//! few times a second (to hedge a dial, to find a peer blocked), and the manager itself some more; a loop wakes it a
//! thousand times.

use connmgr_core::{ConnManager, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

/// Idle wake-ups in a second that nothing need explain.
const FREE: u64 = 100;
/// And so many for each dial, connection and peer.
const EACH: u64 = 2;

#[derive(Clone, Debug)]
pub(crate) struct NoSpin {
    second: u64,
    idle: u64,
    /// Dials of this second.
    dials: u64,
    last: Time,
}

impl NoSpin {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { second: 0, idle: 0, dials: 0, last: Time::ZERO }
    }
}

impl Rule for NoSpin {
    const PROPERTY: Property = Property::NoSpin;

    fn after(&mut self, seen: Seen<'_>, _: &ConnManager) -> Verdict {
        let (step, now) = (seen.step, seen.now());
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
    use crate::step::Step;
    use connmgr_core::{Birth, Config, Input, Reply, UnixTime};

    /// So many idle timeouts in one second, each due.
    fn wake(times: u64) -> Verdict {
        let (unix, now) = (UnixTime::from_secs(1), Time::ZERO);
        let ledger = Ledger::new(&Config::default(), None, unix, now);
        let manager =
            ConnManager::new(Birth { config: Config::default(), snapshot: None, rng_seed: [0; 32], unix, now })
                .expect("a good configuration");
        let (mut rule, mut step) = (NoSpin::new(&ledger), Step::new(now));
        (1..=times).try_for_each(|millis| {
            step.begin(Time::from_millis(millis), &Input::Timeout, &Reply::Noted);
            rule.after(Seen { ledger: &ledger, step: &step }, &manager)
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
