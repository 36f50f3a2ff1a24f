//! The bans that stand, as far as the events told: kept in the plainest way that is fast enough.

use std::collections::BTreeSet;
use std::net::IpAddr;

use connmgr_core::{BanTarget, Host, Time};
use ipnet::IpNet;
use rustc_hash::FxHashMap;

/// Whom a ban covers, spelled in one way: a host with an IP address is a subnet of one, IPv4 written as IPv6 is IPv4.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// Bits (IPv4 in the low 32) and length.
    V4(u32, u8),
    V6(u128, u8),
    Host(Host),
}

impl Key {
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
            Host::Onion(_) | Host::I2p(_) | Host::Cjdns(_) | Host::Name(_) => Self::Host(host.clone()),
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
pub(crate) struct Ban {
    /// The first moment at which it stands no more.
    pub(crate) until: Time,
    /// State was saved since it was imposed.
    pub(crate) is_saved: bool,
}

/// The bans that stand, with those that ended and were not taken out yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bans {
    bans: FxHashMap<Key, Ban>,
    by_end: BTreeSet<(Time, Key)>,
    /// How many bans have each length, IPv4 and IPv6; only lengths in use.
    lengths_v4: Vec<(u8, u32)>,
    lengths_v6: Vec<(u8, u32)>,
    unsaved: Vec<Key>,
}

impl Bans {
    /// Bans; one banned for longer stays so.
    pub(crate) fn impose(&mut self, target: &BanTarget, until: Time) {
        let key = Key::of(target);
        if self.bans.get(&key).is_some_and(|known| known.until >= until) {
            return;
        }
        self.lift(&key);
        if let Some((lengths, length)) = self.lengths(&key) {
            match lengths.iter_mut().find(|(known, _)| *known == length) {
                Some((_, count)) => *count += 1,
                None => lengths.push((length, 1)),
            }
        }
        self.by_end.insert((until, key.clone()));
        self.unsaved.push(key.clone());
        self.bans.insert(key, Ban { until, is_saved: false });
    }

    /// Takes a ban out; whether there was one.
    pub(crate) fn lift(&mut self, key: &Key) -> Option<Ban> {
        let ban = self.bans.remove(key)?;
        self.by_end.remove(&(ban.until, key.clone()));
        if let Some((lengths, length)) = self.lengths(key) {
            lengths.iter_mut().filter(|(known, _)| *known == length).for_each(|(_, count)| *count -= 1);
            lengths.retain(|(_, count)| *count > 0);
        }
        Some(ban)
    }

    fn lengths(&mut self, key: &Key) -> Option<(&mut Vec<(u8, u32)>, u8)> {
        match key {
            Key::V4(_, length) => Some((&mut self.lengths_v4, *length)),
            Key::V6(_, length) => Some((&mut self.lengths_v6, *length)),
            Key::Host(_) => None,
        }
    }

    /// Until when a host is banned, by the last ban to end that covers it.
    pub(crate) fn until(&self, host: &Host, now: Time) -> Option<Time> {
        if self.bans.is_empty() {
            return None;
        }
        let end = |key: &Key| self.bans.get(key).map(|ban| ban.until);
        let latest = match Key::of_host(host) {
            Key::V4(bits, _) => self.lengths_v4.iter().filter_map(|(length, _)| end(&Key::v4(bits, *length))).max(),
            Key::V6(bits, _) => self.lengths_v6.iter().filter_map(|(length, _)| end(&Key::v6(bits, *length))).max(),
            key @ Key::Host(_) => end(&key),
        };
        latest.filter(|until| *until > now)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Ban> {
        self.bans.get(key)
    }

    /// The ban that ends first.
    pub(crate) fn first(&self) -> Option<&(Time, Key)> {
        self.by_end.first()
    }

    pub(crate) fn len(&self) -> usize {
        self.bans.len()
    }

    /// All bans, the first to end first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Time, Key)> {
        self.by_end.iter()
    }

    /// State is saved now.
    pub(crate) fn save(&mut self) {
        for key in self.unsaved.drain(..) {
            if let Some(ban) = self.bans.get_mut(&key) {
                ban.is_saved = true;
            }
        }
    }
}
