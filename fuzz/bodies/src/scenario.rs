//! Target `scenario`: bytes that claim to be a scenario file.
//!
//! Whatever can be read is written, and read again as the same; a small one becomes a world, in which a few hundred
//! things happen, and nothing that must never happen.

use connmgr_sim::{Real, Scenario, Scrutiny, World};

/// Only worlds of at most so many hosts and managers are begun: larger ones take long to make.
const SMALL: u64 = 64;
/// How many things happen.
const STEPS: u32 = 400;

/// All bytes are the file.
///
/// # Panics
/// When what was read is written as something else, or its world breaks a promise.
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
            // Any world can be so bad that nothing good comes of it.
            Err(broken) if broken.violation.property.is_liveness() => break,
            Err(broken) => panic!("{broken:?}\n{written}"),
        }
    }
}
