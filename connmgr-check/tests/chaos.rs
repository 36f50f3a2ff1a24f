//! The checkers find nothing wrong with a real manager under random inputs.
//!
//! `CHAOS_SEEDS=from..to` and `CHAOS_STEPS=n` run more; a failure names both.

#[path = "../../connmgr-core/tests/support/chaos.rs"]
mod chaos;

use chaos::{Chaos, Mood, birth, configs};
use connmgr_check::{Suite, Watcher};
use connmgr_core::*;

/// The wall clock at birth, as in `chaos`.
const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);

/// Feeds random inputs to a manager. The audit runs every `audit_every` steps.
fn run(name: &str, config: &Config, mood: Mood, seed: u64, steps: u64, audit_every: u64) {
    let (mut chaos, mut manager) = (Chaos::new(seed, mood, steps), birth(config, seed));
    let story = format!("{name}, {mood:?}, CHAOS_SEEDS={seed}..{} CHAOS_STEPS={steps}", seed + 1);
    let mut watcher = Watcher::new(story, Suite::new(config, None, UNIX, Time::ZERO), audit_every);
    for _ in 0..steps {
        let (now, input) = chaos.next(&manager);
        let (_, actions) = watcher.step(&mut manager, now, &input);
        chaos.see(&actions);
    }
}

fn from_env<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

fn seeds() -> std::ops::Range<u64> {
    let seeds: Option<String> = from_env("CHAOS_SEEDS");
    let range = seeds.as_deref().and_then(|text| text.split_once("..")).map(|(from, to)| (from.parse(), to.parse()));
    match range {
        Some((Ok(from), Ok(to))) => from..to,
        _ => 0..2,
    }
}

/// Nine configurations, three moods, two seeds, 4000 steps each: 216 000 steps.
#[test]
fn chaos_breaks_no_rule() {
    let steps = from_env("CHAOS_STEPS").unwrap_or(4000);
    for seed in seeds() {
        for (name, config) in &configs() {
            for mood in [Mood::Living, Mood::Mortal, Mood::Eternal] {
                run(name, config, mood, seed, steps, if seed % 2 == 0 { 64 } else { 1 });
            }
        }
    }
}
