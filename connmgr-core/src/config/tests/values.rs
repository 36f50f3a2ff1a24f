//! Every option of a configuration with its value, written as in the table.
//!
//! The patterns name every field, so that a new one does not compile until it is here.

use alloc::string::String;
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt::Debug;
use core::time::Duration;

use super::parts::{listener, proxy, seed};
use crate::config::{
    BookConfig, Config, DialConfig, GroupRule, HealthConfig, InboundConfig, Listener, Patience, Proxies, Proxy, Ranges,
    Rate, RequiredServices, ScoreConfig, Seed, SeedConfig,
};
use crate::types::{Backoff, Limits, NetworkSet, Permissions, Services};

type Values = Vec<(&'static str, String)>;

/// What has no default, because its author gives it.
const TO_BE_GIVEN: &str = "to be given";

pub(super) fn values(config: &Config) -> Values {
    let Config {
        mode,
        limits,
        networks,
        proxies,
        default_port,
        required,
        transport,
        own_addresses,
        identity,
        ranges,
        dial,
        handshake_timeout,
        addr_fetch_timeout,
        retry,
        stable_after,
        groups,
        health,
        seeds,
        score,
        max_bans,
        inbound,
        listeners,
        book,
        max_actions_per_input,
        _more: _,
    } = config.clone();
    let mut values = vec![
        ("mode", name(mode)),
        ("networks", if networks == NetworkSet::ALL { "all".into() } else { name(networks) }),
        ("default_port", name(default_port)),
        ("transport", name(transport)),
        ("own_addresses", list(&own_addresses, "addresses")),
        ("identity", option(identity)),
        ("handshake_timeout", time(handshake_timeout)),
        ("addr_fetch_timeout", time(addr_fetch_timeout)),
        ("stable_after", time(stable_after)),
        ("max_bans", name(max_bans)),
        ("listeners", list(&listeners, "listeners")),
        ("max_actions_per_input", name(max_actions_per_input)),
    ];
    values.extend(of_connections(limits, required, &groups, &proxies, &ranges));
    values.extend(of_dials(dial, retry, health));
    values.extend(of_seeds(&seeds));
    values.extend(of_defence(score, inbound, book));
    values
}

fn of_connections(
    limits: Limits,
    required: RequiredServices,
    groups: &GroupRule,
    proxies: &Proxies,
    ranges: &Ranges,
) -> Values {
    let Limits { total, full, block_relay, feeler, addr_fetch, added, _more: _ } = limits;
    let RequiredServices { full: useful, block_relay: useful_for_blocks, _more: _ } = required;
    let GroupRule { max_per_group, exempt_overlays, asn, _more: _ } = groups;
    let Proxies { all, onion, i2p, _more: _ } = proxies;
    let Ranges { public, private, shared, loopback, own, _more: _ } = ranges;
    let mut values = vec![
        ("limits.total", name(total)),
        ("limits.full", name(full)),
        ("limits.block_relay", name(block_relay)),
        ("limits.feeler", name(feeler)),
        ("limits.addr_fetch", name(addr_fetch)),
        ("limits.added", name(added)),
        ("required.full", services(useful)),
        ("required.block_relay", services(useful_for_blocks)),
        ("groups.max_per_group", option(*max_per_group)),
        ("groups.exempt_overlays", yes(*exempt_overlays)),
        ("groups.asn", option(asn.as_ref())),
        ("proxies.all", option(all.as_ref())),
        ("proxies.onion", option(onion.as_ref())),
        ("proxies.i2p", option(i2p.as_ref())),
        ("ranges.public", yes(*public)),
        ("ranges.private", yes(*private)),
        ("ranges.shared", yes(*shared)),
        ("ranges.loopback", yes(*loopback)),
        ("ranges.own", list(own, "subnets")),
    ];
    let Proxy { address, isolation, resolves, _more: _ } = Proxy::new(proxy(9050).address);
    assert_eq!(address, proxy(9050).address, "whoever makes a proxy gives its address");
    values.extend([
        ("Proxy::address", TO_BE_GIVEN.into()),
        ("Proxy::isolation", name(isolation)),
        ("Proxy::resolves", yes(resolves)),
    ]);
    values
}

fn of_dials(dial: DialConfig, retry: Backoff, health: HealthConfig) -> Values {
    let DialConfig { direct, proxied, max_hedged, rate, spacing, min_spacing, lookup_timeout, attempt_delay, _more: _ } =
        dial;
    let HealthConfig {
        own_failures,
        silent_dials,
        silent_groups,
        silent_for,
        traffic_within,
        first_probe,
        max_probe,
        _more: _,
    } = health;
    let mut values = vec![
        ("dial.max_hedged", option(max_hedged)),
        ("dial.rate", rate_of(rate)),
        ("dial.spacing", time(spacing)),
        ("dial.min_spacing", time(min_spacing)),
        ("dial.lookup_timeout", time(lookup_timeout)),
        ("dial.attempt_delay", time(attempt_delay)),
        ("health.own_failures", name(own_failures)),
        ("health.silent_dials", name(silent_dials)),
        ("health.silent_groups", name(silent_groups)),
        ("health.silent_for", time(silent_for)),
        ("health.traffic_within", time(traffic_within)),
        ("health.first_probe", time(first_probe)),
        ("health.max_probe", time(max_probe)),
    ];
    values.extend(patience(direct, ["dial.direct.timeout", "dial.direct.hedge_after"]));
    values.extend(patience(proxied, ["dial.proxied.timeout", "dial.proxied.hedge_after"]));
    values.extend(backoff(retry, ["retry.growth", "retry.base", "retry.cap", "retry.jitter"]));
    values
}

fn of_seeds(seeds: &SeedConfig) -> Values {
    let SeedConfig {
        names,
        fixed,
        batch,
        delay,
        delay_when_known,
        many,
        enough,
        fixed_after,
        keep,
        retry,
        again_after,
        _more: _,
    } = seeds;
    let Seed { name: _, filters_services, _more: _ } = seed("seed.example");
    let mut values = vec![
        ("seeds.names", list(names, "seeds")),
        ("Seed::name", TO_BE_GIVEN.into()),
        ("Seed::filters_services", yes(filters_services)),
        ("seeds.fixed", list(fixed, "addresses")),
        ("seeds.batch", name(batch)),
        ("seeds.delay", time(*delay)),
        ("seeds.delay_when_known", time(*delay_when_known)),
        ("seeds.many", name(many)),
        ("seeds.enough", name(enough)),
        ("seeds.fixed_after", time(*fixed_after)),
        ("seeds.keep", name(keep)),
        ("seeds.again_after", time(*again_after)),
    ];
    let names = ["seeds.retry.growth", "seeds.retry.base", "seeds.retry.cap", "seeds.retry.jitter"];
    values.extend(backoff(*retry, names));
    values
}

fn of_defence(score: ScoreConfig, inbound: InboundConfig, book: BookConfig) -> Values {
    let ScoreConfig { threshold, ban_for, max_hosts, _more: _ } = score;
    let InboundConfig { per_host, half_open, rate, first_pause, max_pause, _more: _ } = inbound;
    let BookConfig { max_addresses, gossip, max_per_call, save_every, without: _, _more: _ } = book;
    let Listener { id: _, network, permissions, _more: _ } = listener(0);
    let Permissions { no_ban, no_limit, _more: _ } = permissions;
    vec![
        ("score.threshold", name(threshold)),
        ("score.ban_for", time(ban_for)),
        ("score.max_hosts", name(max_hosts)),
        ("inbound.per_host", name(per_host)),
        ("inbound.half_open", name(half_open)),
        ("inbound.rate", rate_of(rate)),
        ("inbound.first_pause", time(first_pause)),
        ("inbound.max_pause", time(max_pause)),
        ("Listener::id", TO_BE_GIVEN.into()),
        ("Listener::network", option(network)),
        ("Permissions::no_ban", yes(no_ban)),
        ("Permissions::no_limit", yes(no_limit)),
        ("book.max_addresses", name(max_addresses)),
        ("book.gossip", rate_of(gossip)),
        ("book.max_per_call", name(max_per_call)),
        ("book.save_every", time(save_every)),
    ]
}

fn patience(of: Patience, names: [&'static str; 2]) -> [(&'static str, String); 2] {
    let Patience { timeout, hedge_after, _more: _ } = of;
    [(names[0], time(timeout)), (names[1], time(hedge_after))]
}

fn backoff(of: Backoff, names: [&'static str; 4]) -> [(&'static str, String); 4] {
    let Backoff { growth, base, cap, jitter, _more: _ } = of;
    [(names[0], name(growth)), (names[1], time(base)), (names[2], time(cap)), (names[3], yes(jitter))]
}

fn name(value: impl Debug) -> String {
    format!("{value:?}")
}

fn option(value: Option<impl Debug>) -> String {
    value.map_or_else(|| "none".into(), name)
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.into()
}

fn services(value: Services) -> String {
    if value == Services::NONE { "none".into() } else { format!("{:#x}", value.bits()) }
}

fn list<T>(of: &[T], what: &str) -> String {
    if of.is_empty() { "none".into() } else { format!("{} {what}", of.len()) }
}

fn rate_of(Rate { burst, interval }: Rate) -> String {
    format!("{burst}, then 1 every {}", time(interval))
}

/// In the greatest unit in which it is whole and more than one, save hours: "60 s", "5 min", "1 h".
fn time(value: Duration) -> String {
    let millis = value.as_millis();
    assert!(value == Duration::from_millis(u64::try_from(millis).expect("a default is short")), "whole milliseconds");
    match millis {
        _ if millis % 1000 != 0 => format!("{millis} ms"),
        _ if millis % 3_600_000 == 0 && millis > 0 => format!("{} h", millis / 3_600_000),
        _ if millis % 60_000 == 0 && millis > 60_000 => format!("{} min", millis / 60_000),
        _ => format!("{} s", millis / 1000),
    }
}
