//! What holds for every sequence of inputs, tried on random ones and checked by `connmgr-check`.
//!
//! A failure is shrunk, printed, and kept in `regressions.txt` beside this file, from where it is tried first in every
//! later run.

mod answers;
mod backoff;
mod explained;
mod moves;
mod slots;
#[path = "../support/mod.rs"]
mod support;
mod watched;

use proptest::test_runner::{Config, FileFailurePersistence};

/// Runs this many cases; `PROPTEST_RNG_SEED` repeats a run.
fn cases(cases: u32) -> Config {
    let failure_persistence = Some(Box::new(FileFailurePersistence::Direct("tests/properties/regressions.txt")) as _);
    Config { failure_persistence, ..Config::with_cases(cases) }
}
