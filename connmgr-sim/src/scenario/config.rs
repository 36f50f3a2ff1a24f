//! The configuration of a scenario's managers.

use connmgr_core::{Config, HostName, IsolationMode, Listener, ListenerId, Mode, Proxies, Proxy, Seed, Transport};

use crate::scenario::{Scenario, SeedSpec};

/// The listener of every manager.
pub const LISTENER: ListenerId = ListenerId(0);

/// Where the proxy of every machine listens.
const PROXY: &str = "127.0.0.1:9050";

/// The configuration of a scenario's managers. If `node.config` does not fit it is left out; the scenario's own check
/// reports it.
pub fn of(scenario: &Scenario) -> Config {
    merged(scenario).unwrap_or_else(|_| plain(scenario))
}

/// As [`of`], but an error if `node.config` does not fit.
///
/// # Errors
/// When the scenario's `node.config` does not fit.
pub fn merged(scenario: &Scenario) -> Result<Config, String> {
    let config = plain(scenario);
    if scenario.node.config.is_empty() {
        return Ok(config);
    }
    let mut table = toml::Table::try_from(&config).map_err(|error| error.to_string())?;
    merge(&mut table, &scenario.node.config);
    table.try_into().map_err(|error: toml::de::Error| error.message().to_owned())
}

fn merge(into: &mut toml::Table, from: &toml::Table) {
    for (key, value) in from {
        match (into.get_mut(key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(value)) => merge(inner, value),
            (_, value) => {
                into.insert(key.clone(), value.clone());
            }
        }
    }
}

fn plain(scenario: &Scenario) -> Config {
    let spec = &scenario.node;
    let mut config = spec.base.config();
    config.limits = spec.limits.unwrap_or(config.limits);
    if spec.connect_only {
        config.mode = Mode::ConnectOnly;
    }
    if spec.prefers_v2 {
        config.transport = Transport::V2;
    }
    if spec.listens || !scenario.inbound.is_empty() {
        config.listeners = vec![Listener::new(LISTENER)];
    }
    config.ranges.private |= scenario.hosts.iter().any(|hosts| hosts.private);
    let seed =
        |spec: &SeedSpec| Some(Seed::new(HostName::new(&spec.name).ok()?).filters_services(spec.by_services.is_some()));
    config.seeds.names = scenario.seeds.iter().filter_map(seed).collect();
    if let Some(spec) = scenario.proxy {
        let address = PROXY.parse().expect("an address of ours");
        let proxy = Some(Proxy::new(address).isolation(IsolationMode::Required).resolves(spec.resolves));
        config.proxies = match spec.for_all {
            true => Proxies { all: proxy.clone(), onion: None, i2p: proxy, ..Proxies::default() },
            false => Proxies { all: None, onion: proxy.clone(), i2p: proxy, ..Proxies::default() },
        };
    }
    config
}
