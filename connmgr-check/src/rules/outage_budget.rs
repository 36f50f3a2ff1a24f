//! A network that is down is probed by few dials. The wait between probes doubles after each; when another network comes
//! up, one probe may come early. The dials of any hour stay within what that explains (120 by default). `NetworkDown` and
//! `NetworkUp` alternate.

use core::time::Duration;
use std::collections::VecDeque;

use connmgr_core::{Action, Event, HealthConfig, NetworkKind, Time};

use super::{Property, Rule, RuleContext, RuleResult, hold};

const HOUR: Duration = Duration::from_secs(3600);

/// How often in an hour a probe may come early because another network came up.
const HURRIED: usize = 2;

/// The outage of one network.
#[derive(Clone, Debug, Default)]
struct Outage {
    /// Its dials within the last hour.
    lately: VecDeque<Time>,
    /// The next probe is not before this.
    not_before: Time,
    /// The wait from that probe to the one after it.
    wait: Duration,
    /// The next probe may come at any time.
    hurried: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct OutageBudgetRule {
    outages: [Outage; NetworkKind::ALL.len()],
}

impl OutageBudgetRule {
    fn begin(&mut self, network: NetworkKind, config: &HealthConfig, now: Time) {
        let first = config.first_probe.min(config.max_probe);
        self.outages[network.index()] = Outage { not_before: now, wait: first, ..Outage::default() };
        self.outages[network.index()].pause(config, now);
    }

    fn probe(&mut self, network: NetworkKind, config: &HealthConfig, now: Time) -> RuleResult {
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
        let (count, most) = (outage.lately.len(), in_an_hour(config));
        hold(count <= most, || format!("{count} dials to {network} within an hour while it is down, of at most {most}"))
    }
}

impl Outage {
    fn pause(&mut self, config: &HealthConfig, now: Time) {
        self.not_before = now.after(self.wait);
        self.wait = (2 * self.wait).min(config.max_probe);
    }
}

/// The most dials that an hour can see: the first hour of an outage, and the early ones.
fn in_an_hour(config: &HealthConfig) -> usize {
    let (mut at, mut wait, mut count) = (Duration::ZERO, config.first_probe.min(config.max_probe), 0);
    while at + wait < HOUR {
        at += wait;
        count += 1;
        wait = (2 * wait).min(config.max_probe);
    }
    count + HURRIED
}

impl Rule for OutageBudgetRule {
    const PROPERTY: Property = Property::OutageBudget;

    fn action(&mut self, seen: RuleContext<'_>, action: &Action) -> RuleResult {
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
