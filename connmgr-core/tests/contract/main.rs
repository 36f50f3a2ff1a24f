//! The contract of the crate's front page: a file for each clause, with a test of the clause's name.
//!
//! Each has directed tests, and one with random inputs in every configuration, checked by `connmgr-check`. A failure
//! prints the configuration, the seed and the last steps; `CHAOS_SEED` and `CHAOS_SEEDS` choose other seeds.

mod bounded;
mod drain_when_you_like;
mod early_is_free_late_is_safe;
mod every_connection_ends_once;
mod every_dial_ends_once;
mod facts_cannot_fail;
mod no_dial_breaks_a_rule;
mod progress;
mod same_birth_and_inputs_same_actions;
mod shut_means_shut;
mod time_moves_forward;

#[path = "../support/chaos.rs"]
mod chaos;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use connmgr_check::{Suite, Watcher};
use connmgr_core::*;

use chaos::{Chaos, Mood, birth, configs};

/// The steps of a random run.
const STEPS: u64 = 600;

/// The checkers' audit runs every so many steps.
const AUDIT_EVERY: u64 = 1;

/// The seeds of a clause: a range of its own, or what the environment asks for.
fn seeds(clause: u64, count: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let first = number("CHAOS_SEED").unwrap_or(clause * 1_000_000);
    first..first + number("CHAOS_SEEDS").unwrap_or(count)
}

/// The checkers of a manager with this configuration and seed.
fn watch(name: &str, config: &Config, seed: u64) -> Watcher {
    let suite = Suite::new(config, None, support::UNIX, Time::ZERO);
    Watcher::new(format!("`{name}`, CHAOS_SEED={seed}"), suite, AUDIT_EVERY)
}

/// Runs random inputs in every configuration, checked; `look` sees the manager after each step.
fn live(clause: u64, count: u64, mood: Mood, mut look: impl FnMut(&ConnManager, Time, &Input, &Reply, &[Action])) {
    for seed in seeds(clause, count) {
        for (name, config) in configs() {
            let mut manager = birth(&config, seed);
            let mut watcher = watch(name, &config, seed);
            let mut chaos = Chaos::new(seed, mood, STEPS);
            for _ in 0..STEPS {
                let (now, input) = chaos.next(&manager);
                let (reply, actions) = watcher.step(&mut manager, now, &input);
                chaos.see(&actions);
                look(&manager, now, &input, &reply, &actions);
            }
        }
    }
}

/// The random inputs reach every state of automatic connections, and dials and handshakes without a slot that make
/// progress, with and without taking a slot.
#[test]
fn chaos_comes_by_every_state() {
    let (mut back, mut surplus) = (BTreeSet::new(), 0);
    for (name, config) in configs() {
        let mut seen = BTreeSet::new();
        for seed in 0..8 {
            let (mut manager, mut chaos) = (birth(&config, seed), Chaos::new(seed, Mood::Living, STEPS));
            for _ in 0..STEPS {
                let mut before = manager.connections();
                before.retain(|view| view.kind.takes_group());
                let (now, input) = chaos.next(&manager);
                manager.apply(&input, now);
                let actions = chaos::drain(&mut manager);
                surplus += support::closes(&actions).iter().filter(|(_, why)| *why == CloseReason::Surplus).count();
                chaos.see(&actions);
                for ConnView { conn, state, .. } in before {
                    let has_slot = manager.connection(conn).is_some_and(|view| view.state.holds_slot());
                    back.extend((has_slot && !state.holds_slot()).then_some(state));
                    seen.insert(state);
                }
            }
        }
        let pools = config.mode == Mode::Automatic && config.limits.full > 0;
        let stalls = config.handshake_timeout > config.dial.direct.hedge_after;
        for state in ConnState::ALL.into_iter().filter(|state| pools && (stalls || *state != ConnState::Stalled)) {
            assert!(seen.contains(&state), "`{name}`: never {state:?}");
        }
    }
    println!("{surplus} successes were surplus");
    assert!(back.into_iter().eq([ConnState::Silent, ConnState::Stalled]) && surplus > 0);
}

/// Records a random run, to be repeated.
fn script(config: &Config, seed: u64, mood: Mood) -> Vec<(Time, Input)> {
    let (mut manager, mut chaos) = (birth(config, seed), Chaos::new(seed, mood, STEPS));
    let step = |_| {
        let (now, input) = chaos.next(&manager);
        manager.apply(&input, now);
        chaos.see(&chaos::drain(&mut manager));
        (now, input)
    };
    (0..STEPS).map(step).collect()
}
