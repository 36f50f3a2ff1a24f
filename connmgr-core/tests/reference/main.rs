//! The manager against a naive one.
//!
//! [`model`] is a second connection manager, made of lists and loops, that shares no code with the first: only the
//! words (addresses, inputs, actions) are the same. It cannot know which address chance chooses, nor where in its span
//! a wait with jitter ends; up to that it foretells everything: who gives a slot to whom, when nobody may be dialed,
//! and that somebody of this list must be dialed now. What chance has chosen it reads off actions and views, and judges.
//! Lists of random inputs are told to both; a failure is shrunk, printed, and kept in `regressions.txt` beside this
//! file, from where it is tried first in every later run.
//!
//! `PROPTEST_CASES` sets how many lists are tried, `PROPTEST_RNG_SEED` which.
//!
//! Not in the model: seeds, names, proxies, outages, gossip, identities, the encrypted transport, what the bound on
//! actions of one call leaves for the next.

mod model;
mod script;
mod system;

use proptest::test_runner::{Config, FileFailurePersistence};
use proptest_state_machine::prop_state_machine;
use system::Both;

/// How many lists are tried where nobody says.
const CASES: u32 = 256;

fn settings() -> Config {
    let from_env = Config::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { from_env.cases } else { CASES };
    let failure_persistence = Some(Box::new(FileFailurePersistence::Direct("tests/reference/regressions.txt")) as _);
    Config { cases, failure_persistence, max_shrink_iters: 100_000, ..from_env }
}

prop_state_machine! {
    #![proptest_config(settings())]

    #[test]
    fn the_manager_does_what_a_naive_one_demands(sequential 1..120 => Both);
}
