//! The bans that the events told of.

use std::collections::BTreeSet;
use std::net::IpAddr;

use connmgr_core::{BanTarget, Host, Time};
use ipnet::IpNet;
use rustc_hash::FxHashMap;

/// What a ban covers, in one canonical form: a host with an IP address, CJDNS included, is a subnet of one address, and
/// an IPv4-mapped IPv6 address is IPv4.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum BanKey {
    /// Bits and prefix length.
    V4(u32, u8),
    /// Bits and prefix length.
    V6(u128, u8),
    Host(Host),
}

impl BanKey {
    /// Whether all of another is inside this one.
    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(_, length), Self::V4(bits, longer)) => length <= longer && Self::v4(*bits, *length) == *self,
            (Self::V6(_, length), Self::V6(bits, longer)) => length <= longer && Self::v6(*bits, *length) == *self,
            (one, other) => one == other,
        }
    }

    fn length(&self) -> Option<u8> {
        match self {
            Self::V4(_, length) | Self::V6(_, length) => Some(*length),
            Self::Host(_) => None,
        }
    }

    pub(crate) fn of(target: &BanTarget) -> Self {
        match target {
            BanTarget::Subnet(IpNet::V4(net)) => Self::v4(net.addr().to_bits(), net.prefix_len()),
            BanTarget::Subnet(IpNet::V6(net)) => match (net.addr().to_ipv4_mapped(), net.prefix_len()) {
                (Some(ip), length @ 96..) => Self::v4(ip.to_bits(), length - 96),
                (Some(_) | None, length) => Self::v6(net.addr().to_bits(), length),
            },
            BanTarget::Host(host) => Self::of_host(host),
        }
    }

    fn of_host(host: &Host) -> Self {
        match host {
            Host::Ip(ip) => match ip.to_canonical() {
                IpAddr::V4(ip) => Self::v4(ip.to_bits(), 32),
                IpAddr::V6(ip) => Self::v6(ip.to_bits(), 128),
            },
            Host::Cjdns(ip) => Self::v6(ip.to_bits(), 128),
            Host::Onion(_) | Host::I2p(_) | Host::Name(_) => Self::Host(host.clone()),
        }
    }

    fn v4(bits: u32, length: u8) -> Self {
        Self::V4(bits & u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0), length)
    }

    fn v6(bits: u128, length: u8) -> Self {
        Self::V6(bits & u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0), length)
    }
}

/// One ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownBan {
    /// The first time at which it is over.
    pub(crate) until: Time,
    /// State was saved since it was imposed.
    pub(crate) is_saved: bool,
}

/// All bans, with those that are over and whose `Unbanned` did not come yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownBans {
    bans: FxHashMap<BanKey, KnownBan>,
    by_end: BTreeSet<(Time, BanKey)>,
    /// How many bans have each prefix length; only lengths in use.
    lengths_v4: Vec<(u8, u32)>,
    lengths_v6: Vec<(u8, u32)>,
    unsaved: Vec<BanKey>,
    /// Parts of banned subnets that were let in.
    exceptions: Vec<BanKey>,
}

impl KnownBans {
    /// Adds a ban. A longer one of the same target stays.
    pub(crate) fn impose(&mut self, target: &BanTarget, until: Time) {
        let key = BanKey::of(target);
        if self.bans.get(&key).is_some_and(|known| known.until >= until) {
            return;
        }
        if self.bans.contains_key(&key) {
            self.remove(&key);
        } else {
            self.exceptions.retain(|exception| !key.contains(exception));
        }
        if let Some((lengths, length)) = self.lengths(&key) {
            match lengths.iter_mut().find(|(known, _)| *known == length) {
                Some((_, count)) => *count += 1,
                None => lengths.push((length, 1)),
            }
        }
        self.by_end.insert((until, key.clone()));
        self.unsaved.push(key.clone());
        self.bans.insert(key, KnownBan { until, is_saved: false });
    }

    /// The parts of banned subnets that are not banned.
    pub(crate) fn exceptions(&self) -> &[BanKey] {
        &self.exceptions
    }

    /// Removes a ban, or makes a part of wider ones an exception.
    pub(crate) fn lift(&mut self, key: &BanKey) {
        if self.remove(key).is_none() && self.end_around(key).is_some() {
            self.except(key.clone());
        }
        let (bans, exceptions) = (&self.bans, &mut self.exceptions);
        let is_wider = |ban: &BanKey, key: &BanKey| ban != key && ban.contains(key);
        exceptions.retain(|key| bans.keys().any(|ban| is_wider(ban, key)));
    }

    /// Lets a part of a banned subnet in.
    pub(crate) fn except(&mut self, key: BanKey) {
        self.exceptions.push(key);
    }

    fn remove(&mut self, key: &BanKey) -> Option<KnownBan> {
        let ban = self.bans.remove(key)?;
        self.by_end.remove(&(ban.until, key.clone()));
        if let Some((lengths, length)) = self.lengths(key) {
            if let Some((_, count)) = lengths.iter_mut().find(|(known, _)| *known == length) {
                *count -= 1;
            }
            lengths.retain(|(_, count)| *count > 0);
        }
        Some(ban)
    }

    fn lengths(&mut self, key: &BanKey) -> Option<(&mut Vec<(u8, u32)>, u8)> {
        match key {
            BanKey::V4(_, length) => Some((&mut self.lengths_v4, *length)),
            BanKey::V6(_, length) => Some((&mut self.lengths_v6, *length)),
            BanKey::Host(_) => None,
        }
    }

    /// Until when a host is banned: the latest end of the bans that cover it.
    pub(crate) fn until(&self, host: &Host, now: Time) -> Option<Time> {
        if self.bans.is_empty() {
            return None;
        }
        let latest = self.end_around(&BanKey::of_host(host));
        latest.filter(|until| *until > now)
    }

    /// The latest end of the bans that cover all of a target.
    pub(crate) fn end_around(&self, key: &BanKey) -> Option<Time> {
        self.end_despite(key, |_| true)
    }

    /// The same, once the target itself is banned, which ends an exception for it.
    pub(crate) fn end_around_banned(&self, key: &BanKey) -> Option<Time> {
        self.end_despite(key, |exception| exception != key)
    }

    /// The latest end of the bans around a target, despite the exceptions that stay.
    fn end_despite(&self, key: &BanKey, stays: impl Fn(&BanKey) -> bool) -> Option<Time> {
        let end = |key: &BanKey| self.bans.get(key).map(|ban| ban.until);
        // Only bans narrower than every exception around the target count.
        let around = self.exceptions.iter().filter(|exception| exception.contains(key) && stays(exception));
        let exception = around.filter_map(BanKey::length).max();
        let counts = |length: u8, longest: u8| length <= longest && exception.is_none_or(|other| length > other);
        let wider = |lengths: &[(u8, u32)], longest: u8, of: &dyn Fn(u8) -> BanKey| {
            let known = lengths.iter().map(|(length, _)| *length).filter(|length| counts(*length, longest));
            known.filter_map(|length| end(&of(length))).max()
        };
        match key {
            BanKey::V4(bits, longest) => wider(&self.lengths_v4, *longest, &|length| BanKey::v4(*bits, length)),
            BanKey::V6(bits, longest) => wider(&self.lengths_v6, *longest, &|length| BanKey::v6(*bits, length)),
            BanKey::Host(_) => end(key),
        }
    }

    pub(crate) fn get(&self, key: &BanKey) -> Option<&KnownBan> {
        self.bans.get(key)
    }

    /// The ban that ends first.
    pub(crate) fn first(&self) -> Option<&(Time, BanKey)> {
        self.by_end.first()
    }

    pub(crate) fn len(&self) -> usize {
        self.bans.len()
    }

    /// All bans in order of their end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Time, BanKey)> {
        self.by_end.iter()
    }

    /// The state was saved.
    pub(crate) fn save(&mut self) {
        for key in self.unsaved.drain(..) {
            if let Some(ban) = self.bans.get_mut(&key) {
                ban.is_saved = true;
            }
        }
    }
}
