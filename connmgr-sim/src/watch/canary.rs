//! A checker that is broken on purpose, and a world in which it fails. It tests the tools that find and shrink
//! failures: a known failure must be found.

use connmgr_check::{Property, Violation};
use connmgr_core::{Action, Event, Time};

use crate::scenario::{Base, HostSpec, InboundSpec, PeerSpec, Scenario, Span, TimeSpread};
use crate::types::Share;

/// Fails at the third ban of a manager.
#[derive(Clone, Debug, Default)]
pub struct Canary {
    bans: u32,
}

impl Canary {
    const BANS: u32 = 3;

    pub(crate) fn action(&mut self, action: &Action) {
        if let Action::Emit(Event::Banned { .. }) = action {
            self.bans += 1;
        }
    }

    pub(crate) fn judge(&self, now: Time) -> Result<(), Violation> {
        if self.bans < Self::BANS {
            return Ok(());
        }
        let what = format!("{} bans, and the canary falls at the third", self.bans);
        Err(Violation { property: Property::Canary, at: now, what })
    }
}

/// A world in which the canary fails after about ten thousand steps: one in four hundred inbound peers
/// misbehaves.
pub fn world() -> Scenario {
    let mut scenario = Scenario::new("canary", Span::days(2));
    scenario.about = "Strangers come all the time; one in four hundred misbehaves.".to_owned();
    scenario.node.base = Base::Bitcoin;
    scenario.node.listens = true;
    scenario.hosts.push(HostSpec::new("network", 300));
    scenario.peers.push(PeerSpec::new("network", 3));
    scenario.inbound.push(InboundSpec {
        name: "strangers".to_owned(),
        every: TimeSpread::Exponential(Span::secs(20)),
        from: Span::minutes(1),
        until: None,
        hosts: 2000,
        groups: 200,
        behind_nat: false,
        handshake: Some(TimeSpread::Fixed(Span::millis(200))),
        stays: Some(TimeSpread::Exponential(Span::minutes(5))),
        misbehaves: Share(2500),
        tells: 0,
        tells_about: None,
    });
    scenario
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Terms, run};

    #[test]
    fn the_canary_falls_after_thousands_of_steps_and_only_where_it_is() {
        assert_eq!(world().check(), Ok(()));
        let with = run(&world(), 1, Terms { canary: true, ..Terms::default() });
        assert_eq!(with.failures.first().and_then(|failure| failure.property()), Some(Property::Canary));
        assert!(with.steps > 5_000, "{} steps", with.steps);
    }
}
