//! How long things take: from a millisecond to beyond every deadline, always the same or spread.

use connmgr_core::{DialConfig, NetworkKind};

use super::draw::Draw;
use crate::scenario::{Span, TimeSpread};

/// A spread of times whose size lies between two, in milliseconds.
pub(super) fn spread(draw: &Draw, least: u32, most: u32) -> TimeSpread {
    let mut dice = draw.dice("spread");
    let form = dice.of(&[(45, Form::Fixed), (25, Form::Uniform), (15, Form::Exponential), (15, Form::Tailed)]);
    let middle = dice.time(least, most);
    match form {
        Form::Fixed => TimeSpread::Fixed(middle),
        Form::Exponential => TimeSpread::Exponential(middle),
        Form::Uniform => {
            TimeSpread::Uniform(times(middle, 1, dice.between(1, 10)), times(middle, dice.between(1, 10), 1))
        }
        Form::Tailed => {
            let tail = dice.between(2, 40);
            TimeSpread::Quantiles(
                [(1, 4), (1, 2), (1, 1), (2, 1), (tail, 1)].map(|(up, down)| times(middle, up, down)).to_vec(),
            )
        }
    }
}

/// How long hosts of a network take to answer, or to shake hands: as published, near one of the manager's deadlines,
/// or anything from a millisecond to beyond all of them.
pub(super) fn answer(draw: &Draw, network: NetworkKind, longest: u32) -> Option<TimeSpread> {
    let mut dice = draw.dice("sort");
    match dice.of(&[(55, AnswerSort::Published), (20, AnswerSort::NearDeadline), (25, AnswerSort::Any)]) {
        AnswerSort::Published => None,
        AnswerSort::NearDeadline => {
            let dial = DialConfig::default();
            let patience = if is_hidden(network) { dial.proxied } else { dial.direct };
            let deadline = dice.of(&[(70, patience.hedge_after), (30, patience.timeout)]);
            Some(TimeSpread::Fixed(times(Span(deadline), dice.between(10, 40), 20)))
        }
        AnswerSort::Any => Some(spread(draw, 1, longest)),
    }
}

/// Whether hosts of a network can be dialed only through a proxy.
pub(super) const fn is_hidden(network: NetworkKind) -> bool {
    matches!(network, NetworkKind::Onion | NetworkKind::I2p)
}

#[derive(Clone, Copy)]
enum AnswerSort {
    Published,
    NearDeadline,
    Any,
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
