//! A table of one world: our manager and every rival, run to the end.

use connmgr_check::Property;
use connmgr_core::ConfigError;

use super::arena::{Arena, Runs};
use super::bounds::Margins;
use super::course::{Cap, RunCourse};
use super::criterion::Criterion;
use super::{BIRTHS, median};
use crate::scenario::Scenario;
use crate::watch::Real;

/// The numbers of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// For each property, the median and the greatest as text.
    pub cells: Vec<(Property, String)>,
}

/// Ours first, then each rival. Slow: every run goes to the end.
///
/// # Errors
/// When the configuration of the managers is refused.
pub fn table(scenario: &Scenario, seed: u64) -> Result<Vec<Column>, ConfigError> {
    let arena = Arena::new(scenario, seed)?;
    let bounds = Margins::new(&arena);
    let mut columns = vec![column(&bounds, "ours", &arena.start::<Real>())];
    columns.extend(
        arena.rivals().into_iter().map(|rival| column(&bounds, &rival.to_string(), &*arena.start_rival(rival))),
    );
    Ok(columns)
}

fn column(bounds: &Margins, name: &str, runs: &dyn Runs) -> Column {
    let goal = bounds.whole_goal(Cap::NONE, Cap::NONE);
    let courses: Vec<RunCourse> = (0..BIRTHS).map(|birth| runs.course(birth, goal).0).collect();
    let cell = |criterion: Criterion| {
        let values: Vec<Option<u64>> = courses.iter().map(|course| criterion.of(course, Cap::NONE)).collect();
        let most = values.iter().copied().max_by_key(|value| value.unwrap_or(u64::MAX)).flatten();
        let (median, most) = (criterion.text(median(&values)), criterion.text(most));
        (criterion.property(), if median == most { median } else { format!("{median} ({most})") })
    };
    Column { name: name.to_owned(), cells: bounds.criteria().map(cell).collect() }
}
