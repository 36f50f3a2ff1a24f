//! How long things take: from a millisecond to beyond every deadline, always the same or spread.

use super::draw::Draw;
use crate::scenario::{Span, Spread};

/// A spread of times whose size lies between two, in milliseconds.
pub(super) fn spread(draw: &Draw, least: u32, most: u32) -> Spread {
    let mut dice = draw.dice("spread");
    let form = dice.of(&[(45, Form::Fixed), (25, Form::Uniform), (15, Form::Exponential), (15, Form::Tailed)]);
    let middle = dice.time(least, most);
    match form {
        Form::Fixed => Spread::Fixed(middle),
        Form::Exponential => Spread::Exponential(middle),
        Form::Uniform => Spread::Uniform(times(middle, 1, dice.between(1, 10)), times(middle, dice.between(1, 10), 1)),
        Form::Tailed => {
            let tail = dice.between(2, 40);
            Spread::Quantiles(
                [(1, 4), (1, 2), (1, 1), (2, 1), (tail, 1)].map(|(up, down)| times(middle, up, down)).to_vec(),
            )
        }
    }
}

#[derive(Clone, Copy)]
enum Form {
    Fixed,
    Uniform,
    Exponential,
    /// Many are quick and a few take long.
    Tailed,
}

/// A time multiplied and divided, in whole milliseconds.
fn times(span: Span, up: u32, down: u32) -> Span {
    let millis = span.0.as_millis() * u128::from(up) / u128::from(down.max(1));
    Span::millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
