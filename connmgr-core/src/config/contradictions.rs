//! Settings that contradict each other: each is in its range, and together they can do nothing, or not what they say.
//!
//! A limit of zero is no contradiction: zero means none at all. It is one where something else asks for more. Nor is what
//! is merely not used, such as the proxy of a network that is disabled for a while. Limits can be raised
//! later, so a pool that dials nobody and has no listener is none either.

use core::time::Duration;

use super::check::require;
use super::{Config, Mode, Rate};
use crate::types::{ConfigError, NetworkKind};

/// The most own addresses that are kept.
const MAX_OWN_ADDRESSES: usize = 1024;

impl Config {
    /// Checks that the settings agree with each other.
    ///
    /// # Errors
    /// [`ConfigError`] names a field that contradicts others, and what it must be.
    pub(super) fn check_contradictions(&self) -> Result<(), ConfigError> {
        self.check_total()?;
        if self.mode == Mode::Automatic && self.wanted() > 0 {
            self.check_dialing()?;
        }
        self.check_waits()?;
        self.check_inbound()?;
        require(self.own_addresses.len() <= MAX_OWN_ADDRESSES, "own_addresses", "at most 1024 addresses")
    }

    /// How many automatic connections are wanted.
    fn wanted(&self) -> u64 {
        [self.limits.full, self.limits.block_relay, self.limits.feeler].map(u64::from).iter().sum()
    }

    fn check_total(&self) -> Result<(), ConfigError> {
        let (total, is_automatic) = (u64::from(self.limits.total), self.mode == Mode::Automatic);
        let fits = !is_automatic || self.wanted() <= total;
        let enough =
            "at least `limits.full`, `block_relay` and `feeler` together: the connections to keep must fit into it";
        require(fits, "limits.total", enough)?;
        let none = "at least 1, or `limits.added` 0 as well: with 0 no added peer can ever be dialed";
        require(total > 0 || self.limits.added == 0, "limits.total", none)
    }

    /// What every automatic dial needs.
    fn check_dialing(&self) -> Result<(), ConfigError> {
        let group = "at least 1, or none for no limit: with 0 nothing can be dialed automatically";
        require(self.groups.max_per_group != Some(0), "groups.max_per_group", group)?;
        let rate =
            "a `burst` of at least 1, or an `interval` of 0 for no limit: else nothing can be dialed automatically";
        require(allows_some(self.dial.rate), "dial.rate", rate)?;
        let book = "at least 1: automatic connections are chosen from the book; for none, set `mode` to connect-only";
        require(self.book.max_addresses > 0, "book.max_addresses", book)?;
        let has_route = |network: &NetworkKind| match network {
            NetworkKind::Ipv4 | NetworkKind::Ipv6 | NetworkKind::Cjdns => true,
            NetworkKind::Onion | NetworkKind::I2p => self.proxies.for_network(*network).is_some(),
        };
        let networks = "at least one network that can be reached: onion and I2P need a proxy in `proxies`";
        require(self.networks.iter().any(|network| has_route(&network)), "networks", networks)?;
        let is_anywhere = |network: &NetworkKind| has_route(network) && network.is_overlay();
        let has_range = !self.ranges.is_empty() || self.networks.iter().any(|network| is_anywhere(&network));
        require(has_range, "ranges", "at least one range in which peers may be")?;
        let keeps = self.seeds.names.is_empty() || self.seeds.keep > 0;
        require(keeps, "seeds.keep", "at least 1 when there are seeds: else their answers are of no use")
    }

    /// Waits that grow from one setting to another.
    fn check_waits(&self) -> Result<(), ConfigError> {
        let grows = |from: Duration, to: Duration, field, must| require(from <= to, field, must);
        grows(self.retry.base, self.retry.cap, "retry.cap", "at least `retry.base`: waits grow from that to this")?;
        let (seeds, must) = (self.seeds.retry, "at least `seeds.retry.base`: waits grow from that to this");
        grows(seeds.base, seeds.cap, "seeds.retry.cap", must)?;
        let must = "at least `health.first_probe`: waits grow from that to this";
        grows(self.health.first_probe, self.health.max_probe, "health.max_probe", must)?;
        let must = "at least `inbound.first_pause`: pauses grow from that to this";
        grows(self.inbound.first_pause, self.inbound.max_pause, "inbound.max_pause", must)?;
        let must = "at least `dial.min_spacing`: rests grow from that to this";
        grows(self.dial.min_spacing, self.dial.spacing, "dial.spacing", must)
    }

    fn check_inbound(&self) -> Result<(), ConfigError> {
        let is_overlay = |network: Option<NetworkKind>| network.is_none_or(NetworkKind::is_overlay);
        let kinds = self.listeners.iter().all(|listener| is_overlay(listener.network));
        let must =
            "none for IPv4 and IPv6, where remote hosts are visible: a network is named where its proxy hides them";
        require(kinds, "listeners.network", must)?;
        if !self.listeners.iter().any(|listener| !listener.permissions.no_limit) {
            return Ok(());
        }
        let must = "at least 1 when there is a listener: else it lets nobody in";
        let sees_hosts = self.listeners.iter().any(|listener| listener.network.is_none());
        require(self.inbound.per_host > 0 || !sees_hosts, "inbound.per_host", must)?;
        require(self.inbound.half_open > 0, "inbound.half_open", must)?;
        require(allows_some(self.inbound.rate), "inbound.rate.burst", must)
    }
}

const fn allows_some(rate: Rate) -> bool {
    rate.burst > 0 || rate.interval.is_zero()
}
