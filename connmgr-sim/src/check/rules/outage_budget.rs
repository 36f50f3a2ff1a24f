//! A network that is down is probed by few dials: in no hour more than the schedule of probes explains (120 by
//! default). It goes down and comes up in turn.

use core::time::Duration;
use std::collections::VecDeque;

use connmgr_core::{Action, Event, HealthConfig, NetworkKind, Time};

use super::{Ledger, Property, Rule, Seen, Verdict, hold};

const HOUR: Duration = Duration::from_secs(3600);

/// How often in an hour an answer elsewhere may bring a probe forward.
const HURRIED: usize = 2;

#[derive(Clone, Debug)]
pub(crate) struct OutageBudget {
    /// The dials of this outage within the last hour, of each network.
    lately: [VecDeque<Time>; NetworkKind::ALL.len()],
    most: usize,
}

impl OutageBudget {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        Self { lately: Default::default(), most: in_an_hour(&ledger.config.health) }
    }

    fn probe(&mut self, network: NetworkKind, now: Time) -> Verdict {
        let lately = &mut self.lately[network.index()];
        lately.push_back(now);
        while lately.front().is_some_and(|at| at.after(HOUR) <= now) {
            lately.pop_front();
        }
        hold(lately.len() <= self.most, || {
            format!("{} dials to {network} within an hour while it is down, of at most {}", lately.len(), self.most)
        })
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
                Some(network) => self.probe(network, seen.now()),
                None => Ok(()),
            },
            Action::Emit(Event::NetworkDown { network }) => {
                self.lately[network.index()].clear();
                hold(!seen.ledger.is_down(*network), || format!("{network} is down, and goes down again"))
            }
            Action::Emit(Event::NetworkUp { network }) => {
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
