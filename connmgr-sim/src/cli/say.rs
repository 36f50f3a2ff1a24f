//! What is said to whoever runs the program.
//!
//! They may stop to listen at any time, as `head` does. That is no error: files are written all the same, and the exit
//! code stands.

use std::fmt::Arguments;
use std::io::{Write, stdout};

/// Says a text of whole lines, if anybody listens.
pub(super) fn text(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
}

/// Says a line, if anybody listens.
pub(super) fn line(line: Arguments<'_>) {
    let _ = writeln!(stdout(), "{line}");
}

/// Says a line, as `println!` does.
macro_rules! say {
    ($($line:tt)*) => {
        $crate::cli::say::line(format_args!($($line)*))
    };
}
