//! Judges whether our manager is worse than simple policies in the same world, by medians over many births.
//!
//! The order of choices is chance, so one run says little: nine births of each, which differ only in their rng seeds,
//! are compared by their medians, and a failure is confirmed by forty-five. A rival runs only while it can
//! still show ours to be worse; in most worlds none runs at all. Budgets of dials and handshakes apply to ours alone.
//!
//! Its failures are of [`FillTime`](Property::FillTime), [`FillDials`](Property::FillDials),
//! [`RecoveryTime`](Property::RecoveryTime), [`DialBudget`](Property::DialBudget) and
//! [`HandshakeBudget`](Property::HandshakeBudget).

mod arena;
mod bounds;
mod budget;
mod changes;
mod course;
mod criterion;
mod judge;
mod table;

pub use arena::Rival;
pub use budget::{DAY, FIRST_HOUR, LATER_HOUR};
pub use judge::{judge, judge_as};
pub use table::{Column, table};

#[cfg(doc)]
use connmgr_check::Property;

/// Births that are compared.
pub const BIRTHS: u32 = 9;
/// Births by which it is confirmed that ours is worse.
pub const CONFIRMING: u32 = 45;

/// The median.
fn median(values: &[Option<u64>]) -> Option<u64> {
    quantile(values, 1, 2)
}

/// The value that `part` in `of` do not exceed. "Never" is greater than any number.
fn quantile(values: &[Option<u64>], part: u32, of: u32) -> Option<u64> {
    let mut values: Vec<u64> = values.iter().map(|value| value.unwrap_or(u64::MAX)).collect();
    values.sort_unstable();
    values.get(values.len() * part as usize / of as usize).copied().filter(|value| *value < u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_came_is_more_than_all_that_did() {
        assert_eq!(median(&[Some(3), None, Some(1), Some(2), None]), Some(3));
        assert_eq!(median(&[Some(3), None, None]), None);
        assert_eq!(quantile(&[Some(3), None, Some(1)], 1, 3), Some(3));
        assert_eq!(median(&[]), None);
    }
}
