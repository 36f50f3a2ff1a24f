//! How the range of each option is tried.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::parts::{addresses, asn_table, limits, listener, proxy, seed, subnets};
use super::probe::{Change, Probe};
use crate::config::{Config, Ranges};
use crate::types::{NetworkKind, NetworkSet};

/// The option by its path, and the way to try it.
macro_rules! probe {
    ($kind:ident $($part:ident).+) => {
        (path(stringify!($($part).+)), Probe::$kind(|config, value| config.$($part).+ = value))
    };
}

fn path(tokens: &str) -> String {
    tokens.replace(' ', "")
}

const YES_NO: &str = "yes, no";
const PROXY: &str = "none, or a proxy";
const GROWTH: &str = "Exponential, Linear";

pub(super) fn probes() -> Vec<(String, Probe)> {
    let mut probes = numbers_and_times();
    let typed = [
        ("mode", "Automatic, ConnectOnly"),
        ("proxies.all", PROXY),
        ("proxies.onion", PROXY),
        ("proxies.i2p", PROXY),
        ("Proxy::isolation", "Required, Preferred, Off"),
        ("Proxy::resolves", YES_NO),
        ("required.full", "any"),
        ("required.block_relay", "any"),
        ("transport", "V1, V2"),
        ("identity", "none, or 32 bytes"),
        ("retry.growth", GROWTH),
        ("retry.jitter", YES_NO),
        ("groups.exempt_overlays", YES_NO),
        ("Seed::name", "a host name"),
        ("Seed::filters_services", YES_NO),
        ("seeds.fixed", "any"),
        ("seeds.retry.growth", GROWTH),
        ("seeds.retry.jitter", YES_NO),
        ("Listener::id", "any"),
        ("Permissions::no_ban", YES_NO),
        ("Permissions::no_limit", YES_NO),
    ];
    probes.extend(typed.map(|(option, range)| (option.to_string(), Probe::Typed(range))));
    probes.extend(others());
    probes
}

fn numbers_and_times() -> Vec<(String, Probe)> {
    vec![
        probe!(Number limits.full),
        // The kinds to keep must fit into the total together.
        ("limits.block_relay".into(), Probe::Number(|it, value| (it.limits.full, it.limits.block_relay) = (0, value))),
        // The kinds to keep must fit into the total together.
        ("limits.feeler".into(), Probe::Number(|it, value| (it.limits.full, it.limits.feeler) = (0, value))),
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

fn other(option: &str, range: &'static str, inside: Vec<Change>, outside: Vec<Change>) -> (String, Probe) {
    (option.to_string(), Probe::Other { range, inside, outside })
}

/// Options whose values are no numbers, or depend on others.
fn others() -> Vec<(String, Probe)> {
    let mut others = vec![
        other(
            "limits.total",
            "at least the full, block-relay and feeler connections, at most 1000000",
            vec![|it| it.limits = limits(11, 8, 2, 1), |it| it.limits.total = 1_000_000],
            vec![|it| it.limits = limits(10, 8, 2, 1), |it| it.limits.total = 1_000_001],
        ),
        other(
            "own_addresses",
            "at most 1024",
            vec![|it| it.own_addresses = addresses(1024)],
            vec![|it| it.own_addresses = addresses(1025)],
        ),
        other(
            "Listener::network",
            "none, or an overlay",
            vec![|it| it.listeners[0].network = None, |it| it.listeners[0].network = Some(NetworkKind::Onion)],
            vec![|it| it.listeners[0].network = Some(NetworkKind::Ipv4)],
        ),
        other(
            "Proxy::address",
            "a port other than 0",
            vec![|it| it.proxies.all = Some(proxy(1)), |it| it.proxies.i2p = Some(proxy(u16::MAX))],
            vec![|it| it.proxies.all = Some(proxy(0)), |it| it.proxies.i2p = Some(proxy(0))],
        ),
        other(
            "default_port",
            "any; not 0 where there are seeds",
            vec![|it| (it.default_port, it.seeds.names) = (0, vec![]), |it| it.default_port = u16::MAX, |it| {
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
            "groups.asn",
            "none, or a table with its numbers",
            vec![|it| it.groups.asn = Some(asn_table())],
            vec![|it| it.groups.asn = Some(asn_table().not_loaded())],
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
    ];
    others.extend(networks());
    others.extend(ranges());
    others
}

fn networks() -> Vec<(String, Probe)> {
    vec![other(
        "networks",
        "at least one that can be reached",
        vec![|it| it.networks = NetworkSet::EMPTY.with(NetworkKind::Ipv6), |it| {
            (it.networks, it.proxies.all) = (NetworkSet::EMPTY.with(NetworkKind::Onion), Some(proxy(9050)));
        }],
        vec![|it| it.networks = NetworkSet::EMPTY, |it| it.networks = NetworkSet::EMPTY.with(NetworkKind::Onion)],
    )]
}

fn ranges() -> Vec<(String, Probe)> {
    // CJDNS is in no range, so it is left out.
    let none: Change = |it| {
        it.networks = it.networks.without(NetworkKind::Cjdns);
        it.ranges.public = false;
    };
    let range = "yes, no; not all off, unless an overlay (CJDNS, onion, I2P) can be reached";
    let one = |option: &str, inside: Change| other(option, range, vec![inside], vec![none]);
    vec![
        one("ranges.public", |it| only_range(it, |ranges| ranges.public = true)),
        one("ranges.private", |it| only_range(it, |ranges| ranges.private = true)),
        one("ranges.shared", |it| only_range(it, |ranges| ranges.shared = true)),
        one("ranges.loopback", |it| only_range(it, |ranges| ranges.loopback = true)),
    ]
}

fn only_range(config: &mut Config, set: fn(&mut Ranges)) {
    config.networks = config.networks.without(NetworkKind::Cjdns);
    config.ranges.public = false;
    set(&mut config.ranges);
}
