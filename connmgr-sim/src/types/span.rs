//! A duration with text such as `1h 30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::text::as_text;

/// A duration, written like `1h 30m` or `80ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// This many seconds.
    pub const fn secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// This many milliseconds.
    pub const fn millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// This many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self::secs(minutes.saturating_mul(60))
    }

    /// This many hours.
    pub const fn hours(hours: u64) -> Self {
        Self::secs(hours.saturating_mul(3600))
    }

    /// This many days.
    pub const fn days(days: u64) -> Self {
        Self::hours(days.saturating_mul(24))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|error| format!("`{text}` is not a duration such as `5s` or `1h 30m`: {error}"))
    }
}

as_text!(Span);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!("1h 30m".parse(), Ok(Span::minutes(90)));
        assert_eq!(Span::millis(1_500).to_string(), "1s 500ms");
        assert!("soon".parse::<Span>().is_err());
    }
}
