//! A copy of the workspace to break: the tracked files, with uncommitted changes.
//!
//! Files that are equal already are not written, so that cargo rebuilds only what the last mutant and the next one change.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A copy of a workspace.
#[derive(Debug)]
pub(crate) struct Copy {
    original: PathBuf,
    /// The root of the copy.
    pub(crate) root: PathBuf,
}

impl Copy {
    /// A copy in a directory that may hold an older one or not exist.
    pub(crate) const fn new(original: PathBuf, root: PathBuf) -> Self {
        Self { original, root }
    }

    /// Makes the copy equal to the original.
    ///
    /// # Errors
    /// The original is no git repository, or the disk fails.
    pub(crate) fn restore(&self) -> Result<()> {
        let tracked = self.tracked()?;
        for file in &tracked {
            self.restore_file(file)?;
        }
        fs::create_dir_all(&self.root)?;
        remove_others(&self.root, &self.root, &tracked)
    }

    /// The tracked files that exist, by their paths in the workspace.
    fn tracked(&self) -> Result<BTreeSet<PathBuf>> {
        let output = Command::new("git").args(["ls-files", "-z"]).current_dir(&self.original).output()?;
        if !output.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let names = String::from_utf8(output.stdout).context("the names of the workspace's files are text")?;
        let files = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
        Ok(files.filter(|file| self.original.join(file).is_file()).collect())
    }

    fn restore_file(&self, file: &Path) -> Result<()> {
        let (from, to) = (self.original.join(file), self.root.join(file));
        let content = fs::read(&from).with_context(|| from.display().to_string())?;
        if fs::read(&to).is_ok_and(|same| same == content) {
            return Ok(());
        }
        fs::create_dir_all(to.parent().context("a file is in a directory")?)?;
        fs::write(&to, content).with_context(|| to.display().to_string())
    }

    /// Applies a patch.
    ///
    /// # Errors
    /// It no longer applies.
    pub(crate) fn apply(&self, patch: &Path) -> Result<()> {
        // The copy is inside a repository that ignores it; git must not use that repository.
        let above = self.root.parent().context("the copy is in a directory")?;
        let output = Command::new("git")
            .arg("apply")
            .arg(patch)
            .current_dir(&self.root)
            .env("GIT_CEILING_DIRECTORIES", above)
            .output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            bail!("{} does not apply any more: {said}", patch.display());
        }
        Ok(())
    }
}

/// Removes all other files, so that what tests left behind does not affect the next mutant.
fn remove_others(root: &Path, directory: &Path, files: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            remove_others(root, &path, files)?;
        } else if !files.contains(path.strip_prefix(root).context("what is found in the copy is in it")?) {
            fs::remove_file(&path).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with one file, and a copy of it.
    fn repository() -> (tempfile::TempDir, Copy) {
        let place = tempfile::tempdir().expect("a directory");
        let original = place.path().join("original");
        fs::create_dir_all(original.join("src")).expect("a directory");
        fs::write(original.join("src/lib.rs"), "one\ntwo\n").expect("a file");
        for arguments in [["init", "-q"], ["add", "."]] {
            assert!(Command::new("git").args(arguments).current_dir(&original).status().expect("git").success());
        }
        let copy = Copy::new(original, place.path().join("copy"));
        copy.restore().expect("it can be copied");
        (place, copy)
    }

    fn patch(place: &Path) -> PathBuf {
        let patch = place.join("name.patch");
        let text = "Why.\n\ndiff --git a/src/lib.rs b/src/lib.rs\n--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,2 +1,2 @@\n one\n-two\n+too\n";
        fs::write(&patch, text).expect("a file");
        patch
    }

    fn lib(copy: &Copy) -> String {
        fs::read_to_string(copy.root.join("src/lib.rs")).expect("it was copied")
    }

    #[test]
    fn a_patch_breaks_the_copy_until_it_is_restored() {
        let (place, copy) = repository();
        copy.apply(&patch(place.path())).expect("it fits");
        assert_eq!(lib(&copy), "one\ntoo\n");
        copy.restore().expect("it can be copied again");
        assert_eq!(lib(&copy), "one\ntwo\n");
    }

    #[test]
    fn other_files_in_the_copy_are_removed() {
        let (_place, copy) = repository();
        fs::write(copy.root.join("src/left.txt"), "x").expect("a file");
        copy.restore().expect("it can be copied again");
        assert!(!copy.root.join("src/left.txt").exists());
    }

    #[test]
    fn a_patch_that_no_longer_applies_is_named() {
        let (place, copy) = repository();
        fs::write(copy.root.join("src/lib.rs"), "else\n").expect("a file");
        let error = copy.apply(&patch(place.path())).expect_err("nothing fits").to_string();
        assert!(error.contains("name.patch does not apply any more"), "{error}");
    }
}
