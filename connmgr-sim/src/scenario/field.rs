//! One field of a scenario, set by its path: for sweeps, and for runs that differ in one thing.

use super::{Scenario, ScenarioError};

impl Scenario {
    /// The scenario with one field set, by its path in TOML, such as `hosts.0.reachable`. The value is read as TOML, or
    /// else taken as text.
    ///
    /// # Errors
    /// When there is no such field, or the value does not fit.
    pub fn with_field(&self, path: &str, value: &str) -> Result<Self, ScenarioError> {
        let mut root: toml::Value = toml::from_str(&self.to_toml()).expect("what was written can be read");
        let mut place = &mut root;
        for part in path.split('.') {
            place = step(place, part).ok_or_else(|| {
                ScenarioError::new(format!(
                    "the scenario `{}` has nothing at `{path}`: `{part}` is not there",
                    self.name
                ))
            })?;
        }
        let literal = toml::from_str::<toml::Table>(&format!("value = {value}")).ok();
        let literal = literal.and_then(|mut table| table.remove("value"));
        *place = literal.unwrap_or_else(|| toml::Value::String(value.to_owned()));
        Self::parse(&toml::to_string(&root).expect("a value that was read can be written"))
    }
}

/// A field of a table, created if absent; or an element of a list.
fn step<'a>(value: &'a mut toml::Value, part: &str) -> Option<&'a mut toml::Value> {
    match value {
        toml::Value::Table(table) => Some(table.entry(part).or_insert_with(|| toml::Value::Table(toml::Table::new()))),
        toml::Value::Array(list) => part.parse::<usize>().ok().and_then(|place| list.get_mut(place)),
        toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => None,
    }
}
