//! The manager compared with a naive one.
//!
//! [`model`] is a second connection manager made of lists and loops. It shares no code with the first, only the types
//! of addresses, inputs and actions. It can't predict which address is chosen at random, nor a wait with jitter; those
//! it reads from actions and views, and checks. Everything else it predicts: which dial loses its slot to which, when
//! no one may be dialed, and that someone of a list must be dialed now. Both get lists of random inputs. A failure is
//! shrunk, printed, and kept in `regressions.txt` beside this file, which is tried first in every later run.
//!
//! `PROPTEST_CASES` sets how many lists are tried, `PROPTEST_RNG_SEED` which.
//!
//! Not in the model: seeds, names, proxies, outages, gossip, identities, the v2 transport, and work that
//! `max_actions_per_input` leaves for the next call.

mod model;
mod script;
mod system;

use proptest::test_runner::{Config, FileFailurePersistence};
use proptest_state_machine::prop_state_machine;
use system::Both;

/// How many lists are tried by default.
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
