//! A share of a whole.

use std::fmt;
use std::str::FromStr;

use super::text::as_text;

/// A share of a whole, in millionths. As text a percentage: `11 %`, `0.5 %`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub u32);

impl Share {
    /// All of it.
    pub const ALL: Self = Self(1_000_000);
    /// Nothing of it.
    pub const NONE: Self = Self(0);

    /// This many percent.
    pub const fn percent(percent: u32) -> Self {
        Self(percent.saturating_mul(10_000))
    }

    /// This share of a count, rounded down.
    pub fn of(self, count: u32) -> u32 {
        u32::try_from(u64::from(count) * u64::from(self.0) / 1_000_000).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 10_000, self.0 % 10_000);
        match rest {
            0 => write!(f, "{whole} %"),
            _ => write!(f, "{whole}.{} %", format!("{rest:04}").trim_end_matches('0')),
        }
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a share such as `11 %` or `0.5 %`");
        let number = text.strip_suffix('%').ok_or_else(wrong)?.trim();
        let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || rest.len() > 4 || !is_digits(whole) || !is_digits(rest) {
            return Err(wrong());
        }
        let millionths: u32 = format!("{whole}{rest:0<4}").parse().map_err(|_| wrong())?;
        if millionths > Self::ALL.0 { Err(format!("`{text}` is more than all")) } else { Ok(Self(millionths)) }
    }
}

as_text!(Share);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_written() {
        for (text, millionths) in [("11 %", 110_000), ("0.5%", 5_000), ("100 %", 1_000_000), ("12.3456 %", 123_456)] {
            let share: Share = text.parse().expect(text);
            assert_eq!(share, Share(millionths));
            assert_eq!(share.to_string().parse(), Ok(share));
        }
        for wrong in ["11", "%", "101 %", "1.00001 %", "-1 %", "a %"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }
}
