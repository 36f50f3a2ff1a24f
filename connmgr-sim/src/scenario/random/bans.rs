//! The subnets that the operator of a random world bans.

use super::draw::Draw;
use crate::scenario::ban::has_subnets;
use crate::scenario::{BanSpec, Scenario, Span};
use crate::types::Share;

/// Chance, in percent, of bans where there is somebody to ban.
const CHANCE: u32 = 13;
/// The most hosts of a subnet that are let in.
const MOST_LET_IN: u32 = 60;

/// Draws bans of hosts and of strangers, with exceptions or without.
pub(super) fn draw(draw: &Draw, scenario: &mut Scenario) {
    let hosts = scenario.hosts.iter().filter(|spec| has_subnets(spec)).map(|spec| &spec.name);
    let names: Vec<&String> = hosts.chain(scenario.inbound.iter().map(|spec| &spec.name)).collect();
    let mut dice = draw.dice("count");
    if names.is_empty() || !dice.percent(CHANCE) {
        return;
    }
    let last = u32::try_from(names.len()).expect("a handful") - 1;
    let longest = u32::try_from(scenario.duration.0.as_millis()).unwrap_or(u32::MAX);
    for number in 0..dice.of(&[(70, 1), (30, 2)]) {
        let mut dice = draw.part(number).dice("ban");
        let of = names[dice.between(0, last) as usize].clone();
        let share = if dice.percent(40) { Share::ALL } else { dice.share(2, 100) };
        let at = if dice.percent(40) { Span::default() } else { dice.time(1_000, longest / 4 * 3) };
        let lasts = dice.time(10_000, longest.saturating_mul(2));
        let except = if dice.percent(70) { dice.sized(1, MOST_LET_IN) } else { 0 };
        let lifted_at = dice.percent(20).then(|| Span(at.0 + dice.time(1_000, longest).0));
        scenario.bans.push(BanSpec { of, share, at, lasts, except, lifted_at });
    }
}
