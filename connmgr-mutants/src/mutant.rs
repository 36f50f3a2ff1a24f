//! The mutants: named patches with a description of the mistake. Git applies them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// One mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// The name of its patch, without the extension.
    pub(crate) name: String,
    /// The description of the mistake: the text before the patch.
    pub(crate) about: String,
    /// The path of the patch.
    pub(crate) patch: PathBuf,
}

/// All mutants in a directory, sorted by name.
///
/// # Errors
/// The directory can't be read, or a patch has no description.
pub(crate) fn all(directory: &Path) -> Result<Vec<Mutant>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "patch") {
            all.push(read(path)?);
        }
    }
    all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

fn read(patch: PathBuf) -> Result<Mutant> {
    let text = fs::read_to_string(&patch).with_context(|| patch.display().to_string())?;
    let (about, _) = text.split_once("\ndiff --git ").with_context(|| format!("{} is no patch", patch.display()))?;
    ensure!(!about.trim().is_empty(), "{} does not say what mistake it is", patch.display());
    let name = patch.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Mutant { name, about: about.trim().to_owned(), patch })
}

/// `count` of them, others each day, until each had its turn.
pub(crate) fn rotation(all: Vec<Mutant>, count: usize, day: usize) -> Vec<Mutant> {
    let (len, count) = (all.len(), count.min(all.len()));
    let first = day.wrapping_mul(count).checked_rem(len).unwrap_or(0);
    all.into_iter().cycle().skip(first).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mutants(names: &[&str]) -> Vec<Mutant> {
        let mutant = |name: &&str| Mutant { name: (*name).to_owned(), about: String::new(), patch: PathBuf::new() };
        names.iter().map(mutant).collect()
    }

    fn names(mutants: Vec<Mutant>) -> Vec<String> {
        mutants.into_iter().map(|mutant| mutant.name).collect()
    }

    #[test]
    fn in_a_few_days_every_mutant_has_its_turn() {
        let of_day = |day| names(rotation(mutants(&["a", "b", "c", "d"]), 3, day));
        assert_eq!([of_day(0), of_day(1)], [["a", "b", "c"], ["d", "a", "b"]]);
    }

    #[test]
    fn no_mutant_has_two_turns_a_day() {
        assert_eq!(names(rotation(mutants(&["a", "b"]), 3, 5)), ["a", "b"]);
        assert!(rotation(Vec::new(), 3, 5).is_empty());
    }

    #[test]
    fn every_mutant_of_ours_says_what_it_is_and_breaks_only_the_core() {
        let all = all(&crate::mutants()).expect("the patches are in order");
        assert!(all.len() >= 25);
        for mutant in all {
            let text = fs::read_to_string(&mutant.patch).expect("it was read before");
            let mut files = text.lines().filter(|line| line.starts_with("+++ "));
            assert!(files.all(|line| line.starts_with("+++ b/connmgr-core/src/")), "{}", mutant.name);
        }
    }
}
