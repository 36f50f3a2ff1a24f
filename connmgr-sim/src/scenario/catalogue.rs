//! The scenarios that come with the crate.

use crate::scenario::Scenario;

macro_rules! scenarios {
    ($name:ident, $folder:literal: $($scenario:literal),* $(,)?) => {
        const $name: &[(&str, &str)] =
            &[$(($scenario, include_str!(concat!("../../scenarios/", $folder, $scenario, ".toml")))),*];
    };
}

scenarios![
    USUAL, "":
    "cold-start", "stale-book", "scarce", "all-seeds-dead", "poisoned-seed", "attackers-first",
    "book-flooded-by-one-source", "book-flooded-by-one-group", "slots-full",
    "accept-then-close", "everyone-refuses", "slow-handshakes", "slow-answers", "slow-onions", "ready-and-gone",
    "half-hanging", "interface-flap", "outage", "resets", "partition", "ipv6-black-hole", "dead-majority",
    "tor-refused", "tor-network-dead", "overlays", "lan", "suspend", "clock-year", "crash-loop", "late-and-doubled",
    "out-of-descriptors", "own-failures", "limits-lowered", "dead-added-peers", "removed-and-once",
    "several-addresses", "resonance",
    "transport-downgrade", "gossip-wave", "sleepers-turn", "inbound-flood", "inbound-before-outbound", "ban-behind-nat",
    "banned-friends", "banned-subnet", "simultaneous-connect", "duplicates", "daily-churn", "crowded", "herd", "swarm",
];

scenarios![
    LARGE, "large/":
    "year",
    "ten-thousand",
];

/// The names of the scenarios of a campaign, in its order.
pub fn names() -> impl Iterator<Item = &'static str> {
    USUAL.iter().map(|(name, _)| *name)
}

/// The names of the large scenarios, which a campaign leaves out.
pub fn large() -> impl Iterator<Item = &'static str> {
    LARGE.iter().map(|(name, _)| *name)
}

/// The scenario with this name.
pub fn find(name: &str) -> Option<Scenario> {
    let (_, text) = USUAL.iter().chain(LARGE).find(|(other, _)| *other == name)?;
    Some(Scenario::parse(text).expect("every scenario of the catalogue is read by a test"))
}

/// All scenarios of a campaign.
pub fn all() -> Vec<Scenario> {
    names().filter_map(find).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use connmgr_core::NetworkKind;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::scenario::{
        Acquaintance, BanSpec, Base, BookSpec, Bound, Churn, Expect, FaultKind, FaultSpec, Gossip, HostBehavior,
        HostSpec, HostTurn, InboundSpec, Monotonic, NamesSpec, NodeSpec, OwnError, OwnFailures, PeerSpec, ProxyFault,
        ProxySpec, SeedBehavior, SeedSpec, SeedTurn, ShareOf,
    };

    #[test]
    fn every_scenario_is_sound_and_goes_by_its_own_name() {
        for (name, text) in USUAL.iter().chain(LARGE) {
            let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(scenario.name, *name);
            assert!(!scenario.about.is_empty(), "{name} does not say what it shows");
        }
    }

    /// A key or variant that no scenario uses would be tested by none.
    #[test]
    fn every_word_of_the_format_is_said_by_some_scenario() {
        let told = [
            (variants::<HostBehavior>(), "hosts.behavior hosts.turns.into"),
            (variants::<SeedBehavior>(), "seeds.behavior seeds.turns.into names.behavior"),
            (variants::<FaultKind>(), "faults.fault"),
            (variants::<ProxyFault>(), "faults.fault.proxy"),
            (keys::<OwnFailures>(), "faults.fault.own-failures"),
            (variants::<OwnError>(), "faults.fault.own-failures.error"),
            (variants::<ShareOf>(), "faults.fault.own-failures.of"),
            (variants::<Monotonic>(), "faults.fault.suspend"),
            (variants::<Base>(), "node.base"),
            (variants::<NetworkKind>(), "hosts.network"),
            (keys::<Scenario>(), ""),
            (keys::<NodeSpec>(), "node"),
            (keys::<HostSpec>(), "hosts"),
            (keys::<HostTurn>(), "hosts.turns"),
            (keys::<Churn>(), "hosts.churn"),
            (keys::<Gossip>(), "hosts.gossip"),
            (keys::<PeerSpec>(), "peers"),
            (keys::<InboundSpec>(), "inbound"),
            (keys::<BanSpec>(), "bans"),
            (keys::<BookSpec>(), "book"),
            (keys::<Acquaintance>(), "book.knows"),
            (keys::<SeedSpec>(), "seeds"),
            (keys::<SeedTurn>(), "seeds.turns"),
            (keys::<NamesSpec>(), "names"),
            (keys::<ProxySpec>(), "proxy"),
            (keys::<FaultSpec>(), "faults"),
            (keys::<Expect>(), "expect"),
            (keys::<Bound>(), "expect.bounds"),
        ];
        let mut unsaid = Vec::new();
        for (words, places) in told {
            assert!(!words.is_empty(), "{places}");
            let said: BTreeSet<String> = places.split(' ').flat_map(said).collect();
            unsaid
                .extend(words.into_iter().filter(|word| !said.contains(word)).map(|word| format!("{places}: {word}")));
        }
        assert!(unsaid.is_empty(), "{unsaid:#?}");
    }

    const NO_WORD: &str = "no-word-of-the-format";

    fn variants<T: DeserializeOwned>() -> Vec<String> {
        expected::<T>(NO_WORD.into())
    }

    fn keys<T: DeserializeOwned>() -> Vec<String> {
        expected::<T>(toml::Table::from_iter([(NO_WORD.to_owned(), toml::Value::from(1))]).into())
    }

    /// The words the reader would accept: its error lists them.
    fn expected<T: DeserializeOwned>(value: toml::Value) -> Vec<String> {
        let error = value.try_into::<T>().err().expect("no word of the format").to_string();
        error.split('`').skip(1).step_by(2).filter(|word| *word != NO_WORD).map(str::to_owned).collect()
    }

    /// The texts and keys at a path in any scenario, defaults included.
    fn said(place: &str) -> BTreeSet<String> {
        let path: Vec<&str> = place.split('.').filter(|part| !part.is_empty()).collect();
        let mut words = BTreeSet::new();
        for (_, text) in USUAL.iter().chain(LARGE) {
            let whole = Scenario::parse(text).expect("sound").to_toml();
            let [said, whole] = [text, &*whole].map(|text| toml::from_str(text).expect("TOML"));
            at(&said, &path, &mut |value| match value {
                toml::Value::String(text) => words.extend([text.clone()]),
                toml::Value::Table(table) => words.extend(table.keys().cloned()),
                _ => {}
            });
            at(&whole, &path, &mut |value| words.extend(value.as_str().map(str::to_owned)));
        }
        words
    }

    /// Visits what is at a path, in each element of a list.
    fn at(value: &toml::Value, path: &[&str], see: &mut dyn FnMut(&toml::Value)) {
        match (value, path) {
            (toml::Value::Array(values), _) => values.iter().for_each(|value| at(value, path, see)),
            (_, []) => see(value),
            (_, [first, rest @ ..]) => value.get(*first).into_iter().for_each(|value| at(value, rest, see)),
        }
    }
}
