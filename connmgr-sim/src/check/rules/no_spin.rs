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
