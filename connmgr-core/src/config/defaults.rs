//! The default configuration. Its numbers come from btcd for the pool, and from Bitcoin Core for the book, the seeds
//! and the limits.

use alloc::vec::Vec;
use core::time::Duration;

use super::{
    BookConfig, Config, DialConfig, GroupRule, HealthConfig, InboundConfig, Mode, Patience, Proxies, Ranges, Rate,
    RequiredServices, ScoreConfig, SeedConfig,
};
use crate::types::{Backoff, Limits, More, NetworkSet, Transport};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

impl Default for Config {
    /// A plain pool: 8 outbound connections out of 125, retries after 5 s up to 300 s, a ban of 24 h above a score of
    /// 100.
    fn default() -> Self {
        Self {
            mode: Mode::Automatic,
            limits: Limits::default(),
            networks: NetworkSet::ALL,
            proxies: Proxies::default(),
            default_port: 0,
            required: RequiredServices::default(),
            transport: Transport::V1,
            own_addresses: Vec::new(),
            identity: None,
            ranges: Ranges::default(),
            dial: DialConfig::default(),
            handshake_timeout: MINUTE,
            addr_fetch_timeout: 5 * MINUTE,
            retry: Backoff::default(),
            stable_after: MINUTE,
            groups: GroupRule::default(),
            health: HealthConfig::default(),
            seeds: SeedConfig::default(),
            score: ScoreConfig::default(),
            max_bans: 100_000,
            inbound: InboundConfig::default(),
            listeners: Vec::new(),
            book: BookConfig::default(),
            max_actions_per_input: 256,
            _more: More(()),
        }
    }
}

impl Default for DialConfig {
    fn default() -> Self {
        Self {
            direct: Patience::new(5 * SECOND, SECOND),
            proxied: Patience::new(30 * SECOND, 5 * SECOND),
            max_hedged: None,
            rate: Rate { burst: 64, interval: Duration::from_millis(100) },
            spacing: 10 * MINUTE,
            min_spacing: 30 * SECOND,
            lookup_timeout: 30 * SECOND,
            attempt_delay: Duration::from_millis(250),
            _more: More(()),
        }
    }
}

impl Default for GroupRule {
    fn default() -> Self {
        Self { max_per_group: Some(1), exempt_overlays: false, _more: More(()) }
    }
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            own_failures: 3,
            silent_dials: 25,
            silent_groups: 8,
            silent_for: 30 * SECOND,
            traffic_within: 150 * SECOND,
            first_probe: SECOND,
            max_probe: 32 * SECOND,
            _more: More(()),
        }
    }
}

impl Default for SeedConfig {
    fn default() -> Self {
        Self {
            names: Vec::new(),
            fixed: Vec::new(),
            batch: 3,
            delay: 11 * SECOND,
            delay_when_known: 300 * SECOND,
            many: 1000,
            enough: 2,
            fixed_after: MINUTE,
            keep: 32,
            retry: Backoff { cap: HOUR, base: 30 * SECOND, ..Backoff::default() },
            again_after: 10 * MINUTE,
            _more: More(()),
        }
    }
}

impl Default for ScoreConfig {
    fn default() -> Self {
        Self { threshold: 100, ban_for: 24 * HOUR, max_hosts: 4096, _more: More(()) }
    }
}

impl Default for InboundConfig {
    fn default() -> Self {
        Self {
            per_host: 5,
            half_open: 8,
            rate: Rate { burst: 3, interval: 5 * SECOND },
            first_pause: Duration::from_millis(50),
            max_pause: 5 * SECOND,
            _more: More(()),
        }
    }
}

impl Default for BookConfig {
    fn default() -> Self {
        Self {
            max_addresses: 81_920,
            gossip: Rate { burst: 1000, interval: 10 * SECOND },
            max_per_call: 1000,
            save_every: 15 * MINUTE,
            without: None,
            _more: More(()),
        }
    }
}
