//! The checkers over a real manager in chaos: nothing is found, for there is nothing to find.
//!
//! `CHAOS_SEEDS=from..to` and `CHAOS_STEPS=n` run more; a failure names both.

#[path = "../../connmgr-core/tests/support/chaos.rs"]
mod chaos;

use std::collections::VecDeque;

use chaos::{Chaos, Mood, birth, configs};
use connmgr_core::driver::Observer;
use connmgr_core::*;
use connmgr_sim::check::{Suite, Violation};

/// The wall clock at birth, as chaos has it.
const UNIX: UnixTime = UnixTime::from_secs(1_767_225_600);

/// Shows the suite one step, and has it judged.
fn step(
    suite: &mut Suite,
    manager: &mut ConnManager,
    now: Time,
    input: &Input,
) -> (Vec<Action>, Result<(), Violation>) {
    let reply = manager.apply(input, now);
    suite.input(now, input, &reply);
    let actions: Vec<Action> = std::iter::from_fn(|| manager.poll_action()).collect();
    actions.iter().for_each(|action| suite.action(now, action));
    let judged = suite.after(now, manager);
    (actions, judged)
}

/// Lets chaos loose on a manager, and tells the story of a failure. Every `audit_every` steps all is compared.
fn run(name: &str, config: &Config, mood: Mood, seed: u64, steps: u64, audit_every: u64) -> Suite {
    let (mut chaos, mut manager) = (Chaos::new(seed, mood, steps), birth(config, seed));
    let mut suite = Suite::new(config, None, UNIX, Time::ZERO);
    let mut lately: VecDeque<String> = VecDeque::new();
    for number in 1..=steps {
        let (now, input) = chaos.next(&manager);
        let before = manager.poll_timeout();
        let (actions, judged) = step(&mut suite, &mut manager, now, &input);
        chaos.see(&actions);
        lately.push_back(tale(number, now, before, &input, &actions));
        if lately.len() > 12 {
            lately.pop_front();
        }
        let judged = if number % audit_every == 0 { judged.and_then(|()| suite.audit(now, &manager)) } else { judged };
        if let Err(violation) = judged {
            let lately: String = lately.iter().map(String::as_str).collect();
            panic!(
                "{violation}\nin {name}, {mood:?}, seed {seed}, step {number} of {steps}\n{lately}view: {:#?}",
                manager.connections()
            );
        }
    }
    suite
}

fn tale(number: u64, now: Time, due: Option<Time>, input: &Input, actions: &[Action]) -> String {
    let mut tale = format!("{number}: {} ns (due {due:?}) {input:?}\n", now.as_nanos());
    actions.iter().for_each(|action| tale += &format!("    {action:?}\n"));
    tale
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
