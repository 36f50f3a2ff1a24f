//! The text form: a prefix and a number a line.

use connmgr_core::{AsnTable, AsnTableError};
use ipnet::IpNet;

use super::AsnFileFault;

/// The bytes as text, if they are nothing else: UTF-8 without control characters. No asmap of any use is.
pub(super) fn of(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_text = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t');
    // A mark of the byte order is what some editors begin a text with.
    text.chars().all(is_text).then(|| text.trim_start_matches('\u{feff}'))
}

pub(super) fn parse(text: &str) -> Result<AsnTable, AsnFileFault> {
    let mut prefixes = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        prefixes.extend(parse_line(text).map_err(|why| AsnFileFault::Line { line, why })?);
        // A prefix that repeats another makes no range, so the table alone would not bound them.
        if prefixes.len() > AsnTable::MAX_RANGES as usize {
            return Err(AsnFileFault::Table(AsnTableError::TooManyRanges));
        }
    }
    if prefixes.is_empty() {
        return Err(AsnFileFault::NoPrefix);
    }
    AsnTable::new(prefixes).map_err(AsnFileFault::Table)
}

/// The prefix and the number of a line; none if it is empty, or a comment.
fn parse_line(line: &str) -> Result<Option<(IpNet, u32)>, String> {
    let code = line.split('#').next().unwrap_or_default();
    let mut words = code.split_whitespace();
    let Some(prefix) = words.next() else { return Ok(None) };
    match (words.next(), words.next()) {
        (Some(number), None) => Ok(Some((parse_prefix(prefix)?, parse_number(number)?))),
        (None, _) | (Some(_), Some(_)) => {
            Err(format!("expected a prefix and a number, such as 1.2.0.0/16 AS64500, not {}", shown(code.trim())))
        }
    }
}

fn parse_prefix(text: &str) -> Result<IpNet, String> {
    let net: IpNet =
        text.parse().map_err(|_| format!("{} is no prefix, such as 1.2.0.0/16 or 2001:db8::/32", shown(text)))?;
    let whole = net.trunc();
    if whole == net { Ok(net) } else { Err(format!("{net} has bits beyond its length: is {whole} meant?")) }
}

/// With or without the letters AS.
fn parse_number(text: &str) -> Result<u32, String> {
    let has_letters = text.get(..2).is_some_and(|letters| letters.eq_ignore_ascii_case("as"));
    let digits = if has_letters { &text[2..] } else { text };
    // `u32::from_str` takes a plus sign too.
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number).ok_or_else(|| {
        format!("{} is no number of an autonomous system, such as AS64500: at most {}", shown(text), u32::MAX)
    })
}

/// A text of the file, made safe and short for an error.
fn shown(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
