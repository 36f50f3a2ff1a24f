//! How long something takes: a distribution, written as text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Span;
use crate::types::text::as_text;
use crate::types::{Dice, Share};

/// How long something takes.
///
/// As text: `80ms` (always), `20ms .. 300ms` (all equally likely), `about 80ms` (exponential with this mean),
/// `10ms | 50ms | 80ms | 2s` (quantiles at equal distances, straight lines between), or
/// `p0 5ms | p50 80ms | p99 1s 500ms | p100 5s` (quantiles at these percents, straight lines between).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeSpread {
    /// Always the same.
    Fixed(Span),
    /// All equally likely.
    Uniform(Span, Span),
    /// Exponential with this mean, at most ten times it.
    Exponential(Span),
    /// Quantiles at equal distances, from the least to the greatest; at least two.
    Quantiles(Vec<Span>),
    /// Quantiles at these shares, from nothing to all; shares rise, and times do not fall.
    Percentiles(Vec<(Share, Span)>),
}

impl TimeSpread {
    /// Draws one.
    pub fn draw(&self, dice: &mut Dice) -> Duration {
        match self {
            Self::Fixed(span) => span.0,
            Self::Uniform(from, to) => dice.between(from.0, to.0),
            Self::Exponential(mean) => dice.exponential(mean.0),
            Self::Quantiles(spans) => {
                let lower = dice.index(spans.len().saturating_sub(1));
                match (spans.get(lower), spans.get(lower + 1)) {
                    (Some(from), Some(to)) => dice.between(from.0, to.0),
                    (Some(only), None) => only.0,
                    (None, _) => Duration::ZERO,
                }
            }
            Self::Percentiles(points) => {
                let share = Share(u32::try_from(dice.below(Share::ALL.0.into())).expect("below a million"));
                let above = points.iter().position(|(at, _)| *at > share);
                match (above.and_then(|above| points.get(above.checked_sub(1)?)), above.and_then(|at| points.get(at))) {
                    (Some((_, from)), Some((_, to))) => dice.between(from.0, to.0),
                    (None, _) | (_, None) => Duration::ZERO,
                }
            }
        }
    }

    /// The shortest that can be drawn.
    pub fn least(&self) -> Duration {
        match self {
            Self::Fixed(span) | Self::Uniform(span, _) => span.0,
            Self::Exponential(_) => Duration::ZERO,
            Self::Quantiles(spans) => spans.first().map_or(Duration::ZERO, |span| span.0),
            Self::Percentiles(points) => points.first().map_or(Duration::ZERO, |(_, span)| span.0),
        }
    }

    /// A lower bound on the share of draws that are no longer than `limit`.
    pub fn share_within(&self, limit: Duration) -> Share {
        let all_if = |holds| if holds { Share::ALL } else { Share::NONE };
        match self {
            Self::Fixed(span) => all_if(span.0 <= limit),
            Self::Uniform(from, to) => {
                let (width, within) =
                    (to.0.saturating_sub(from.0).as_micros(), limit.saturating_sub(from.0).as_micros());
                (within * 1_000_000).checked_div(width).map_or_else(|| all_if(from.0 <= limit), millionths)
            }
            // 1 - e^-1 and 1 - e^-3.
            Self::Exponential(mean) if limit >= mean.0.saturating_mul(3) => Share::percent(95),
            Self::Exponential(mean) if limit >= mean.0 => Share::percent(63),
            Self::Exponential(_) => Share::NONE,
            Self::Quantiles(spans) => {
                let within = spans.iter().filter(|span| span.0 <= limit).count().saturating_sub(1);
                (within as u128 * 1_000_000).checked_div(spans.len() as u128 - 1).map_or(Share::NONE, millionths)
            }
            Self::Percentiles(points) => {
                points.iter().rev().find(|(_, span)| span.0 <= limit).map_or(Share::NONE, |(at, _)| *at)
            }
        }
    }

    /// The longest that can be drawn.
    pub fn most(&self) -> Duration {
        match self {
            Self::Fixed(span) | Self::Uniform(_, span) => span.0,
            Self::Exponential(mean) => mean.0.saturating_mul(10),
            Self::Quantiles(spans) => spans.last().map_or(Duration::ZERO, |span| span.0),
            Self::Percentiles(points) => points.last().map_or(Duration::ZERO, |(_, span)| span.0),
        }
    }
}

impl Default for TimeSpread {
    fn default() -> Self {
        Self::Fixed(Span::default())
    }
}

impl From<Span> for TimeSpread {
    fn from(span: Span) -> Self {
        Self::Fixed(span)
    }
}

impl fmt::Display for TimeSpread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(span) => span.fmt(f),
            Self::Uniform(from, to) => write!(f, "{from} .. {to}"),
            Self::Exponential(mean) => write!(f, "about {mean}"),
            Self::Quantiles(spans) => {
                let texts: Vec<String> = spans.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(" | "))
            }
            Self::Percentiles(points) => {
                let text = |(at, span): &(Share, Span)| format!("p{} {span}", at.to_string().trim_end_matches(" %"));
                let texts: Vec<String> = points.iter().map(text).collect();
                f.write_str(&texts.join(" | "))
            }
        }
    }
}

impl FromStr for TimeSpread {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span = |text: &str| text.trim().parse::<Span>();
        if let Some(mean) = text.trim().strip_prefix("about ") {
            return span(mean).map(Self::Exponential);
        }
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (span(from)?, span(to)?);
            return if from <= to { Ok(Self::Uniform(from, to)) } else { Err(format!("`{text}` runs backwards")) };
        }
        if text.trim_start().starts_with('p') {
            return percentiles(text).map(Self::Percentiles);
        }
        if text.contains('|') {
            let spans = text.split('|').map(span).collect::<Result<Vec<_>, _>>()?;
            return if spans.is_sorted() { Ok(Self::Quantiles(spans)) } else { Err(format!("`{text}` does not rise")) };
        }
        span(text).map(Self::Fixed)
    }
}

fn millionths(number: u128) -> Share {
    Share(u32::try_from(number).unwrap_or(u32::MAX).min(Share::ALL.0))
}

fn percentiles(text: &str) -> Result<Vec<(Share, Span)>, String> {
    let point = |text: &str| {
        let wrong = || format!("`{}` is not a point such as `p90 300ms`", text.trim());
        let (at, span) = text.trim().strip_prefix('p').and_then(|text| text.split_once(' ')).ok_or_else(wrong)?;
        Ok::<_, String>((format!("{at} %").parse::<Share>()?, span.trim().parse::<Span>()?))
    };
    let points = text.split('|').map(point).collect::<Result<Vec<_>, _>>()?;
    let rises = points.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1);
    let ends = points.first().is_some_and(|(at, _)| *at == Share::NONE)
        && points.last().is_some_and(|(at, _)| *at == Share::ALL);
    match (ends, rises) {
        (true, true) => Ok(points),
        (false, _) => Err(format!("`{text}` does not go from p0 to p100")),
        (true, false) => Err(format!("`{text}` does not rise")),
    }
}

as_text!(TimeSpread);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::DrawPurpose;

    #[test]
    fn every_form_is_read_and_written() {
        let points = "p0 5ms | p50 80ms | p99.5 1s 500ms | p100 5s";
        for text in ["80ms", "20ms .. 300ms", "about 80ms", "10ms | 50ms | 2s", points] {
            let spread: TimeSpread = text.parse().expect(text);
            assert_eq!(spread.to_string(), text);
        }
        for wrong in ["", "3s .. 1s", "3s | 1s", "about", "p0 1s", "p0 2s | p100 1s", "p1 1s | p100 2s", "p0 1s | 2s"] {
            assert!(wrong.parse::<TimeSpread>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_more_is_said_to_lie_within_a_limit_than_does() {
        let texts = ["80ms", "20ms .. 300ms", "about 80ms", "10ms | 50ms | 2s", "p0 5ms | p50 80ms | p100 5s"];
        for spread in texts.map(|text| text.parse::<TimeSpread>().expect(text)) {
            let mut dice = Dice::new(1, DrawPurpose::Latency, 1);
            let draws: Vec<Duration> = (0..10_000).map(|_| spread.draw(&mut dice)).collect();
            for limit in [1, 40, 79, 80, 250, 3_000, 10_000].map(Duration::from_millis) {
                let seen = draws.iter().filter(|draw| **draw <= limit).count();
                let said = spread.share_within(limit).of(10_000) as usize;
                assert!(said <= seen + 200, "{spread} within {limit:?}: {said} and {seen}");
                assert!(said > 0 || seen < 7_000, "{spread} within {limit:?}: {seen}");
            }
            assert!(spread.share_within(Duration::from_secs(9)) > Share::percent(90), "{spread}");
        }
    }

    #[test]
    fn as_many_draws_lie_below_a_point_as_its_percent_says() {
        let spread: TimeSpread = "p0 5ms | p50 80ms | p90 300ms | p99 1s 500ms | p100 5s".parse().expect("a spread");
        let mut dice = Dice::new(1, DrawPurpose::Latency, 1);
        let draws: Vec<Duration> = (0..100_000).map(|_| spread.draw(&mut dice)).collect();
        for (percent, millis) in [(50, 80), (90, 300), (99, 1_500)] {
            let below = draws.iter().filter(|draw| **draw <= Duration::from_millis(millis)).count();
            assert!(below.abs_diff(percent * 1_000) < 500, "{below} of 100 000 within {millis} ms");
        }
        let (least, most) = (draws.iter().min().copied(), draws.iter().max().copied());
        assert!(least >= Some(spread.least()) && most <= Some(spread.most()));
        assert!(most > Some(Duration::from_secs(4)), "the tail is there: {most:?}");
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let spread: TimeSpread = "10ms | 50ms | 2s".parse().expect("a spread");
        let mut dice = Dice::new(1, DrawPurpose::Latency, 1);
        let draws: Vec<Duration> = (0..1000).map(|_| spread.draw(&mut dice)).collect();
        assert!(draws.iter().all(|draw| (Duration::from_millis(10)..=Duration::from_secs(2)).contains(draw)));
        let short = draws.iter().filter(|draw| **draw <= Duration::from_millis(50)).count();
        assert!((400..600).contains(&short), "{short}");
    }
}
