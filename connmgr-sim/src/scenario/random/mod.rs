//! Random worlds: whole scenarios drawn from a grammar, to test worlds that nobody thought of.
//!
//! Each part of a world has its own draws, keyed by (seed, part): a new part of the grammar does not change the others.
//! The result is a plain [`Scenario`], so failures in it shrink like others. It promises nothing (`expect` is empty);
//! [`outlook`] says whether its pool can be filled.

mod bans;
mod draw;
mod faults;
mod hosts;
mod node;
mod outlook;
mod prospect;
mod steady;
mod times;

use crate::scenario::{Scenario, Span};
use draw::Draw;

pub use outlook::{Outlook, needs_nearly_all, outlook};
pub(crate) use steady::changes;
pub use steady::steady;

/// The prefix of a random world's name: `random:7` is the world of seed 7.
pub const PREFIX: &str = "random:";

/// Chance, in percent, of a world of two hours.
const LONG: u32 = 8;

/// The world of a seed. The same seed gives the same world in one release; another release may draw otherwise.
///
/// It has one manager, no promise (`expect`), and lasts ten minutes to two hours of virtual time.
pub fn scenario(seed: u64) -> Scenario {
    let mut scenario = Scenario::new(&format!("random-{seed}"), duration(&Draw::new(seed, "duration")));
    scenario.about = format!("World {seed} of the random worlds.");
    let draw = |part| Draw::new(seed, part);
    node::draw(&draw("node"), &mut scenario);
    hosts::draw(&draw("hosts"), &mut scenario);
    hosts::acquaint(&draw("knows"), &mut scenario);
    node::draw_seeds(&draw("seeds"), &mut scenario);
    node::draw_proxy(&draw("proxy"), &mut scenario);
    node::draw_peers(&draw("peers"), &mut scenario);
    node::draw_inbound(&draw("inbound"), &mut scenario);
    faults::draw(&draw("faults"), &mut scenario);
    bans::draw(&draw("bans"), &mut scenario);
    scenario
}

fn duration(draw: &Draw) -> Span {
    let mut dice = draw.dice("duration");
    if dice.percent(LONG) { Span::hours(2) } else { Span::minutes(dice.between(10, 20).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::case::Case;
    use crate::run::shrink::{Budget, shrink};
    use crate::run::{Terms, run};
    use crate::scenario::Bound;

    #[test]
    fn the_same_seed_gives_the_same_world_and_another_does_not() {
        assert_eq!(scenario(7), scenario(7));
        let mut texts: Vec<String> = (0..100).map(|seed| scenario(seed).to_toml()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), 100);
    }

    #[test]
    fn a_failure_in_a_random_world_shrinks() {
        let mut scenario = scenario(7);
        scenario.expect.bounds.push(Bound { of: "dials".into(), min: None, max: Some(0) });
        let outcome = run(&scenario, 7, Terms::default());
        let case = Case::of(&scenario, Terms::default(), &outcome).expect("somebody is dialed");
        let budget = Budget { steps: 100_000, inputs: 0 };
        let shrunk = shrink(&case, budget, &|_| {}).expect("it fails again").case;
        assert_eq!(shrunk.run().failures, std::slice::from_ref(&shrunk.failure));
        assert!(shrunk.scenario.to_toml().len() < scenario.to_toml().len());
    }

    /// Every part of the grammar is drawn often enough.
    #[test]
    fn worlds_differ_in_everything() {
        let worlds: Vec<Scenario> = (0..2000).map(scenario).collect();
        let share = |holds: fn(&Scenario) -> bool| worlds.iter().filter(|world| holds(world)).count() / 20;
        for (what, seen, expected) in [
            ("nothing goes wrong", share(|world| world.faults.is_empty()), 30..60),
            ("several things go wrong", share(|world| world.faults.len() > 1), 10..30),
            ("several networks", share(|world| networks(world) > 1), 25..60),
            ("a proxy", share(|world| world.proxy.is_some()), 20..50),
            ("hedging is as it is by default", share(|world| world.node.config.is_empty()), 50..80),
            ("strangers", share(|world| !world.inbound.is_empty()), 8..25),
            ("added peers", share(|world| !world.peers.is_empty()), 15..40),
            ("the operator bans subnets", share(|world| !world.bans.is_empty()), 7..15),
            ("and lets parts in", share(|world| world.bans.iter().any(|ban| ban.except > 0)), 4..12),
            ("long ones", share(|world| world.duration > Span::minutes(20)), 4..15),
            ("steady throughout", share(|world| steady(world).len() == 1), 20..60),
            ("nobody is known", share(|world| world.book.knows.is_empty()), 8..30),
            ("a large book", share(|world| world.hosts.iter().map(|spec| spec.count).sum::<u32>() > 1_000), 20..40),
        ] {
            assert!(expected.contains(&seen), "{what}: {seen} of 100");
        }
    }

    fn networks(world: &Scenario) -> usize {
        let mut networks: Vec<_> = world.hosts.iter().map(|spec| spec.network).collect();
        networks.dedup();
        networks.len()
    }

    #[test]
    fn some_worlds_fill_some_cannot_and_some_are_in_doubt() {
        let plan = |seed| crate::scenario::map::WorldMap::new(scenario(seed), seed);
        let outlooks: Vec<Outlook> = (0..200).map(|seed| outlook(&plan(seed))).collect();
        for sort in [Outlook::Fills, Outlook::Cannot, Outlook::Unsure] {
            let seen = outlooks.iter().filter(|outlook| **outlook == sort).count() / 2;
            assert!((3..70).contains(&seen), "{sort:?}: {seen} of 100");
        }
    }

    #[test]
    fn every_world_is_sound_and_is_read_as_it_was_written() {
        for seed in 0..2000 {
            let scenario = scenario(seed);
            assert_eq!(scenario.check(), Ok(()), "{seed}");
            assert_eq!(Scenario::parse(&scenario.to_toml()).as_ref(), Ok(&scenario), "{seed}");
        }
    }
}
