//! Configurations that contradict themselves are refused with a sentence.

mod support;

use std::time::Duration;

use connmgr_core::*;
use support::*;

fn refused(change: impl FnOnce(&mut Config)) -> Option<String> {
    let mut config = with_listener(Config::default());
    change(&mut config);
    config.check().err().map(|error| error.to_string())
}

fn proxy() -> Option<Proxy> {
    with_proxy(Config::default()).proxies.onion
}

const NOTHING: Rate = Rate { burst: 0, interval: Duration::from_secs(1) };

type Change = fn(&mut Config);

/// Each contradiction, and the sentence that refuses it.
const CONTRADICTIONS: &[(Change, &str)] = &[
    (
        |config| config.limits = Limits { total: 9, full: 8, block_relay: 2, ..config.limits },
        "`limits.total` must be at least `limits.full`, `block_relay` and `feeler` together: the connections to keep \
         must fit into it",
    ),
    (
        |config| config.limits.total = 0,
        "`limits.total` must be at least `limits.full`, `block_relay` and `feeler` together: the connections to keep \
         must fit into it",
    ),
    (
        |config| (config.mode, config.limits.total) = (Mode::ConnectOnly, 0),
        "`limits.total` must be at least 1, or `limits.added` 0 as well: with 0 no added peer can ever be dialed",
    ),
    (
        |config| config.groups.max_per_group = Some(0),
        "`groups.max_per_group` must be at least 1, or none for no limit: with 0 nothing can be dialed automatically",
    ),
    (
        |config| config.dial.rate = NOTHING,
        "`dial.rate` must be a `burst` of at least 1, or an `interval` of 0 for no limit: else nothing can be dialed \
         automatically",
    ),
    (
        |config| config.book.max_addresses = 0,
        "`book.max_addresses` must be at least 1: automatic connections are chosen from the book; for none, set `mode` \
         to connect-only",
    ),
    (
        |config| config.networks = NetworkSet::EMPTY,
        "`networks` must be at least one network that can be reached: onion and I2P need a proxy in `proxies`",
    ),
    (
        |config| config.networks = NetworkSet::EMPTY.with(NetworkKind::Onion).with(NetworkKind::I2p),
        "`networks` must be at least one network that can be reached: onion and I2P need a proxy in `proxies`",
    ),
    (
        |config| {
            config.networks = NetworkSet::EMPTY.with(NetworkKind::Ipv4);
            config.ranges.public = false;
        },
        "`ranges` must be at least one range in which peers may be",
    ),
    (
        |config| {
            config.seeds = Config::bitcoin(Chain::Mainnet).seeds;
            (config.seeds.keep, config.default_port) = (0, 8333);
        },
        "`seeds.keep` must be at least 1 when there are seeds: else their answers are of no use",
    ),
    (|config| config.retry.cap = secs(1), "`retry.cap` must be at least `retry.base`: waits grow from that to this"),
    (
        |config| config.seeds.retry.cap = secs(1),
        "`seeds.retry.cap` must be at least `seeds.retry.base`: waits grow from that to this",
    ),
    (
        |config| config.health.max_probe = millis(1),
        "`health.max_probe` must be at least `health.first_probe`: waits grow from that to this",
    ),
    (
        |config| config.inbound.max_pause = millis(1),
        "`inbound.max_pause` must be at least `inbound.first_pause`: pauses grow from that to this",
    ),
    (
        |config| config.dial.spacing = secs(1),
        "`dial.spacing` must be at least `dial.min_spacing`: rests grow from that to this",
    ),
    (
        |config| config.listeners[0].network = Some(NetworkKind::Ipv4),
        "`listeners.network` must be none for IPv4 and IPv6, where remote hosts are visible: a network is named where \
         its proxy hides them",
    ),
    (
        |config| config.inbound.per_host = 0,
        "`inbound.per_host` must be at least 1 when there is a listener: else it lets nobody in",
    ),
    (
        |config| config.inbound.half_open = 0,
        "`inbound.half_open` must be at least 1 when there is a listener: else it lets nobody in",
    ),
    (
        |config| config.inbound.rate = NOTHING,
        "`inbound.rate.burst` must be at least 1 when there is a listener: else it lets nobody in",
    ),
    (|config| config.own_addresses = addresses(1025), "`own_addresses` must be at most 1024 addresses"),
];

#[test]
fn each_contradiction_is_refused_with_a_sentence() {
    for (change, sentence) in CONTRADICTIONS {
        assert_eq!(refused(change), Some(format!("config: {sentence}")));
    }
}

/// What looks like a contradiction, and is none.
const AGREEING: &[Change] = &[
    |_| {},
    |config| *config = with_listener(Config::bitcoin(Chain::Mainnet)),
    |config| {
        config.limits =
            Limits { total: 0, full: 0, block_relay: 0, feeler: 0, addr_fetch: 0, added: 0, ..config.limits }
    },
    |config| (config.mode, config.limits.total) = (Mode::ConnectOnly, 1),
    |config| (config.mode, config.groups.max_per_group) = (Mode::ConnectOnly, Some(0)),
    |config| config.limits = Limits { total: 10, full: 8, block_relay: 2, ..config.limits },
    // Nobody is to be dialed automatically.
    |config| {
        config.limits = Limits { full: 0, block_relay: 0, feeler: 0, ..config.limits };
        config.groups.max_per_group = Some(0);
    },
    // Its limits can be raised later.
    |config| {
        (config.mode, config.limits.added) = (Mode::ConnectOnly, 0);
        config.listeners.clear();
    },
    |config| config.dial.direct.hedge_after = config.dial.direct.timeout + secs(1),
    // As long as that of a mapped IPv4 address.
    |config| config.ranges.own = vec!["2a00::/112".parse().expect("a subnet")],
    // CJDNS is in no range.
    |config| config.ranges.public = false,
    |config| config.groups.max_per_group = None,
    |config| config.dial.rate = Rate { burst: 0, interval: Duration::ZERO },
    |config| {
        config.networks = NetworkSet::EMPTY.with(NetworkKind::Onion);
        (config.proxies.onion, config.ranges.public) = (proxy(), false);
    },
    |config| {
        config.networks = config.networks.without(NetworkKind::Onion);
        config.proxies.onion = proxy();
    },
    |config| {
        config.listeners[0].permissions.no_limit = true;
        config.inbound = InboundConfig { per_host: 0, half_open: 0, rate: NOTHING, ..config.inbound };
    },
    |config| {
        config.listeners[0].network = Some(NetworkKind::Onion);
        config.inbound.per_host = 0;
    },
    |config| {
        config.listeners.clear();
        config.inbound = InboundConfig { per_host: 0, half_open: 0, rate: NOTHING, ..config.inbound };
    },
];

#[test]
fn what_agrees_is_accepted() {
    for (number, change) in AGREEING.iter().enumerate() {
        assert_eq!(refused(change), None, "number {number}");
    }
}

/// The limits of a running pool may be squeezed below what it wants: then its connections share what there is.
#[test]
fn a_running_pool_may_be_squeezed() {
    let mut bench = Bench::new(Config::default());
    let limits = Limits { total: 3, ..Limits::default() };
    assert_eq!(bench.apply(&Input::SetLimits { limits }), Reply::Done(Ok(())));
}
