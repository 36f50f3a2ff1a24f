//! One range is tried: just inside and just outside of each bound.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use super::parts::{listener, seed};
use super::probes::probes;
use crate::config::Config;

pub(super) type Set<T> = fn(&mut Config, T);
pub(super) type Change = fn(&mut Config);

pub(super) enum Probe {
    /// A number: the table gives "any", "at least N" or "N to N". After "where", what the configuration must have.
    Number(Set<u32>),
    /// A time: "any" or "at least N ms". After "not below", an option that must not be greater.
    Wait(Set<Duration>),
    /// A number or none: as a number, after "none, or ".
    Maybe(Set<Option<u32>>),
    /// A rate: "any; any", of the burst and of the interval.
    Rate(Set<u32>, Set<Duration>),
    /// What the type alone limits: this is what the table says.
    Typed(&'static str),
    /// This is what the table says; changes that are allowed, and some that are not.
    Other { range: &'static str, inside: Vec<Change>, outside: Vec<Change> },
}

/// A configuration that is valid however large or small one of its numbers is, as far as the number alone decides. It has
/// what makes numbers matter: a listener, a seed.
fn roomy() -> Config {
    let mut config = Config::default();
    config.limits.total = 1_000_000;
    (config.default_port, config.seeds.names) = (1, vec![seed("seed.example")]);
    config.listeners = vec![listener(0)];
    let (shortest, longest) = (Duration::from_millis(1), Duration::MAX);
    (config.retry.base, config.retry.cap) = (shortest, longest);
    (config.seeds.retry.base, config.seeds.retry.cap) = (shortest, longest);
    (config.health.first_probe, config.health.max_probe) = (shortest, longest);
    (config.inbound.first_pause, config.inbound.max_pause) = (shortest, longest);
    (config.dial.min_spacing, config.dial.spacing) = (shortest, longest);
    config
}

impl Probe {
    /// Tries the range that the table gives for `option`.
    pub(super) fn check(&self, option: &str, range: &str) {
        match self {
            Self::Number(set) => check_number(option, range, &|config, value| set(config, value)),
            Self::Wait(set) => check_wait(option, range, *set),
            Self::Maybe(set) => {
                let range = range.strip_prefix("none, or ").unwrap_or_else(|| panic!("{option}: {range}"));
                expect(option, &with(|config| set(config, None)), true);
                check_number(option, range, &|config, value| set(config, Some(value)));
            }
            Self::Rate(burst, interval) => {
                let (bursts, intervals) = range.split_once("; ").unwrap_or_else(|| panic!("{option}: {range}"));
                check_number(option, bursts, &|config, value| burst(config, value));
                check_wait(option, intervals, *interval);
            }
            Self::Typed(expected) => assert_eq!(range, *expected, "{option}"),
            Self::Other { range: expected, inside, outside } => {
                assert_eq!(range, *expected, "{option}");
                for (changes, is_allowed) in [(inside, true), (outside, false)] {
                    changes.iter().for_each(|change| expect(option, &with(change), is_allowed));
                }
            }
        }
    }
}

fn with(change: impl Fn(&mut Config)) -> Config {
    let mut config = roomy();
    change(&mut config);
    config
}

fn check_number(option: &str, range: &str, set: &dyn Fn(&mut Config, u32)) {
    let (range, needs) = range.split_once(" where ").map_or((range, None), |(range, needs)| (range, Some(needs)));
    let (least, most) = bounds(option, range, "");
    let number = |value: u64| u32::try_from(value).expect("a bound is a u32");
    let try_it = |value, is_allowed| expect(option, &with(|config| set(config, value)), is_allowed);
    try_it(number(least), true);
    try_it(most.map_or(u32::MAX, number), true);
    if least > 0 {
        try_it(number(least - 1), false);
    }
    if let Some(most) = most {
        try_it(number(most + 1), false);
    }
    if let Some(needs) = needs {
        let without = |config: &mut Config| match needs {
            "we listen" => config.listeners.clear(),
            "there are seeds" => config.seeds.names.clear(),
            _ => panic!("{option}: where {needs}?"),
        };
        expect(option, &with(|config| (without(config), set(config, 0)).1), true);
    }
}

fn check_wait(option: &str, range: &str, set: Set<Duration>) {
    let (range, other) = range.split_once(", not below ").map_or((range, None), |(range, other)| (range, Some(other)));
    let (least, most) = bounds(option, range, " ms");
    let least = Duration::from_millis(least);
    assert_eq!(most, None, "{option}: no time has a greatest value");
    expect(option, &with(|config| set(config, least)), true);
    expect(option, &with(|config| set(config, Duration::MAX)), true);
    if let Some(less) = least.checked_sub(Duration::from_nanos(1)) {
        expect(option, &with(|config| set(config, less)), false);
    }
    if let Some(other) = other {
        let (hour, less) = (Duration::from_secs(3600), Duration::from_secs(3599));
        let Some((_, Probe::Wait(set_other))) = probes().into_iter().find(|(option, _)| option == other) else {
            panic!("{option}: {other} is no time");
        };
        let both = |value| with(|config| (set_other(config, hour), set(config, value)).1);
        expect(option, &both(hour), true);
        expect(option, &both(less), false);
    }
}

/// The least and the greatest number of a range.
fn bounds(option: &str, range: &str, unit: &str) -> (u64, Option<u64>) {
    let number = |text: &str| -> u64 {
        let text = text.strip_suffix(unit).unwrap_or_else(|| panic!("{option}: no unit in {range:?}"));
        text.parse().unwrap_or_else(|_| panic!("{option}: no number in {range:?}"))
    };
    if range == "any" {
        (0, None)
    } else if let Some(least) = range.strip_prefix("at least ") {
        (number(least), None)
    } else if let Some((least, most)) = range.split_once(" to ") {
        (number(least), Some(number(most)))
    } else {
        panic!("{option}: {range:?} is no range of numbers")
    }
}

/// The configuration is allowed, or refused for this option.
fn expect(option: &str, config: &Config, is_allowed: bool) {
    let field = option.replace("Proxy::", "proxies.").replace("Listener::", "listeners.");
    match config.check() {
        Ok(()) => assert!(is_allowed, "{option}: the table forbids what the code allows"),
        Err(error) => {
            assert!(!is_allowed, "{option}: the table allows what the code forbids: {error}");
            let part = |of: &str| error.field.strip_suffix(of) == Some(&field);
            let is_it = error.field == field
                || part(".id")
                || part(".burst")
                || field.starts_with("ranges.") && error.field == "ranges";
            assert!(is_it, "{option}: refused for another option: {error}");
        }
    }
}
