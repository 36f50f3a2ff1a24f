//! Healing, and a bounded recovery: once the world is well, the pool is full again in time.
//!
//! It counts ready connections and nothing else; what "full" is, the scenario says.

use core::time::Duration;

use connmgr_core::{Kind, Time};

use super::Suite;
use super::property::Property;
use super::violation::Violation;

/// How many ready connections make a pool whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Full ones.
    pub full: u32,
    /// Block-relay ones.
    pub block_relay: u32,
    /// Those of added peers that are alive.
    pub added: u32,
}

impl Whole {
    fn is_met_by(&self, suite: &Suite) -> bool {
        suite.ready(Kind::Full) >= self.full
            && suite.ready(Kind::BlockRelay) >= self.block_relay
            && suite.ready(Kind::Added) >= self.added
    }
}

/// Watches one manager's recovery.
#[derive(Clone, Debug)]
pub struct Recovery {
    whole: Whole,
    within: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The world is not well, or nobody said so.
    Ill,
    /// The world is well since then.
    Healed(Time),
    /// The pool was whole again after so long.
    Recovered(Duration),
}

impl Recovery {
    /// Nobody waits yet: [`Recovery::healed`] starts the clock.
    pub const fn new(whole: Whole, within: Duration) -> Self {
        Self { whole, within, state: State::Ill }
    }

    /// The world is well from now on.
    pub const fn healed(&mut self, now: Time) {
        self.state = State::Healed(now);
    }

    /// Something ails the world again: nothing is expected until it heals.
    pub const fn ailing(&mut self) {
        self.state = State::Ill;
    }

    /// How long the recovery took, once it is over.
    pub const fn took(&self) -> Option<Duration> {
        match self.state {
            State::Recovered(after) => Some(after),
            State::Ill | State::Healed(_) => None,
        }
    }

    /// When the pool must be whole at the latest, while it is not. Ask [`Recovery::check`] then, whether or not a step
    /// falls on it.
    pub fn deadline(&self) -> Option<Time> {
        match self.state {
            State::Healed(since) => Some(since.after(self.within)),
            State::Ill | State::Recovered(_) => None,
        }
    }

    /// Judges where the recovery stands, after any step and at the deadline.
    ///
    /// # Errors
    /// That the pool is not whole though it had its time.
    pub fn check(&mut self, now: Time, suite: &Suite) -> Result<(), Violation> {
        let State::Healed(since) = self.state else { return Ok(()) };
        if self.whole.is_met_by(suite) {
            self.state = State::Recovered(now.since(since));
            return Ok(());
        }
        if now.since(since) < self.within {
            return Ok(());
        }
        self.state = State::Ill;
        Err(Violation { property: Property::Recovery, at: now, what: self.shortfall(suite, since) })
    }

    fn shortfall(&self, suite: &Suite, since: Time) -> String {
        let Whole { full, block_relay, added } = self.whole;
        let ready = |kind| suite.ready(kind);
        format!(
            "healed at {since}, and {:?} later ready are {} of {full} full, {} of {block_relay} block-relay, {} of {added} \
             added peers",
            self.within,
            ready(Kind::Full),
            ready(Kind::BlockRelay),
            ready(Kind::Added),
        )
    }
}
