//! Every checker can fail by itself: each test breaks one property and no other.
//!
//! Most tests check a manager of one configuration with the checkers of another, to which it is a manager with a defect.
//! Others give the checkers an input that the manager did not get, or hide or forge an action.

mod bans;
mod bench;
mod contract;
mod peers;
mod when_to_dial;
mod whole;
mod whom_to_dial;

use connmgr_check::{Nature, Property};

/// Not here: what only the simulator can check; [`Property::NoSpin`], which has its test beside its rule; and
/// [`Property::Invariants`], for which the core itself must be broken.
#[test]
fn every_rule_has_its_broken_manager() {
    let elsewhere = [Property::NoSpin, Property::Invariants, Property::Recovery, Property::Canary];
    let is_here = |property: &&Property| !elsewhere.contains(property) && property.nature() != Nature::Measure;
    let here = [
        include_str!("bans.rs"),
        include_str!("contract.rs"),
        include_str!("peers.rs"),
        include_str!("when_to_dial.rs"),
        include_str!("whole.rs"),
        include_str!("whom_to_dial.rs"),
    ]
    .concat();
    for property in Property::ALL.iter().filter(is_here) {
        assert!(here.contains(&format!("Property::{property:?}")), "{property} is never found broken");
    }
}
