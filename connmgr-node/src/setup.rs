//! Makes the options into a configuration. Starts nothing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use connmgr_core::{
    AsnTable, Backoff, Config, ConfigError, DialConfig, GroupRule, HealthConfig, InboundConfig, Limits, Mode, Patience,
    Proxy, Rate, Split,
};
use connmgr_std::read_asn_table;

use crate::cli::{Options, Scene};
use crate::summary::ConnectionTarget;

/// How long a node runs in the loopback world by default.
const SHOW: Duration = Duration::from_secs(30);

/// Inbound connections of one address: several nodes may share one behind a router. Core has no such limit.
const MAX_INBOUND_PER_HOST: u32 = 16;

/// How many of them may come at once. One that is refused comes back after a minute (Core's `-addnode`), so those that
/// start together should all get in at first.
const INBOUND_BURST: u32 = 8;

/// The configuration for these options. `is_relaxed`: the whole loopback world is on one address, so there is no group
/// rule.
pub fn config(options: &Options, is_relaxed: bool) -> Config {
    let base = Config::bitcoin(options.scene.chain());
    let config = Config {
        mode: if options.connect.is_empty() { Mode::Automatic } else { Mode::ConnectOnly },
        limits: limits(options, base.limits),
        inbound: inbound(base.inbound),
        ranges: options.ranges.clone().unwrap_or_else(|| base.ranges.clone()),
        ..base
    };
    let config = if config.ranges.public { config } else { on_a_lan(config) };
    match options.scene {
        Scene::Network(_) => config,
        Scene::World => impatient(config, is_relaxed),
    }
}

/// The table of autonomous systems in the file of `--asmap`.
///
/// # Errors
/// Names the option and the file, and says what is wrong with it.
pub fn asn_table(path: &Path) -> Result<AsnTable> {
    read_asn_table(path).map_err(|error| anyhow!("--asmap {}: {}", path.display(), error.fault))
}

fn inbound(base: InboundConfig) -> InboundConfig {
    let rate = Rate { burst: INBOUND_BURST, ..base.rate };
    InboundConfig { per_host: MAX_INBOUND_PER_HOST, rate, ..base }
}

fn limits(options: &Options, base: Limits) -> Limits {
    let added = u32::try_from(options.connect.len() + options.add.len()).unwrap_or(u32::MAX);
    let total = options.max_peers.unwrap_or(base.total);
    // Of few peers in all, as many are of each kind as fit.
    let full = options.outbound.unwrap_or(base.full).min(total);
    let block_relay = base.block_relay.min(total - full);
    let feeler = base.feeler.min(total - full - block_relay);
    let asked = Limits { total, full, block_relay, feeler, added: base.added.max(added), ..base };
    if options.outbound == Some(0) { Limits { block_relay: 0, feeler: 0, addr_fetch: 0, ..asked } } else { asked }
}

/// A LAN may be one network, in which all peers are.
fn on_a_lan(config: Config) -> Config {
    Config { groups: GroupRule { max_per_group: None, ..config.groups }, ..config }
}

/// Shorter timeouts for the loopback world.
fn impatient(config: Config, is_relaxed: bool) -> Config {
    let seconds = Duration::from_secs;
    Config {
        // No peer there is on the usual port, so none is preferred.
        default_port: 0,
        dial: DialConfig {
            direct: Patience::new(seconds(2), Duration::from_millis(500)),
            spacing: seconds(20),
            min_spacing: seconds(5),
            ..config.dial
        },
        handshake_timeout: seconds(3),
        retry: Backoff { base: seconds(1), cap: seconds(10), ..config.retry },
        stable_after: seconds(3),
        groups: GroupRule { max_per_group: config.groups.max_per_group.filter(|_| !is_relaxed), ..config.groups },
        health: HealthConfig { max_probe: seconds(4), ..config.health },
        ..config
    }
}

/// The proxy of the options. Whether it can look up names, as Tor does, is found out.
pub fn proxy(options: &Options) -> Option<Proxy> {
    let address = options.proxy.clone()?;
    Some(Proxy::new(address).isolation(options.isolation).resolves(true))
}

/// The connections wanted. The added peer of the loopback world does not count, for it comes and goes.
pub fn target(options: &Options, config: &Config) -> ConnectionTarget {
    let added = u32::try_from(options.connect.len() + options.add.len()).unwrap_or(u32::MAX);
    let split = Split::new(&config.limits, config.mode, config.dial.max_hedged, added);
    ConnectionTarget { automatic: split.full + split.block_relay, added: split.added }
}

/// When the node stops by itself, if ever.
pub fn run_for(options: &Options) -> Option<Duration> {
    match options.scene {
        Scene::World => Some(options.run_for.unwrap_or(SHOW)),
        Scene::Network(_) => options.run_for,
    }
}

/// An error of the configuration as text: the option that caused it, and what is allowed.
pub fn explain(error: &ConfigError) -> String {
    let option = match error.field {
        "limits.full" => "--outbound",
        "limits.total" => "--max-peers",
        "limits.added" => "--connect and --add",
        other => other,
    };
    format!("{option}: must be {}", error.must)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Options {
        Options::try_parse(std::iter::once("connmgr-node").chain(line.split_whitespace())).expect(line)
    }

    fn target_of(line: &str) -> (u32, u32) {
        let options = options(line);
        let target = target(&options, &config(&options, false));
        (target.automatic, target.added)
    }

    #[test]
    fn every_line_makes_a_valid_configuration() {
        for line in ["", "--chain mainnet", "--outbound 0", "--max-peers 1", "--connect 1.2.3.4", "--outbound 200"] {
            for is_relaxed in [false, true] {
                assert_eq!(config(&options(line), is_relaxed).check(), Ok(()), "{line}");
            }
        }
    }

    #[test]
    fn on_a_lan_all_peers_may_be_in_one_network() {
        let of = |line: &str| config(&options(line), false).groups.max_per_group;
        assert_eq!((of("--ranges private"), of("--ranges public,private"), of("")), (None, Some(1), Some(1)));
    }

    #[test]
    fn the_target_is_what_the_limits_leave_room_for() {
        assert_eq!(target_of(""), (10, 0));
        assert_eq!(target_of("--add 1.2.3.4 --add 1.2.3.5"), (10, 2));
        assert_eq!(target_of("--connect 1.2.3.4 --add 1.2.3.5"), (0, 2));
        assert_eq!(target_of("--outbound 3"), (5, 0));
        assert_eq!(target_of("--outbound 0"), (0, 0));
        assert_eq!(target_of("--max-peers 4 --add 1.2.3.4"), (3, 1));
    }

    #[test]
    fn more_peers_than_usual_may_be_asked_for() {
        let line = (1..=20).map(|host| format!("--connect 1.2.3.{host} ")).collect::<String>();
        assert_eq!(target_of(&line), (0, 20));
    }

    #[test]
    fn only_the_loopback_world_has_short_timeouts() {
        let (world, signet) = (config(&options(""), false), config(&options("--chain signet"), false));
        assert!(world.handshake_timeout < signet.handshake_timeout);
        let base = Config::bitcoin(connmgr_core::Chain::Signet);
        assert_eq!(signet, Config { inbound: inbound(base.inbound), ..base });
        assert_eq!(run_for(&options("")), Some(SHOW));
        assert_eq!(run_for(&options("--chain signet")), None);
    }

    #[test]
    fn the_group_rule_falls_only_where_there_are_no_groups() {
        assert_eq!(config(&options(""), false).groups.max_per_group, Some(1));
        assert_eq!(config(&options(""), true).groups.max_per_group, None);
    }
}
