//! Standard output.
//!
//! A closed pipe (as with `head`) is no error: files are still written, and the exit
//! code stands.

use std::fmt::Arguments;
use std::io::{Write, stdout};

/// Prints whole lines.
pub(super) fn text(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}

/// Prints a line.
pub(super) fn line(line: Arguments<'_>) {
    let _ = writeln!(stdout(), "{line}");
}

/// Prints a line, as `println!` does.
macro_rules! say {
    ($($line:tt)*) => {
        $crate::cli::say::line(format_args!($($line)*))
    };
}
