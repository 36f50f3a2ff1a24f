//! Reads the tables of `options.md`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

const TEXT: &str = include_str!("../../options.md");

/// A row of the table of all options, as text.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) option: String,
    pub(super) default: String,
    pub(super) bitcoin: String,
    pub(super) range: String,
}

/// The rows below the head that begins so, cell by cell, without the marks of code.
fn rows(head: &str) -> Vec<Vec<String>> {
    let table = TEXT.lines().skip_while(|line| !line.starts_with(head));
    let body = table.skip(2).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| {
        let inner = line.trim_start_matches('|').trim_end_matches('|');
        inner.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    body.map(cells).collect()
}

pub(super) fn options() -> Vec<Row> {
    let rows: Vec<Row> = rows("| option |").into_iter().map(row).collect();
    assert!(rows.len() > 80, "the table was found");
    rows
}

fn row(cells: Vec<String>) -> Row {
    let [option, what, default, range, _origin]: [String; 5] =
        cells.try_into().unwrap_or_else(|cells| panic!("a row of five cells: {cells:?}"));
    assert!(!what.is_empty(), "{option}: what it is");
    let (default, bitcoin) = default.split_once("; Bitcoin: ").unwrap_or((&default, ""));
    Row { option, default: plain(default), bitcoin: plain(bitcoin), range: plain(&range) }
}

pub(super) fn chains() -> Vec<[String; 4]> {
    rows("| chain |").into_iter().map(|cells| cells.try_into().expect("four cells")).collect()
}

/// The text with numbers as the code writes them: 100000, not 100 000.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let is_gap = letter == ' '
            && plain.ends_with(|before: char| before.is_ascii_digit())
            && rest.peek().is_some_and(char::is_ascii_digit);
        if !is_gap {
            plain.push(letter);
        }
    }
    plain.to_string()
}
