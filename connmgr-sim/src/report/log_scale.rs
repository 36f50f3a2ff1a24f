//! A logarithmic scale of time, and when it reads better than a linear one. `script/place.js` draws on it.

use std::time::Duration;

use crate::types::Instant;

/// The first step of the scale.
pub(super) const LOG_UNIT: Duration = Duration::from_millis(100);
/// Columns of a picture, to tell how much of it is empty.
const COLUMNS: usize = 100;

/// Whether the scale leaves much less of the picture empty than a linear one. `times`: when something happened.
pub(super) fn reads_better<T: Iterator<Item = Instant>>(times: impl Fn() -> T, end: Instant) -> bool {
    let seconds = |at: Instant| at.since(Instant::ZERO).as_secs_f64();
    let (end, unit) = (seconds(end).max(1.0), LOG_UNIT.as_secs_f64());
    let linear = columns(times().map(|at| seconds(at) / end));
    let log = columns(times().map(|at| (seconds(at) / unit).ln_1p() / (end / unit).ln_1p()));
    log >= 2 * linear
}

/// In how many columns something lies, of shares of the width.
fn columns(shares: impl Iterator<Item = f64>) -> usize {
    let mut columns = [false; COLUMNS];
    for share in shares {
        let column = (0..COLUMNS).rfind(|column| share * COLUMNS as f64 >= *column as f64);
        columns[column.unwrap_or(0)] = true;
    }
    columns.iter().filter(|is_taken| **is_taken).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gets_rarer_reads_better_and_what_is_spread_evenly_does_not() {
        let end = Instant::from_secs(7200);
        let doubling = || (0..16).map(|doublings| Instant::ZERO.after(LOG_UNIT * (1 << doublings)));
        assert!(reads_better(doubling, end));
        let even = || (0..120).map(|minute| Instant::from_secs(60 * minute));
        assert!(!reads_better(even, end));
    }
}
