//! Dials of all sorts in a second are no more than the configuration explains: the rate of automatic ones, what the
//! back-off of added peers allows, probes, seeds, and what commands ask for; each perhaps once more as v1.

use core::time::Duration;

use connmgr_core::{Action, Event, Input, Reply};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};
use crate::step::Cause;

const SECOND: Duration = Duration::from_secs(1);
/// Addresses of one name that one attempt may go through.
const CANDIDATES: u64 = 16;
/// Peers that are released together follow one another so fast, or all within the time below. Deadlines may be met late,
/// so that a second sees those of two.
const RELEASED_IN_A_SECOND: u64 = 2 * 7 + 2;
const RELEASED_WITHIN_SECONDS: u64 = 15;

#[derive(Clone, Debug)]
pub(crate) struct DialStorm {
    second: u64,
    dials: u64,
    /// Dials that commands and networks coming back explain.
    asked_for: u64,
}

impl DialStorm {
    pub(crate) const fn new(_: &Ledger) -> Self {
        Self { second: 0, dials: 0, asked_for: 0 }
    }

    fn turn(&mut self, seen: Seen<'_>) {
        let second = seen.now().as_nanos() / 1_000_000_000;
        if second != self.second {
            *self = Self { second, dials: 0, asked_for: 0 };
        }
    }

    fn most(&self, ledger: &Ledger) -> u64 {
        let config = &ledger.config;
        let automatic = u64::from(config.dial.rate.burst) + times(config.dial.rate.interval);
        let attempts = times(config.retry.base.min(config.retry.cap) / 2).min(1000);
        let added = u64::from(ledger.peers.len()) * attempts * CANDIDATES;
        let probes = ledger.down.len() as u64 * (2 + times(config.health.first_probe).min(1000));
        let seeds = config.seeds.names.len() as u64 * times(config.seeds.retry.base / 2).min(1000);
        2 * (automatic + added + probes + seeds + self.asked_for)
    }
}

/// Dials to added peers that are released in a second.
fn released(ledger: &Ledger) -> u64 {
    let peers = u64::from(ledger.peers.len());
    CANDIDATES * peers.min(RELEASED_IN_A_SECOND.max(2 * peers / RELEASED_WITHIN_SECONDS + 2))
}

/// How often a thing can happen in a second that happens at most so often.
fn times(interval: Duration) -> u64 {
    u64::try_from(SECOND.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u64::MAX).saturating_add(1)
}

impl Rule for DialStorm {
    const PROPERTY: Property = Property::DialStorm;

    fn input(&mut self, seen: Seen<'_>, _: &Input, _: &Reply) -> Verdict {
        self.turn(seen);
        self.asked_for += match seen.step.cause {
            Cause::AddPeer | Cause::DialNow(_) | Cause::Reconnect(_) => CANDIDATES,
            Cause::SetActive(_) | Cause::Unban => {
                CANDIDATES * u64::from(seen.ledger.peers.len()) + seen.ledger.config.seeds.names.len() as u64
            }
            Cause::NetworkChanged => released(seen.ledger) + seen.ledger.config.seeds.names.len() as u64,
            _ => 0,
        };
        Ok(())
    }

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Dial { .. } if !seen.ledger.config.dial.rate.interval.is_zero() => {
                self.dials += 1;
                hold(self.dials <= self.most(seen.ledger), || {
                    format!("{} dials in second {}, of at most {}", self.dials, self.second, self.most(seen.ledger))
                })
            }
            Action::Emit(Event::NetworkUp { .. }) => {
                self.asked_for += released(seen.ledger);
                Ok(())
            }
            Action::Emit(Event::Unbanned { .. }) => {
                self.asked_for += CANDIDATES * u64::from(seen.ledger.peers.len());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
