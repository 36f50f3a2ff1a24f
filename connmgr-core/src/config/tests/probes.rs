//! How the range of each option is tried: just inside and just outside of each bound.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::time::Duration;

use ipnet::IpNet;

use crate::config::{Config, Listener, Proxy, Seed};
use crate::types::{HostName, ListenerId, ProxyAddress};

type Set<T> = fn(&mut Config, T);
type Change = fn(&mut Config);

pub(super) enum Probe {
    /// A number: the table gives "any", "at least N" or "0 to N".
    Number(Set<u32>),
    /// A time: "any" or "at least N ms".
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

/// The option by its path, and the way to try it.
macro_rules! probe {
    ($kind:ident $($part:ident).+) => {
        (path(stringify!($($part).+)), Probe::$kind(|config, value| config.$($part).+ = value))
    };
}

fn path(tokens: &str) -> String {
    tokens.replace(' ', "")
}

/// A configuration that is valid however large one of its numbers is.
fn roomy() -> Config {
    Config::default()
}

impl Probe {
    /// Tries the range that the table gives for `option`.
    pub(super) fn check(self, option: &str, range: &str) {
        match self {
            Self::Number(set) => check_number(option, range, &|value| with(|config| set(config, value))),
            Self::Wait(set) => check_wait(option, range, &|value| with(|config| set(config, value))),
            Self::Maybe(set) => {
                let range = range.strip_prefix("none, or ").unwrap_or_else(|| panic!("{option}: {range}"));
                expect(option, &with(|config| set(config, None)), true);
                check_number(option, range, &|value| with(|config| set(config, Some(value))));
            }
            Self::Rate(burst, interval) => {
                let (bursts, intervals) = range.split_once("; ").unwrap_or_else(|| panic!("{option}: {range}"));
                check_number(option, bursts, &|value| with(|config| burst(config, value)));
                check_wait(option, intervals, &|value| with(|config| interval(config, value)));
            }
            Self::Typed(expected) => assert_eq!(range, expected, "{option}"),
            Self::Other { range: expected, inside, outside } => {
                assert_eq!(range, expected, "{option}");
                for (changes, is_allowed) in [(inside, true), (outside, false)] {
                    changes.into_iter().for_each(|change| expect(option, &with(change), is_allowed));
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

fn check_number(option: &str, range: &str, with: &dyn Fn(u32) -> Config) {
    let (least, most) = bounds(option, range, "");
    let number = |value: u64| u32::try_from(value).expect("a bound is a u32");
    expect(option, &with(number(least)), true);
    expect(option, &with(most.map_or(u32::MAX, number)), true);
    if least > 0 {
        expect(option, &with(number(least - 1)), false);
    }
    if let Some(most) = most {
        expect(option, &with(number(most + 1)), false);
    }
}

fn check_wait(option: &str, range: &str, with: &dyn Fn(Duration) -> Config) {
    let (least, most) = bounds(option, range, " ms");
    let least = Duration::from_millis(least);
    assert_eq!(most, None, "{option}: no time has a greatest value");
    expect(option, &with(least), true);
    expect(option, &with(Duration::MAX), true);
    if let Some(less) = least.checked_sub(Duration::from_nanos(1)) {
        expect(option, &with(less), false);
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

/// The option is in its range, or refused. What contradicts other options is another matter.
fn expect(option: &str, config: &Config, is_allowed: bool) {
    let field = option.replace(".*", "").replace("[]", "");
    match config.check_ranges() {
        Ok(()) => assert!(is_allowed, "{option}: the table forbids what the code allows"),
        Err(error) => {
            assert!(!is_allowed, "{option}: the table allows what the code forbids: {error}");
            let is_it = error.field == field || error.field.strip_suffix(".id") == Some(&field);
            assert!(is_it, "{option}: refused for another option: {error}");
        }
    }
}

const YES_NO: &str = "yes, no";
const PROXY: &str = "none, or a proxy";
const GROWTH: &str = "Exponential, Linear";

pub(super) fn probes() -> Vec<(String, Probe)> {
    let mut probes = numbers_and_times();
    let typed = [
        ("mode", "Automatic, ConnectOnly"),
        ("networks", "any set"),
        ("proxies.all", PROXY),
        ("proxies.onion", PROXY),
        ("proxies.i2p", PROXY),
        ("proxies.*.isolation", "Required, Preferred, Off"),
        ("proxies.*.resolves", YES_NO),
        ("required.full", "any"),
        ("required.block_relay", "any"),
        ("transport", "V1, V2"),
        ("own_addresses", "any"),
        ("identity", "none, or 32 bytes"),
        ("ranges.public", YES_NO),
        ("ranges.private", YES_NO),
        ("ranges.shared", YES_NO),
        ("ranges.loopback", YES_NO),
        ("retry.growth", GROWTH),
        ("retry.jitter", YES_NO),
        ("groups.exempt_overlays", YES_NO),
        ("seeds.names[].name", "a host name"),
        ("seeds.names[].filters_services", YES_NO),
        ("seeds.fixed", "any"),
        ("seeds.retry.growth", GROWTH),
        ("seeds.retry.jitter", YES_NO),
        ("listeners[].id", "any"),
        ("listeners[].network", "none, or a network"),
        ("listeners[].permissions.no_ban", YES_NO),
        ("listeners[].permissions.no_limit", YES_NO),
    ];
    probes.extend(typed.map(|(option, range)| (option.to_string(), Probe::Typed(range))));
    probes.extend(others());
    probes
}

fn numbers_and_times() -> Vec<(String, Probe)> {
    vec![
        probe!(Number limits.total),
        probe!(Number limits.full),
        probe!(Number limits.block_relay),
        probe!(Number limits.feeler),
        probe!(Number limits.addr_fetch),
        probe!(Number limits.added),
        probe!(Wait dial.direct.timeout),
        probe!(Wait dial.direct.hedge_after),
        probe!(Wait dial.proxied.timeout),
        probe!(Wait dial.proxied.hedge_after),
        probe!(Maybe dial.max_hedged),
        (
            "dial.rate".into(),
            Probe::Rate(|it, value| it.dial.rate.burst = value, |it, value| it.dial.rate.interval = value),
        ),
        probe!(Wait dial.spacing),
        probe!(Wait dial.min_spacing),
        probe!(Wait dial.lookup_timeout),
        probe!(Wait dial.attempt_delay),
        probe!(Wait handshake_timeout),
        probe!(Wait addr_fetch_timeout),
        probe!(Wait retry.base),
        probe!(Wait retry.cap),
        probe!(Wait stable_after),
        probe!(Maybe groups.max_per_group),
        probe!(Number health.own_failures),
        probe!(Number health.silent_dials),
        probe!(Number health.silent_groups),
        probe!(Wait health.silent_for),
        probe!(Wait health.traffic_within),
        probe!(Wait health.first_probe),
        probe!(Wait health.max_probe),
        probe!(Number seeds.batch),
        probe!(Wait seeds.delay),
        probe!(Wait seeds.delay_when_known),
        probe!(Number seeds.many),
        probe!(Number seeds.enough),
        probe!(Wait seeds.fixed_after),
        probe!(Number seeds.keep),
        probe!(Wait seeds.retry.base),
        probe!(Wait seeds.retry.cap),
        probe!(Wait seeds.again_after),
        probe!(Number score.threshold),
        probe!(Wait score.ban_for),
        probe!(Number score.max_hosts),
        probe!(Number max_bans),
        probe!(Number inbound.per_host),
        probe!(Number inbound.half_open),
        (
            "inbound.rate".into(),
            Probe::Rate(|it, value| it.inbound.rate.burst = value, |it, value| it.inbound.rate.interval = value),
        ),
        probe!(Wait inbound.first_pause),
        probe!(Wait inbound.max_pause),
        probe!(Number book.max_addresses),
        (
            "book.gossip".into(),
            Probe::Rate(|it, value| it.book.gossip.burst = value, |it, value| it.book.gossip.interval = value),
        ),
        probe!(Number book.max_per_call),
        probe!(Wait book.save_every),
        probe!(Number max_actions_per_input),
    ]
}

fn others() -> Vec<(String, Probe)> {
    let other = |option: &str, range, inside, outside| (option.to_string(), Probe::Other { range, inside, outside });
    vec![
        other(
            "proxies.*.address",
            "a port other than 0",
            vec![|it| it.proxies.all = Some(proxy(1)), |it| it.proxies.i2p = Some(proxy(u16::MAX))],
            vec![|it| it.proxies.all = Some(proxy(0)), |it| it.proxies.i2p = Some(proxy(0))],
        ),
        other(
            "default_port",
            "any; not 0 where there are seeds",
            vec![|it| it.default_port = 0, |it| it.default_port = u16::MAX, |it| {
                (it.default_port, it.seeds.names) = (1, vec![seed("seed.example")]);
            }],
            vec![|it| (it.default_port, it.seeds.names) = (0, vec![seed("seed.example")])],
        ),
        other(
            "ranges.own",
            "at most 64 subnets, IPv4 as IPv4",
            vec![|it| it.ranges.own = subnets(64)],
            vec![|it| it.ranges.own = subnets(65), |it| {
                it.ranges.own = vec!["::ffff:10.0.0.0/104".parse().expect("a subnet")];
            }],
        ),
        other(
            "seeds.names",
            "each name once",
            vec![|it| (it.default_port, it.seeds.names) = (1, vec![seed("a.example"), seed("b.example")])],
            vec![|it| (it.default_port, it.seeds.names) = (1, vec![seed("a.example"), seed("a.example.")])],
        ),
        other(
            "listeners",
            "each id once",
            vec![|it| it.listeners = vec![listener(0), listener(u32::MAX)]],
            vec![|it| it.listeners = vec![listener(0), listener(1), listener(0)]],
        ),
    ]
}

fn proxy(port: u16) -> Proxy {
    let name = HostName::new("tor").expect("a host name");
    Proxy::new(ProxyAddress::Name(name, port))
}

fn seed(name: &str) -> Seed {
    Seed::new(HostName::new(name).expect("a host name"))
}

fn subnets(count: u8) -> Vec<IpNet> {
    (0..count).map(|number| format!("10.0.{number}.0/24").parse().expect("a subnet")).collect()
}

fn listener(id: u32) -> Listener {
    Listener::new(ListenerId(id))
}
