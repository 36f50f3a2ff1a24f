//! Never worse than the naive: ours beside plain and paced models in the same world, by medians over many births.
//!
//! The order of choices is luck, so one run says little: nine births of each, which differ in their own chances alone,
//! are compared by their medians, and what is close is confirmed by forty-five. A rival is run only while it can still
//! show ours to be worse; in most worlds none is run at all. Budgets of dials and handshakes are judged of ours alone.
//!
//! What is found is a failure of one of [`FillTime`](Property::FillTime), [`FillDials`](Property::FillDials),
//! [`RecoveryTime`](Property::RecoveryTime), [`DialBudget`](Property::DialBudget) and
//! [`HandshakeBudget`](Property::HandshakeBudget), beside what checkers find.

mod budget;
mod changes;
mod course;
mod criterion;
mod judge;
mod rival;
mod table;

pub use budget::{DAY, FIRST_HOUR, LATER_HOUR};
pub use judge::{judge, judge_as};
pub use rival::Rival;
pub use table::{Column, table};

#[cfg(doc)]
use crate::check::Property;

/// Births that are compared.
pub const BIRTHS: u32 = 9;
/// Births by which it is confirmed that ours is worse, where it is not by far.
pub const CONFIRMING: u32 = 45;

/// The median; what never came is more than all that did.
fn median(values: &[Option<u64>]) -> Option<u64> {
    let mut values: Vec<u64> = values.iter().map(|value| value.unwrap_or(u64::MAX)).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().filter(|value| *value < u64::MAX)
}
