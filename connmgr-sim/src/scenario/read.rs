//! Scenarios as TOML, read strictly.
//!
//! An unknown key is an error that names the line and the key that was probably meant.

use serde::Deserialize;

use super::{SCENARIO_VERSION, Scenario};

/// Why a text is not a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", line.map_or(String::new(), |line| format!("line {line}: ")))]
pub struct ScenarioError {
    /// The line, counted from 1, if the mistake is at one.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl ScenarioError {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { line: None, what: what.into() }
    }
}

/// What can be read of a scenario of any version.
#[derive(Deserialize)]
struct ScenarioVersion {
    version: Option<u32>,
}

impl Scenario {
    /// Reads a scenario, and checks it.
    ///
    /// # Errors
    /// [`ScenarioError`] says where it is wrong, and how.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        check_version(text)?;
        let scenario: Self = toml::from_str(text).map_err(|error| explain(text, &error))?;
        scenario.check()?;
        Ok(scenario)
    }

    /// The scenario as TOML, which [`Scenario::parse`] reads.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("a scenario holds nothing that TOML can't say")
    }
}

/// Refuses a scenario of another version, whatever else is in it.
fn check_version(text: &str) -> Result<(), ScenarioError> {
    // What is no TOML at all is explained later, with its line.
    let version = toml::from_str(text).ok().and_then(|any: ScenarioVersion| any.version);
    match version {
        Some(version) if version != SCENARIO_VERSION => Err(ScenarioError::new(format!(
            "the scenario is of version {version}; this release reads version {SCENARIO_VERSION}"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn explain(text: &str, error: &toml::de::Error) -> ScenarioError {
    let line = error.span().map(|span| 1 + text[..span.start.min(text.len())].matches('\n').count());
    let message = error.message().trim_end();
    let what = match suggestion(message) {
        Some((wrong, meant)) => format!("unknown key `{wrong}`: did you mean `{meant}`?"),
        None => message.to_owned(),
    };
    ScenarioError { line, what }
}

/// The unknown key of an error, and the most similar known one.
fn suggestion(message: &str) -> Option<(&str, &str)> {
    let message = message.strip_prefix("unknown field ").or_else(|| message.strip_prefix("unknown variant "))?;
    let mut quoted = message.split('`').skip(1).step_by(2);
    let wrong = quoted.next()?;
    let likeness = |known: &&str| strsim::damerau_levenshtein(wrong, known);
    let meant = quoted.min_by_key(likeness)?;
    (likeness(&meant) <= 1 + wrong.len() / 3).then_some((wrong, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "version = 1\nname = \"good\"\nabout = \"Nothing.\"\nduration = \"1h\"\n";

    fn error_of(text: &str) -> String {
        Scenario::parse(text).expect_err("a mistake").to_string()
    }

    #[test]
    fn what_is_written_is_read_again() {
        for scenario in crate::scenario::catalogue::all() {
            assert_eq!(Scenario::parse(&scenario.to_toml()), Ok(scenario));
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_line_and_suggestion() {
        let text = format!("{GOOD}\n[[hosts]]\nname = \"a\"\ncount = 3\nlatencyy = \"5ms\"\n");
        assert_eq!(error_of(&text), "line 9: unknown key `latencyy`: did you mean `latency`?");
        let text = format!("{GOOD}[node]\nlimitz = {{}}\n");
        assert_eq!(error_of(&text), "line 6: unknown key `limitz`: did you mean `limits`?");
    }

    #[test]
    fn an_unknown_fault_is_an_error_with_a_suggestion() {
        let text = format!("{GOOD}[[faults]]\nat = \"5s\"\nfault = \"nat-rest\"\n");
        assert_eq!(error_of(&text), "line 7: unknown key `nat-rest`: did you mean `nat-reset`?");
    }

    #[test]
    fn a_wrong_value_is_an_error_with_its_line() {
        let text = GOOD.replace("1h", "soon");
        assert!(error_of(&text).starts_with("line 4: `soon` is not a duration"), "{}", error_of(&text));
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let text = GOOD.replace("version = 1", "version = 7\nunheard-of = 1");
        assert_eq!(error_of(&text), "the scenario is of version 7; this release reads version 1");
    }

    #[test]
    fn what_is_no_toml_is_an_error() {
        assert!(error_of("name = \"").contains("line 1"));
    }
}
