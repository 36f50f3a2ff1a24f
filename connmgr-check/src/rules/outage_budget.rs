//! A network that is down is probed by few dials: none before its time, which is twice as long after each, unless an
//! answer elsewhere brings one forward; and in no hour more than that explains (120 by default). It goes down and comes
//! up in turn.

use core::time::Duration;
use std::collections::VecDeque;

use connmgr_core::{Action, Event, HealthConfig, NetworkKind, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

const HOUR: Duration = Duration::from_secs(3600);

/// How often in an hour an answer elsewhere may bring a probe forward.
const HURRIED: usize = 2;

/// The outage of one network.
#[derive(Clone, Debug, Default)]
struct Outage {
    /// Its dials within the last hour.
    lately: VecDeque<Time>,
    /// The next one is not before this, …
    not_before: Time,
    /// … and the one after it not before this has passed.
    wait: Duration,
    /// The next one may come at any time.
    hurried: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct OutageBudget {
    outages: [Outage; NetworkKind::ALL.len()],
    most: usize,
}

impl OutageBudget {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        Self { outages: Default::default(), most: in_an_hour(&ledger.config.health) }
    }

    fn begin(&mut self, network: NetworkKind, config: &HealthConfig, now: Time) {
        let first = config.first_probe.min(config.max_probe);
        self.outages[network.index()] = Outage { not_before: now, wait: first, ..Outage::default() };
        self.outages[network.index()].pause(config, now);
    }

    fn probe(&mut self, network: NetworkKind, config: &HealthConfig, now: Time) -> Verdict {
        let outage = &mut self.outages[network.index()];
        let (not_before, hurried) = (outage.not_before, std::mem::take(&mut outage.hurried));
        hold(hurried || not_before <= now, || {
            format!("{network} is down, and dialed at {now}, with the next probe at {not_before}")
        })?;
        outage.pause(config, now);
        outage.lately.push_back(now);
        while outage.lately.front().is_some_and(|at| at.after(HOUR) <= now) {
            outage.lately.pop_front();
        }
        hold(outage.lately.len() <= self.most, || {
            let count = outage.lately.len();
            format!("{count} dials to {network} within an hour while it is down, of at most {}", self.most)
        })
    }
}

impl Outage {
    fn pause(&mut self, config: &HealthConfig, now: Time) {
        self.not_before = now.after(self.wait);
        self.wait = (2 * self.wait).min(config.max_probe);
    }
}

/// The most dials that any hour can see: the first waits of an outage, and those brought forward.
fn in_an_hour(config: &HealthConfig) -> usize {
    let (mut at, mut wait, mut count) = (Duration::ZERO, config.first_probe.min(config.max_probe), 0);
    while at + wait < HOUR {
        at += wait;
        count += 1;
        wait = (2 * wait).min(config.max_probe);
    }
    count + HURRIED
}

impl Rule for OutageBudget {
    const PROPERTY: Property = Property::OutageBudget;

    fn action(&mut self, seen: Seen<'_>, action: &Action) -> Verdict {
        match action {
            Action::Dial { target, .. } => match seen.ledger.suspected(target) {
                Some(network) => self.probe(network, &seen.ledger.config.health, seen.now()),
                None => Ok(()),
            },
            Action::Emit(Event::NetworkDown { network }) => {
                self.begin(*network, &seen.ledger.config.health, seen.now());
                hold(!seen.ledger.is_down(*network), || format!("{network} is down, and goes down again"))
            }
            Action::Emit(Event::NetworkUp { network }) => {
                self.outages.iter_mut().for_each(|outage| outage.hurried = true);
                hold(seen.ledger.is_down(*network), || format!("{network} is up, and comes up again"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_an_hour_sees_at_most_120() {
        let most = in_an_hour(&HealthConfig::default());
        assert!((110..=120).contains(&most), "{most}");
    }
}
