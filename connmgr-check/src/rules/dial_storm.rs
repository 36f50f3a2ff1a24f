//! All dials of one second are no more than the configuration explains: the rate of automatic dials, the back-off of
//! added peers, probes, seeds and commands; twice that, since each may be repeated as v1.

use core::time::Duration;

use connmgr_core::{Action, Event, Input, Reply};

use super::{Ledger, Property, Rule, RuleContext, RuleResult, hold};
use crate::step::StepCause;

const SECOND: Duration = Duration::from_secs(1);
/// How many addresses of one name one attempt may try.
const CANDIDATES: u64 = 16;
/// Waiting peers that are released together are dialed this fast, or, if they are many, all within the time below. A
/// timeout may be late, so one second can see the dials of two.
const RELEASED_IN_A_SECOND: u64 = 2 * 7 + 2;
const RELEASED_WITHIN_SECONDS: u64 = 15;

#[derive(Clone, Debug, Default)]
pub(crate) struct DialStormRule {
    second: u64,
    dials: u64,
    /// Dials explained by commands, or by networks that are up again.
    asked_for: u64,
}

impl DialStormRule {
    fn turn(&mut self, seen: RuleContext<'_>) {
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

/// Most dials in a second to added peers that were released together.
fn released(ledger: &Ledger) -> u64 {
    let peers = u64::from(ledger.peers.len());
    CANDIDATES * peers.min(RELEASED_IN_A_SECOND.max(2 * peers / RELEASED_WITHIN_SECONDS + 2))
}

/// How often something with this interval can happen in a second.
fn times(interval: Duration) -> u64 {
    u64::try_from(SECOND.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u64::MAX).saturating_add(1)
}

impl Rule for DialStormRule {
    const PROPERTY: Property = Property::DialStorm;

    fn input(&mut self, seen: RuleContext<'_>, _: &Input, _: &Reply) -> RuleResult {
        self.turn(seen);
        self.asked_for += match seen.step.cause {
            StepCause::AddPeer | StepCause::DialNow(_) | StepCause::Reconnect(_) => CANDIDATES,
            StepCause::SetActive(_) | StepCause::Unban => {
                CANDIDATES * u64::from(seen.ledger.peers.len()) + seen.ledger.config.seeds.names.len() as u64
            }
            StepCause::NetworkChanged => released(seen.ledger) + seen.ledger.config.seeds.names.len() as u64,
            _ => 0,
        };
        Ok(())
    }

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
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
