//! The scenarios that come with the crate.

use crate::Scenario;

macro_rules! scenarios {
    ($name:ident, $folder:literal: $($scenario:literal),* $(,)?) => {
        const $name: &[(&str, &str)] =
            &[$(($scenario, include_str!(concat!("../scenarios/", $folder, $scenario, ".toml")))),*];
    };
}

scenarios![
    USUAL, "":
    "cold-start",
    "stale-book",
    "scarce",
    "all-seeds-dead",
    "poisoned-seed",
    "attackers-first",
    "slots-full",
    "accept-then-close",
    "everyone-refuses",
    "slow-handshakes",
    "half-hanging",
    "interface-flap",
    "outage",
    "resets",
    "partition",
    "ipv6-black-hole",
    "tor-refused",
    "tor-network-dead",
    "overlays",
    "suspend",
    "clock-year",
    "crash-loop",
    "late-and-doubled",
    "out-of-descriptors",
    "limits-lowered",
    "dead-added-peers",
    "resonance",
    "transport-downgrade",
    "gossip-wave",
    "sleepers-turn",
    "inbound-flood",
    "inbound-before-outbound",
    "ban-behind-nat",
    "banned-friends",
    "simultaneous-connect",
    "daily-churn",
    "crowded",
    "herd",
    "swarm",
];

scenarios![
    LARGE, "large/":
    "year",
    "ten-thousand",
];

/// The names of those that a campaign runs, in its order.
pub fn names() -> impl Iterator<Item = &'static str> {
    USUAL.iter().map(|(name, _)| *name)
}

/// The names of those that take long, and are run by themselves.
pub fn large() -> impl Iterator<Item = &'static str> {
    LARGE.iter().map(|(name, _)| *name)
}

/// The scenario of a name.
pub fn find(name: &str) -> Option<Scenario> {
    let (_, text) = USUAL.iter().chain(LARGE).find(|(other, _)| *other == name)?;
    Some(Scenario::parse(text).expect("every scenario of the catalogue is read by a test"))
}

/// All that a campaign runs.
pub fn all() -> Vec<Scenario> {
    names().filter_map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_sound_and_goes_by_its_own_name() {
        for (name, text) in USUAL.iter().chain(LARGE) {
            let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(scenario.name, *name);
            assert!(!scenario.about.is_empty(), "{name} does not say what it shows");
        }
    }
}
