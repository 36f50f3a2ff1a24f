//! The ranges of the configuration.

use core::time::Duration;

use ipnet::IpNet;

use super::Config;
use crate::types::{ConfigError, Limits};

/// The greatest limit on any number of things, to bound memory.
const MILLION: u32 = 1_000_000;
/// The places of the book: 1024 buckets for new and 256 for tried addresses, of 64 each.
const PLACES: u32 = (1024 + 256) * 64;

pub(super) const fn require(holds: bool, field: &'static str, must: &'static str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError { field, must }) }
}

impl Limits {
    /// Checks that every limit is in its range.
    ///
    /// # Errors
    /// [`ConfigError`] names the first limit that is not.
    pub const fn check(&self) -> Result<(), ConfigError> {
        const AT_MOST: &str = "at most 1000000";
        let limits = [
            (self.total, "limits.total"),
            (self.full, "limits.full"),
            (self.block_relay, "limits.block_relay"),
            (self.feeler, "limits.feeler"),
            (self.addr_fetch, "limits.addr_fetch"),
            (self.added, "limits.added"),
        ];
        let mut i = 0;
        while i < limits.len() {
            if limits[i].0 > MILLION {
                return Err(ConfigError { field: limits[i].1, must: AT_MOST });
            }
            i += 1;
        }
        Ok(())
    }
}

impl Config {
    /// Checks that every field is in its range, and that none contradicts another: what can never do anything is refused.
    /// A limit of zero means none at all and is allowed, where nothing else asks for more.
    ///
    /// It knows only the listeners in `listeners`. An adapter's builder adds those that it opens, and checks again with
    /// them, so that its `start` may refuse what passes here.
    ///
    /// # Errors
    /// [`ConfigError`] names the first field that is wrong, and what it must be.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_ranges()?;
        self.check_contradictions()
    }

    /// Checks that every field is in its range, whatever the others are.
    pub(super) fn check_ranges(&self) -> Result<(), ConfigError> {
        self.limits.check()?;
        self.check_times()?;
        self.check_counts()?;
        self.check_lists()
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        let waits = |wait: Duration| wait >= Duration::from_millis(1);
        for (patience, timeout, hedge) in [
            (self.dial.direct, "dial.direct.timeout", "dial.direct.hedge_after"),
            (self.dial.proxied, "dial.proxied.timeout", "dial.proxied.hedge_after"),
        ] {
            require(waits(patience.timeout), timeout, "at least 1 ms")?;
            require(waits(patience.hedge_after), hedge, "at least 1 ms")?;
        }
        for (wait, field) in [
            (self.dial.lookup_timeout, "dial.lookup_timeout"),
            (self.dial.attempt_delay, "dial.attempt_delay"),
            (self.dial.min_spacing, "dial.min_spacing"),
            (self.handshake_timeout, "handshake_timeout"),
            (self.addr_fetch_timeout, "addr_fetch_timeout"),
            (self.health.first_probe, "health.first_probe"),
            (self.health.max_probe, "health.max_probe"),
            (self.inbound.first_pause, "inbound.first_pause"),
            (self.inbound.max_pause, "inbound.max_pause"),
            (self.retry.base, "retry.base"),
            (self.retry.cap, "retry.cap"),
            (self.seeds.retry.base, "seeds.retry.base"),
            (self.seeds.retry.cap, "seeds.retry.cap"),
            (self.seeds.delay, "seeds.delay"),
            (self.seeds.delay_when_known, "seeds.delay_when_known"),
        ] {
            require(waits(wait), field, "at least 1 ms")?;
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), ConfigError> {
        require(self.max_bans <= MILLION, "max_bans", "at most 1000000")?;
        require(self.health.own_failures >= 1, "health.own_failures", "at least 1")?;
        require(self.health.silent_dials >= 1, "health.silent_dials", "at least 1")?;
        require(self.health.silent_groups <= 16, "health.silent_groups", "at most 16")?;
        require(self.seeds.batch >= 1, "seeds.batch", "at least 1")?;
        require(self.score.max_hosts >= 1, "score.max_hosts", "at least 1")?;
        require(
            self.book.max_addresses <= PLACES,
            "book.max_addresses",
            "at most 81920, the places of the book's tables",
        )?;
        require(self.max_actions_per_input >= 16, "max_actions_per_input", "at least 16")
    }

    fn check_lists(&self) -> Result<(), ConfigError> {
        require(self.ranges.own.len() <= super::ranges::MAX_OWN, "ranges.own", "at most 64 subnets")?;
        let is_mapped =
            |net: &IpNet| net.prefix_len() >= 96 && net.network().to_canonical().is_ipv4() && net.network().is_ipv6();
        let none_mapped = !self.ranges.own.iter().any(is_mapped);
        require(none_mapped, "ranges.own", "IPv4 where it means IPv4: 10.0.0.0/8, not ::ffff:10.0.0.0/104")?;
        let proxies_have_a_port = self.proxies.addresses().all(|proxy| proxy.port() != 0);
        require(proxies_have_a_port, "proxies.address", "an address with a port other than 0")?;
        let seeds_have_a_port = self.seeds.names.is_empty() || self.default_port != 0;
        require(seeds_have_a_port, "default_port", "the port of the seeds' addresses: not 0 when there are seeds")?;
        let names = &self.seeds.names;
        let asked_once =
            |i: usize| names[..i].iter().all(|other| other.name.as_relative() != names[i].name.as_relative());
        require((0..names.len()).all(asked_once), "seeds.names", "different from each other")?;
        let unique = |i: usize| self.listeners[..i].iter().all(|other| other.id != self.listeners[i].id);
        require((0..self.listeners.len()).all(unique), "listeners.id", "different for each listener")
    }
}
