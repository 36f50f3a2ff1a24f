//! Random worlds: whole scenarios drawn from a grammar, so that worlds are tried that nobody imagined.
//!
//! Each part of a world has draws of its own, keyed by (seed, part): a part that the grammar gains changes no other.
//! What is drawn is a plain [`Scenario`], so that a failure in it shrinks like any other. The grammar promises nothing
//! of what it draws: no world has an `expect`, and [`outlook`] says what can be said of it,.

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

pub use outlook::{Outlook, outlook};
pub(crate) use steady::changes;
pub use steady::steady;

/// What the names of random worlds begin with where a scenario is named: `random:7` is the world of seed 7.
pub const PREFIX: &str = "random:";

/// Chance, in hundredths, of a world that is long enough for a storm.
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
    scenario
}

fn duration(draw: &Draw) -> Span {
    let mut dice = draw.dice("duration");
    if dice.percent(LONG) { Span::hours(2) } else { Span::minutes(dice.between(10, 20).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_world_and_another_does_not() {
        assert_eq!(scenario(7), scenario(7));
        let mut texts: Vec<String> = (0..100).map(|seed| scenario(seed).to_toml()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), 100);
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
