//! Replays the committed corpus: what a fuzzer once found interesting breaks no property.

use std::fs;
use std::path::{Path, PathBuf};

use connmgr_fuzz::{Body, TARGETS};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

/// The entries of a directory, in order.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the corpus can be read").path()).collect();
    paths.sort();
    paths
}

/// Prints the file's name before a body panics with it.
struct Naming<'a>(&'a Path);

impl Drop for Naming<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("broken by {}", self.0.display());
        }
    }
}

fn replay(target: &str) {
    let (_, body): (_, Body) = *TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    let files = entries(&corpus().join(target));
    assert!(!files.is_empty(), "the corpus of {target} is empty");
    for file in &files {
        let _naming = Naming(file);
        body(&fs::read(file).expect("the corpus can be read"));
    }
}

#[test]
fn the_corpus_of_asn_tables_breaks_nothing() {
    replay("asn_table");
}

#[test]
fn the_corpus_of_inputs_breaks_nothing() {
    replay("inputs");
}

#[test]
fn the_corpus_of_peers_files_breaks_nothing() {
    replay("peers_file");
}

#[test]
fn the_corpus_of_scenarios_breaks_nothing() {
    replay("scenario");
}

#[test]
fn the_corpus_of_snapshots_breaks_nothing() {
    replay("snapshot");
}

#[test]
fn the_corpus_of_state_files_breaks_nothing() {
    replay("state_files");
}

#[test]
fn the_corpus_of_socks_breaks_nothing() {
    replay("socks");
}

#[test]
fn every_target_has_its_file_its_corpus_and_its_test() {
    let named = |dir: PathBuf| -> Vec<String> {
        let stem = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
        entries(&dir).iter().map(stem).collect()
    };
    let targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(named(corpus().join("../fuzz_targets")), targets);
    assert_eq!(named(corpus()), targets);
    let here = include_str!("corpus.rs");
    assert!(targets.iter().all(|target| here.contains(&format!("replay(\"{target}\")"))), "each is replayed");
}
