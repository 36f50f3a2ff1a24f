//! A progress bar for long work, on the error stream, and only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that goes to `len`, counting things called `what`.
pub(super) fn bar(len: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {prefix}, {eta} left  {wide_msg}");
    ProgressBar::new(len as u64).with_style(style.expect("the template is sound")).with_prefix(what)
}

/// A spinner for work of unknown length.
pub(super) fn spinner() -> ProgressBar {
    ProgressBar::new_spinner()
}
