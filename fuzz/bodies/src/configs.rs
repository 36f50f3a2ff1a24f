//! The configurations that are tried: a few, each with a corner case of its own.

use std::time::Duration;

use connmgr_check::{Suite, Watcher};
use connmgr_core::{
    Backoff, Birth, BookConfig, Chain, Config, ConnManager, DialConfig, HealthConfig, HostName, Identity,
    IsolationMode, Limits, Listener, ListenerId, Mode, NetworkKind, NetworkSet, Permissions, Proxies, Proxy, Ranges,
    ScoreConfig, Seed, SeedConfig, Snapshot, Time, Transport, UnixTime,
};

/// The wall clock at birth: 2026-01-01.
pub(crate) const UNIX: u64 = 1_767_225_600;

/// The checkers' audit runs every so many steps.
const AUDIT_EVERY: u64 = 4;

/// The configuration with this number, modulo their count.
pub(crate) fn config(number: u8) -> Config {
    let bitcoin = bitcoin();
    let dial = DialConfig { max_hedged: Some(2), ..DialConfig::default() };
    match number % 8 {
        0 => bitcoin,
        1 => tiny(bitcoin),
        2 => Config { mode: Mode::ConnectOnly, ..bitcoin },
        3 => Config { proxies: proxies(true), ..bitcoin },
        4 => Config { proxies: proxies(false), dial, ..bitcoin },
        5 => Config { transport: Transport::V2, ranges: Ranges::default(), ..bitcoin },
        6 => Config { max_bans: 0, networks: NetworkSet::ALL.without(NetworkKind::Ipv6), ..bitcoin },
        _ => {
            let ranges =
                Ranges { private: true, own: vec!["11.1.0.0/16".parse().expect("a net")], ..Ranges::default() };
            Config { listeners: listeners(), ranges, ..Config::default() }
        }
    }
}

/// A manager that starts at time zero.
pub(crate) fn birth(config: Config, snapshot: Option<Snapshot>, rng: u8) -> ConnManager {
    let unix = UnixTime::from_secs(UNIX);
    ConnManager::new(Birth { config, snapshot, rng_seed: [rng; 32], unix, now: Time::ZERO })
        .expect("the configurations above are in range")
}

/// The checkers of such a manager, for the target of this name.
pub(crate) fn watcher(target: &str, config: &Config, snapshot: Option<&Snapshot>) -> Watcher {
    let suite = Suite::new(config, snapshot, UnixTime::from_secs(UNIX), Time::ZERO);
    Watcher::new(format!("the fuzz target `{target}`"), suite, AUDIT_EVERY)
}

fn bitcoin() -> Config {
    let seed = |name| Seed::new(HostName::new(name).expect("a name")).filters_services(true);
    let seeds = SeedConfig {
        names: vec![seed("seed1.example"), seed("seed2.example")],
        fixed: vec!["99.1.2.3:8333".parse().expect("an address"), "[2a01:99::1]:8333".parse().expect("an address")],
        ..SeedConfig::default()
    };
    Config {
        listeners: listeners(),
        identity: Some(Identity([2; 32])),
        default_port: 8333,
        seeds,
        ..Config::bitcoin(Chain::Regtest)
    }
}

fn listeners() -> Vec<Listener> {
    let listener = |id, network, spared| {
        let permissions = Permissions { no_ban: spared, no_limit: spared, ..Permissions::default() };
        Listener::new(ListenerId(id)).network(network).permissions(permissions)
    };
    vec![listener(0, None, false), listener(1, Some(NetworkKind::Onion), false), listener(2, None, true)]
}

fn proxies(resolves: bool) -> Proxies {
    let proxy =
        Proxy::new("127.0.0.1:9050".parse().expect("an address")).isolation(IsolationMode::Required).resolves(resolves);
    let i2p = Proxy { isolation: IsolationMode::Off, ..proxy.clone() };
    Proxies { all: Some(proxy), onion: None, i2p: Some(i2p), ..Proxies::default() }
}

/// Every bound as low as it can be.
fn tiny(from: Config) -> Config {
    let tick = Duration::from_millis(1);
    Config {
        limits: Limits { total: 6, full: 2, block_relay: 1, feeler: 1, addr_fetch: 1, added: 3, ..Limits::default() },
        max_actions_per_input: 16,
        max_bans: 1,
        score: ScoreConfig { max_hosts: 1, threshold: 0, ban_for: Duration::ZERO, ..ScoreConfig::default() },
        book: BookConfig { max_addresses: 4, max_per_call: 3, save_every: Duration::ZERO, ..BookConfig::default() },
        health: HealthConfig { own_failures: 1, silent_dials: 1, silent_groups: 0, ..HealthConfig::default() },
        retry: Backoff { base: tick, cap: tick, ..Backoff::default() },
        handshake_timeout: tick,
        stable_after: Duration::ZERO,
        ..from
    }
}
