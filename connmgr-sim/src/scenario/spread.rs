//! How long something takes: a distribution, written as text.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Span;
use crate::dice::Dice;

/// How long something takes.
///
/// As text: `80ms` (always), `20ms .. 300ms` (all equally likely), `about 80ms` (exponential with this mean), or
/// `10ms | 50ms | 80ms | 2s` (quantiles at equal distances, straight lines between).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Always the same.
    Fixed(Span),
    /// All equally likely.
    Uniform(Span, Span),
    /// Exponential with this mean, at most ten times it.
    Exponential(Span),
    /// Quantiles at equal distances, from the least to the greatest; at least two.
    Quantiles(Vec<Span>),
}

impl Spread {
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
        }
    }
}

impl Default for Spread {
    fn default() -> Self {
        Self::Fixed(Span::default())
    }
}

impl From<Span> for Spread {
    fn from(span: Span) -> Self {
        Self::Fixed(span)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(span) => span.fmt(f),
            Self::Uniform(from, to) => write!(f, "{from} .. {to}"),
            Self::Exponential(mean) => write!(f, "about {mean}"),
            Self::Quantiles(spans) => {
                let texts: Vec<String> = spans.iter().map(ToString::to_string).collect();
                f.write_str(&texts.join(" | "))
            }
        }
    }
}

impl FromStr for Spread {
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
        if text.contains('|') {
            let spans = text.split('|').map(span).collect::<Result<Vec<_>, _>>()?;
            return if spans.is_sorted() { Ok(Self::Quantiles(spans)) } else { Err(format!("`{text}` does not rise")) };
        }
        span(text).map(Self::Fixed)
    }
}

impl Serialize for Spread {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Spread {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Purpose;

    #[test]
    fn every_form_is_read_and_written() {
        for text in ["80ms", "20ms .. 300ms", "about 80ms", "10ms | 50ms | 2s"] {
            let spread: Spread = text.parse().expect(text);
            assert_eq!(spread.to_string(), text);
        }
        for wrong in ["", "3s .. 1s", "3s | 1s", "about"] {
            assert!(wrong.parse::<Spread>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let spread: Spread = "10ms | 50ms | 2s".parse().expect("a spread");
        let mut dice = Dice::new(1, Purpose::Latency, 1);
        let draws: Vec<Duration> = (0..1000).map(|_| spread.draw(&mut dice)).collect();
        assert!(draws.iter().all(|draw| (Duration::from_millis(10)..=Duration::from_secs(2)).contains(draw)));
        let short = draws.iter().filter(|draw| **draw <= Duration::from_millis(50)).count();
        assert!((400..600).contains(&short), "{short}");
    }
}
