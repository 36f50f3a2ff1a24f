//! Where a scenario comes from: the catalogue by its name, the random worlds by a seed, or a file.

use std::fs;
use std::path::Path;

use anyhow::Result;
use connmgr_sim::Scenario;
use connmgr_sim::scenario::{catalogue, random};

use super::usage;

/// The greatest seed: what TOML can say.
pub(super) const MAX_SEED: u64 = i64::MAX as u64;

/// A scenario: a name of the catalogue, a random world as `random:SEED`, or a file, if it ends in `.toml` or
/// has a `/`.
///
/// # Errors
/// A usage error says what there is, or what is wrong with the file.
pub(super) fn scenario(text: &str) -> Result<Scenario> {
    if text.ends_with(".toml") || text.contains('/') {
        return from_file(Path::new(text));
    }
    if let Some(seed) = text.strip_prefix(random::PREFIX) {
        let seed = seed.parse().ok().filter(|seed| *seed <= MAX_SEED);
        return seed
            .map(random::scenario)
            .ok_or_else(|| usage(format!("`{text}` is no random world such as `random:7`")));
    }
    catalogue::find(text).ok_or_else(|| {
        let likeness = |name: &&str| strsim::damerau_levenshtein(text, name);
        match catalogue::names().min_by_key(likeness).filter(|name| likeness(name) <= 1 + text.len() / 3) {
            Some(meant) => usage(format!("there is no scenario `{text}`: did you mean `{meant}`?")),
            None => {
                usage(format!("there is neither a scenario nor a file `{text}`; `connmgr-sim scenarios` lists them"))
            }
        }
    })
}

fn from_file(path: &Path) -> Result<Scenario> {
    let text = fs::read_to_string(path).map_err(|error| usage(format!("{}: {error}", path.display())))?;
    Scenario::parse(&text).map_err(|error| usage(format!("{}: {error}", path.display())))
}

/// Several of them; all of the catalogue if none is named.
///
/// # Errors
/// As [`scenario`]; or two have one name.
pub(super) fn scenarios(texts: &[String]) -> Result<Vec<Scenario>> {
    if texts.is_empty() {
        return Ok(catalogue::all());
    }
    let mut scenarios: Vec<Scenario> = Vec::new();
    for text in texts {
        let next = scenario(text)?;
        if scenarios.iter().any(|other| other.name == next.name) {
            return Err(usage(format!("the scenario `{}` is there twice", next.name)));
        }
        scenarios.push(next);
    }
    Ok(scenarios)
}
