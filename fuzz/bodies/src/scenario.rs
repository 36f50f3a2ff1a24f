//! Target `scenario`: a scenario file.
//!
//! A scenario that can be read is written and read again as the same. A small one runs for a few hundred steps without a
//! violation.

use connmgr_sim::{Real, Scenario, Scrutiny, World};

/// Only worlds of at most so many hosts and managers are run: larger ones take long to make.
const SMALL: u64 = 64;
/// The steps of a run.
const STEPS: u32 = 400;

/// All bytes are the file.
///
/// # Panics
/// When what was read is written as something else, or the run has a violation.
pub fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(scenario) = Scenario::parse(text) else { return };
    let written = scenario.to_toml();
    match Scenario::parse(&written) {
        Ok(again) => assert_eq!(again.to_toml(), written, "what is written is read as something else"),
        Err(error) => panic!("what is written can't be read: {error}\n{written}"),
    }
    let hosts = scenario.hosts.iter().map(|spec| spec.at_most(scenario.duration));
    let crowd = hosts.chain([scenario.node.count.into()]).fold(0u64, u64::saturating_add);
    if crowd <= SMALL {
        live(scenario, &written);
    }
}

fn live(scenario: Scenario, written: &str) {
    let Ok(mut world) = World::<Real>::new(scenario, 1, Scrutiny::USUAL) else {
        panic!("a checked scenario has no world\n{written}");
    };
    for _ in 0..STEPS {
        match world.step() {
            Ok(true) => {}
            Ok(false) => break,
            // A world may be so bad that no pool ever fills in it.
            Err(broken) if broken.violation.property.is_liveness() => break,
            Err(broken) => panic!("{broken:?}\n{written}"),
        }
    }
}
