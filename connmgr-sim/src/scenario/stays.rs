//! Which hosts leave for good each day, and which replace them.

use std::ops::Range;
use std::time::Duration;

use crate::scenario::HostSpec;
use crate::types::{Dice, DrawPurpose, Instant, Share};

const DAY: Duration = Duration::from_secs(86_400);

/// From when until when a host exists, churn apart.
pub(crate) type Stay = Range<Instant>;

/// How long each host of a population exists: the first hosts, then their replacements in order of arrival.
/// Each place has its own draws, so that a shorter world begins like a longer one.
pub(crate) fn stays(spec: &HostSpec, seed: u64, end: Instant) -> Vec<Stay> {
    let mut stays = vec![Instant::ZERO..Instant::MAX; spec.count as usize];
    let leaves = spec.churn.as_ref().map_or(Share::NONE, |churn| churn.leaves);
    if leaves == Share::NONE {
        return stays;
    }
    let dice = Dice::new(seed, DrawPurpose::Departure, crate::types::text_key(&spec.name));
    let mut newcomers = Vec::new();
    for (place, first) in (0..).zip(&mut stays) {
        let mut stay = first.clone();
        for at in departures(leaves, end, &dice.part(place)) {
            let successor = at..Instant::MAX;
            stay.end = at;
            let gone = std::mem::replace(&mut stay, successor);
            if gone.start == Instant::ZERO { *first = gone } else { newcomers.push(gone) }
        }
        if stay.start > Instant::ZERO {
            newcomers.push(stay);
        }
    }
    newcomers.sort_by_key(|stay| stay.start);
    stays.extend(newcomers);
    stays
}

/// When the hosts at one place leave it: at most one a day, at any time of the day.
fn departures(leaves: Share, end: Instant, dice: &Dice) -> impl Iterator<Item = Instant> {
    let days = std::iter::successors(Some(Instant::ZERO), |day| Some(day.after(DAY)));
    let dice = *dice;
    days.zip(0..).take_while(move |(day, _)| *day < end).filter_map(move |(day, number)| {
        let mut chance = dice.part(number);
        // Nobody leaves at the very beginning: its successor comes later than that.
        chance.happens(leaves).then(|| day.after(chance.between(Duration::from_nanos(1), DAY)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Churn, Span, TimeSpread};

    fn population(leaves: Share) -> HostSpec {
        let churn = Churn { up: TimeSpread::Fixed(Span::hours(1)), down: TimeSpread::Fixed(Span::hours(1)), leaves };
        HostSpec { churn: Some(churn), ..HostSpec::new("network", 1000) }
    }

    fn days(days: u64) -> Instant {
        Instant::ZERO.after(Span::days(days).0)
    }

    #[test]
    fn the_share_leaves_each_day_and_is_replaced() {
        let stays = stays(&population(Share::percent(8)), 1, days(7));
        for day in 0..7 {
            let gone = stays.iter().filter(|stay| stay.end > days(day) && stay.end <= days(day + 1)).count();
            assert!((55..105).contains(&gone), "{gone} of 1000 leave on day {day}");
            let there = stays.iter().filter(|stay| stay.contains(&days(day))).count();
            assert_eq!(there, 1000, "day {day}");
        }
    }

    #[test]
    fn nobody_leaves_where_nobody_is_said_to() {
        assert_eq!(stays(&population(Share::NONE), 1, days(7)), vec![Instant::ZERO..Instant::MAX; 1000]);
    }

    #[test]
    fn a_world_cut_short_begins_as_it_did() {
        let (week, day) = [days(7), days(1)].map(|end| stays(&population(Share::percent(8)), 1, end)).into();
        let started = |stays: &[Stay]| stays.iter().map(|stay| stay.start).collect::<Vec<_>>();
        assert_eq!(started(&week)[..day.len()], started(&day));
    }
}
