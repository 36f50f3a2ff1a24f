//! The layers of tests: how each is built, what is run, and how a failure is recognised in the output.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;

/// A layer of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layer {
    /// The core's tests beside its sources
    Unit,
    /// A test for each clause of the contract
    Contract,
    /// The core's other integration tests
    Stories,
    /// Random inputs: properties, and a naive reference manager
    Properties,
    /// Every order of events in small worlds
    Search,
    /// The simulator's scenarios, a few seeds of each
    Simulator,
}

/// Something to run, once it is built.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name in the matrix; empty if the layer's name is enough.
    pub(crate) name: String,
    /// The executable.
    pub(crate) path: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// The directory of its package in the workspace.
    pub(crate) package: &'static str,
}

/// A test file of the core that is a layer.
const CONTRACT: &str = "contract";
/// Test files of the core that make a layer.
const PROPERTIES: [&str; 3] = ["properties", "reference", "asn"];
/// A test file of the core that is a layer.
const SEARCH: &str = "search";

/// Not run: they take ten seconds each, or need more seeds than are run here to reach all that they promise.
const LONG_SCENARIOS: [&str; 3] = ["herd", "swarm", "year"];

/// Run last, because they take most of the time.
const SLOW_SCENARIOS: [&str; 5] =
    ["daily-churn", "everyone-refuses", "gossip-wave", "inbound-flood", "out-of-descriptors"];

/// Not run: it fails at any change of behavior, even a right one, and so proves nothing.
const NOT_RUN: &str = "the_actions_of_a_fixed_life_are_those_of_this_trace_version";

/// The seeds of each scenario.
const SEEDS: u32 = 3;

impl Layer {
    /// All layers, the fastest first.
    pub(crate) const ALL: [Self; 6] =
        [Self::Unit, Self::Stories, Self::Contract, Self::Properties, Self::Search, Self::Simulator];

    /// Its name on the command line and in the matrix.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Contract => "contract",
            Self::Stories => "stories",
            Self::Properties => "properties",
            Self::Search => "search",
            Self::Simulator => "simulator",
        }
    }

    /// The arguments of cargo to build it. The simulator needs the serde feature; with it everywhere, one build of the core
    /// serves all layers.
    ///
    /// # Errors
    /// A directory can't be read.
    pub(crate) fn build(self, workspace: &Path) -> Result<Vec<String>> {
        let core = ["test", "--no-run", "-p", "connmgr-core", "--features", "serde"].map(str::to_owned);
        let tests = |names: &[String]| {
            let targets = names.iter().flat_map(|name| ["--test".to_owned(), name.clone()]);
            core.iter().cloned().chain(targets).collect()
        };
        Ok(match self {
            Self::Unit => core.iter().cloned().chain(["--lib".to_owned()]).collect(),
            Self::Contract => tests(&[CONTRACT.to_owned()]),
            Self::Stories => tests(&stories(workspace)?),
            Self::Properties => tests(&PROPERTIES.map(str::to_owned)),
            Self::Search => tests(&[SEARCH.to_owned()]),
            Self::Simulator => ["build", "-p", "connmgr-sim", "--bin", "connmgr-sim"].map(str::to_owned).to_vec(),
        })
    }

    /// The programs to run, from cargo's output of the build and its target directory.
    ///
    /// # Errors
    /// A directory can't be read.
    pub(crate) fn programs(self, said: &str, target: &Path, workspace: &Path) -> Result<Vec<Program>> {
        match self {
            Self::Unit | Self::Contract | Self::Stories | Self::Properties | Self::Search => {
                Ok(said.lines().filter_map(executable).collect())
            }
            Self::Simulator => {
                let seeds = ["--seeds".to_owned(), SEEDS.to_string()];
                let arguments = [vec!["campaign".to_owned()], scenarios(workspace)?, seeds.to_vec()].concat();
                let path = target.join("connmgr-sim");
                Ok(vec![Program { name: String::new(), path, arguments, package: "connmgr-sim" }])
            }
        }
    }

    /// The name of what failed, if this line of output reports a failure.
    pub(crate) fn complaint(self, line: &str) -> Option<String> {
        match self {
            Self::Unit | Self::Contract | Self::Stories | Self::Properties | Self::Search => {
                let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
                Some(name.trim_end_matches(" - should panic").to_owned())
            }
            Self::Simulator => simulator_complaint(line),
        }
    }
}

/// `outage seed 1: safety: slot-limits, manager 0, step 3, …` or `outage seed 1: liveness: …`.
fn simulator_complaint(line: &str) -> Option<String> {
    let (scenario, rest) = line.split_once(" seed ")?;
    let (seed, failure) = rest.split_once(": ")?;
    seed.parse::<u64>().ok()?;
    let (_, what) = failure.split_once(": ")?;
    let rule = what.split([',', ':']).next()?;
    Some(format!("{scenario} seed {seed}: {rule}"))
}

/// `  Executable tests/bans.rs (/…/deps/bans-0123456789abcdef)`.
fn executable(line: &str) -> Option<Program> {
    let (source, path) = line.trim().strip_prefix("Executable ")?.strip_suffix(')')?.rsplit_once(" (")?;
    let name = source.trim_start_matches("unittests ").trim_end_matches("/main.rs").trim_end_matches(".rs");
    let name = name.rsplit('/').next()?.to_owned();
    let arguments = ["--skip", NOT_RUN].map(str::to_owned).to_vec();
    Some(Program { name, path: PathBuf::from(path), arguments, package: "connmgr-core" })
}

/// The core's integration tests that are not a layer of their own.
fn stories(workspace: &Path) -> Result<Vec<String>> {
    let mut names = stems(&workspace.join("connmgr-core/tests"), "rs")?;
    names.retain(|name| name != CONTRACT && name != SEARCH && !PROPERTIES.contains(&name.as_str()));
    Ok(names)
}

fn scenarios(workspace: &Path) -> Result<Vec<String>> {
    let mut names = stems(&workspace.join("connmgr-sim/scenarios"), "toml")?;
    names.retain(|name| !LONG_SCENARIOS.contains(&name.as_str()));
    names.sort_by_key(|name| SLOW_SCENARIOS.contains(&name.as_str()));
    Ok(names)
}

/// The names of the files with an extension in a directory, without it, sorted.
fn stems(directory: &Path, ending: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(directory).with_context(|| directory.display().to_string())?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    let of_this_sort = paths.iter().filter(|path| path.extension().is_some_and(|found| found == ending));
    let mut names: Vec<String> = of_this_sort.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_it_built_what() {
        let program = executable("  Executable tests/contract/main.rs (/x y/deps/contract-01)").expect("one");
        assert_eq!((program.name.as_str(), program.path.as_path()), ("contract", Path::new("/x y/deps/contract-01")));
        let program = executable("  Executable unittests src/lib.rs (/x/deps/connmgr_core-01)").expect("one");
        assert_eq!(program.name, "lib");
        assert!(executable("   Compiling connmgr-core v0.1.0 (/x)").is_none());
    }

    #[test]
    fn a_failed_test_is_a_complaint() {
        let complaint = |line| Layer::Unit.complaint(line);
        assert_eq!(complaint("test backoff::tests::a_b ... FAILED").as_deref(), Some("backoff::tests::a_b"));
        assert_eq!(complaint("test backoff::tests::a_b ... ok"), None);
        assert_eq!(complaint("test result: FAILED. 1 passed"), None);
    }

    #[test]
    fn a_broken_promise_is_a_complaint() {
        let complaint = |line| Layer::Simulator.complaint(line);
        let line = "late-and-doubled seed 2: safety: slot-limits, manager 0, step 37, after 3s: 8 open";
        assert_eq!(complaint(line).as_deref(), Some("late-and-doubled seed 2: slot-limits"));
        assert_eq!(complaint("seeds from 1: connmgr-sim campaign --seeds 3"), None);
    }
}
