//! Our policy and the models of two others in the same world.

use connmgr_check::words;
use connmgr_core::ConfigError;

use crate::run::figures::Figures;
use crate::run::outcome::finish;
use crate::scenario::{Expect, Scenario};
use crate::subject::models::{BtcdLike, CoreLike};
use crate::types::Instant;
use crate::watch::Real;
use crate::world::subject::Subject;
use crate::world::{Scrutiny, World};

words! {
    /// Whose policy.
    Contender, UnknownContender, "policy" {
        /// The manager of this project.
        Ours => "ours",
        /// [`CoreLike`].
        CoreLike => "core-like",
        /// [`BtcdLike`].
        BtcdLike => "btcd-like",
    }
}

impl Contender {
    /// The figures of a run under this policy. Nothing is judged: promises are about our manager.
    ///
    /// # Errors
    /// When the configuration of the managers is refused.
    pub fn figures(self, scenario: &Scenario, seed: u64) -> Result<Figures, ConfigError> {
        match self {
            Self::Ours => measure::<Real>(scenario, seed),
            Self::CoreLike => measure::<CoreLike>(scenario, seed),
            Self::BtcdLike => measure::<BtcdLike>(scenario, seed),
        }
    }
}

fn measure<S: Subject>(scenario: &Scenario, seed: u64) -> Result<Figures, ConfigError> {
    let healed_at = scenario.healed_at().map(Instant::span);
    let unjudged = Scenario { expect: Expect { healed_at, ..Expect::default() }, ..scenario.clone() };
    let mut world: World<S> = World::new(unjudged, seed, Scrutiny::None)?;
    Ok(finish(&mut world).figures)
}

#[cfg(test)]
mod tests {
    use connmgr_core::Limits;

    use super::*;
    use crate::scenario::{Acquaintance, FaultKind, FaultSpec, HostSpec, PeerSpec, Span};
    use crate::types::Figure;

    fn world(reachable: u32) -> Scenario {
        let mut scenario = Scenario::new("small", Span::hours(2));
        scenario
            .hosts
            .push(HostSpec { reachable: crate::types::Share::percent(reachable), ..HostSpec::new("all", 500) });
        let seen_within = Span::days(3);
        scenario.book.knows = vec![Acquaintance { of: "all".into(), count: None, seen_within, tried: false }];
        scenario
    }

    fn of(policy: Contender, scenario: &Scenario, figure: Figure) -> u64 {
        let figures = policy.figures(scenario, 1).expect("a good configuration");
        figures.get(figure).most.unwrap_or(u64::MAX)
    }

    #[test]
    fn every_policy_fills_its_pool() {
        for policy in Contender::ALL.iter().copied() {
            let seconds = of(policy, &world(50), Figure::ToTarget) / 1000;
            assert!(seconds < 300, "{}: {seconds} s", policy.name());
        }
    }

    #[test]
    fn every_policy_dials_an_added_peer_within_seconds() {
        let mut scenario = Scenario::new("friend", Span::hours(1));
        scenario.node.limits = Some(Limits { full: 0, block_relay: 0, ..Limits::default() });
        scenario.hosts.push(HostSpec::new("friend", 1));
        let at = Span::default();
        let friend = PeerSpec { at, ..PeerSpec::new("friend", 1) };
        scenario.peers.push(friend);
        for policy in Contender::ALL.iter().copied() {
            let millis = of(policy, &scenario, Figure::ToTarget);
            assert!((1..4_000).contains(&millis), "{}: {millis} ms", policy.name());
        }
    }

    #[test]
    fn only_ours_keeps_a_budget_when_the_interface_is_pulled() {
        let mut scenario = world(100);
        scenario.faults.push(FaultSpec {
            fault: FaultKind::Interface,
            at: Span::minutes(10),
            lasts: Some(Span::hours(1)),
            every: None,
            times: None,
            share: crate::types::Share::ALL,
            chance: crate::types::Share::ALL,
        });
        let all = [Contender::Ours, Contender::CoreLike, Contender::BtcdLike];
        let [ours, core, btcd] = all.map(|policy| of(policy, &scenario, Figure::DialsInFaults));
        assert!(ours < 300, "{ours}");
        assert!(core > 3000, "{core}");
        assert!(btcd > 2000, "{btcd}");
    }
}
