//! Escapes text from peers; durations for JSON.
//!
//! User agents and message names are chosen by peers: control characters could rewrite the operator's terminal, and
//! right-to-left marks could reorder a log line. So everything but printable ASCII is escaped.

use std::time::Duration;

/// The most characters of a peer's text that are printed. Bitcoin Core allows user agents of this length.
pub const MAX_PRINTED: usize = 256;

/// The text with everything but printable ASCII as `\u{…}`, cut after [`MAX_PRINTED`] characters.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars().take(MAX_PRINTED) {
        match letter {
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(letter),
            _ => out.extend(letter.escape_unicode()),
        }
    }
    if text.chars().nth(MAX_PRINTED).is_some() {
        out.push_str("...");
    }
    out
}

/// Whole milliseconds, for JSON.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(escape("/Satoshi:30.0.0/"), "/Satoshi:30.0.0/");
    }

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(escape("a\u{1b}[2J\n\u{202e}b\\"), "a\\u{1b}[2J\\u{a}\\u{202e}b\\\\");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(escape(&"x".repeat(300)).len(), MAX_PRINTED + 3);
    }
}
