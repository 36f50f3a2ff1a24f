//! Draws of the grammar: choices by weight, and numbers drawn on a logarithmic scale.

use std::time::Duration;

use crate::scenario::Span;
use crate::types::{Dice, DrawPurpose, Share};

/// The draws of one part of a world. Each named draw is independent of the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw(Dice);

impl Draw {
    pub(super) fn new(seed: u64, part: &str) -> Self {
        Self(Dice::new(seed, DrawPurpose::Grammar, crate::types::text_key(part)))
    }

    /// The draws of the `number`-th element of a list.
    pub(super) const fn part(&self, number: u32) -> Self {
        Self(self.0.part(number as u64))
    }

    /// The dice of one named draw.
    pub(super) fn dice(&self, name: &str) -> Chance {
        Chance(self.0.part(crate::types::text_key(name)))
    }
}

/// One draw after another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance(Dice);

impl Chance {
    /// True so many times in a hundred.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.0.happens(Share::percent(percent))
    }

    /// A number from `least` to `most`, all equally likely.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        let width = u64::from(most.saturating_sub(least)) + 1;
        least + u32::try_from(self.0.below(width)).expect("below a width of 32 bits")
    }

    /// One of these, by weight. The list is not empty.
    pub(super) fn of<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let mut left = self.0.below(choices.iter().map(|(weight, _)| u64::from(*weight)).sum());
        for (weight, choice) in choices {
            match left.checked_sub((*weight).into()) {
                Some(rest) => left = rest,
                None => return *choice,
            }
        }
        choices.last().expect("there is at least one").1
    }

    /// A number from `least` (at least 1) to `most`; each doubling is equally likely.
    pub(super) fn sized(&mut self, least: u32, most: u32) -> u32 {
        let (low, high) = (position(least.max(1)), position(most.max(least).max(1)));
        at(low + self.0.below(high - low + 1)).clamp(least, most)
    }

    /// A time between two, in milliseconds, rounded to two digits; each doubling is equally likely.
    pub(super) fn time(&mut self, least: u32, most: u32) -> Span {
        let drawn = self.sized(least, most);
        let unit = 10u32.pow(drawn.ilog10().saturating_sub(1));
        Span(Duration::from_millis((drawn / unit * unit).max(least).into()))
    }

    /// A share between two hundredths; each doubling is equally likely.
    pub(super) fn share(&mut self, least: u32, most: u32) -> Share {
        Share::percent(self.sized(least, most))
    }
}

/// Steps between a number and its double.
const STEPS: u64 = 1 << 16;

/// Where a number lies when each doubling is equally far; straight lines between powers of two.
fn position(number: u32) -> u64 {
    let doublings = number.ilog2();
    let above = u64::from(number) - (1 << doublings);
    u64::from(doublings) * STEPS + ((above * STEPS) >> doublings)
}

/// The number at a position.
fn at(position: u64) -> u32 {
    let (doublings, above) = (position / STEPS, position % STEPS);
    u32::try_from((1 << doublings) + ((above << doublings) / STEPS)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_doubling_is_equally_likely() {
        let mut dice = Draw::new(1, "test").dice("sizes");
        let drawn: Vec<u32> = (0..10_000).map(|_| dice.sized(1, 1024)).collect();
        assert!(drawn.iter().all(|number| (1..=1024).contains(number)));
        for doublings in 0..10u32 {
            let within = drawn.iter().filter(|number| number.ilog2() == doublings).count();
            assert!((800..1200).contains(&within), "{within} from {} on", 1 << doublings);
        }
    }

    #[test]
    fn a_choice_comes_as_often_as_it_weighs() {
        let mut dice = Draw::new(1, "test").dice("choices");
        let heavy = (0..10_000).filter(|_| dice.of(&[(1, false), (3, true)])).count();
        assert!((7_200..7_800).contains(&heavy), "{heavy}");
    }
}
