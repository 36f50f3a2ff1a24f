//! Bans: which hosts and subnets are refused, and until when.
//!
//! This file knows neither the reason of a ban nor its effects. Bitcoin Core scans its list of subnets for every
//! connection; here a look-up costs one hash for each prefix length in use, whatever the number of bans.

use alloc::collections::BTreeMap;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hashbrown::HashMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::mechanisms::hasher::Keyed;
use crate::mechanisms::nets::{Bits as _, Nets};
use crate::types::{BanTarget, Host, SteadySecond, Time};

/// The span of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ban {
    /// When it began; it may have been in an earlier run.
    pub(crate) since: SteadySecond,
    /// The first moment at which it is no longer in force.
    pub(crate) until: Time,
}

/// The bans in force, at most `max`. Beyond that, the ban that ends first is lifted.
///
/// A ban ends by itself: [`Bans::is_banned`] takes the time, so it does not matter how late [`Bans::pop_expired`] is
/// called. Targets that cover the same are the same: a host with an IP address, CJDNS included, is its /32 or /128,
/// IPv4-mapped IPv6 is IPv4, and the bits after a subnet's prefix are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bans {
    max: usize,
    /// Every ban: its end and target, and when it began.
    by_end: BTreeMap<(Time, TargetKey), SteadySecond>,
    /// The ends again, small and by target, because a look-up mostly costs fetching memory.
    v4: Nets<u32>,
    v6: Nets<u128>,
    hosts: HashMap<Host, Time, Keyed>,
}

/// A target in the one form that [`Key::of`] gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum TargetKey {
    V4(u32, u8),
    V6(u128, u8),
    Host(Host),
}

impl Bans {
    /// No bans; at most `max` at once. With 0 no ban is ever in force.
    pub(crate) const fn new(max: u32, keyed: Keyed) -> Self {
        Self {
            max: max as usize,
            by_end: BTreeMap::new(),
            v4: Nets::new(keyed),
            v6: Nets::new(keyed),
            hosts: HashMap::with_hasher(keyed),
        }
    }

    /// Bans a target. If it is banned longer already, nothing changes; to shorten a ban, lift it first.
    ///
    /// Returns the target of the ban that made room; `target` itself if `max` is 0.
    pub(crate) fn ban(&mut self, target: &BanTarget, since: SteadySecond, until: Time) -> Option<BanTarget> {
        let key = TargetKey::of(target);
        if self.end(&key).is_some_and(|known| known >= until) {
            return None;
        }
        if self.max == 0 {
            return Some(key.target());
        }
        self.remove(&key);
        let evicted = if self.by_end.len() == self.max { self.pop_first() } else { None };
        self.insert(key, Ban { since, until });
        evicted
    }

    /// Lifts the ban of exactly this target; bans of wider subnets stay. Returns whether there was one.
    pub(crate) fn unban(&mut self, target: &BanTarget) -> bool {
        self.remove(&TargetKey::of(target))
    }

    /// Whether any ban covers a host.
    pub(crate) fn is_banned(&self, host: &Host, now: Time) -> bool {
        self.until(host, now).is_some()
    }

    /// The latest end of the bans that cover a host; `None` if none does.
    pub(crate) fn until(&self, host: &Host, now: Time) -> Option<Time> {
        let latest = match host.ip().map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => self.v4.latest_end(ip.to_bits()),
            Some(IpAddr::V6(ip)) => self.v6.latest_end(ip.to_bits()),
            None => self.hosts.get(host).copied(),
        };
        latest.filter(|until| *until > now)
    }

    /// When the next ban ends.
    pub(crate) fn next_expiry(&self) -> Option<Time> {
        self.by_end.first_key_value().map(|((until, _), _)| *until)
    }

    /// Removes one ban that has ended, the earliest end first.
    pub(crate) fn pop_expired(&mut self, now: Time) -> Option<BanTarget> {
        self.next_expiry().filter(|until| *until <= now)?;
        self.pop_first()
    }

    /// The number of bans, including those that have ended but were not removed yet.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.by_end.len()
    }

    /// All bans, the earliest end first. A subnet of a single address is given as a host.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (BanTarget, Ban)> {
        self.by_end.iter().map(|((until, key), since)| (key.target(), Ban { since: *since, until: *until }))
    }

    /// Recounts everything.
    ///
    /// # Errors
    /// What is broken: the number of bans, the ends by target, or the prefix lengths.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.by_end.len() > self.max {
            return Err("bans: more than allowed");
        }
        let count = self.v4.len() + self.v6.len() + self.hosts.len();
        if count != self.by_end.len() || !self.by_end.keys().all(|(until, key)| self.end(key) == Some(*until)) {
            return Err("bans: the ends by target differ from the list of bans");
        }
        self.v4.check().and(self.v6.check())
    }

    fn end(&self, key: &TargetKey) -> Option<Time> {
        match key {
            TargetKey::V4(bits, length) => self.v4.end(*bits, *length),
            TargetKey::V6(bits, length) => self.v6.end(*bits, *length),
            TargetKey::Host(host) => self.hosts.get(host).copied(),
        }
    }

    fn insert(&mut self, key: TargetKey, ban: Ban) {
        match &key {
            TargetKey::V4(bits, length) => self.v4.insert(*bits, *length, ban.until),
            TargetKey::V6(bits, length) => self.v6.insert(*bits, *length, ban.until),
            TargetKey::Host(host) => drop(self.hosts.insert(host.clone(), ban.until)),
        }
        self.by_end.insert((ban.until, key), ban.since);
    }

    fn remove(&mut self, key: &TargetKey) -> bool {
        let until = match key {
            TargetKey::V4(bits, length) => self.v4.remove(*bits, *length),
            TargetKey::V6(bits, length) => self.v6.remove(*bits, *length),
            TargetKey::Host(host) => self.hosts.remove(host),
        };
        until.is_some_and(|until| self.by_end.remove(&(until, key.clone())).is_some())
    }

    fn pop_first(&mut self) -> Option<BanTarget> {
        let (_, key) = self.by_end.first_key_value()?.0.clone();
        self.remove(&key);
        Some(key.target())
    }
}

impl TargetKey {
    fn of(target: &BanTarget) -> Self {
        match target {
            BanTarget::Subnet(IpNet::V4(net)) => Self::v4(net.addr(), net.prefix_len()),
            BanTarget::Subnet(IpNet::V6(net)) => Self::v6(net.addr(), net.prefix_len()),
            BanTarget::Host(Host::Ip(IpAddr::V4(ip))) => Self::v4(*ip, 32),
            BanTarget::Host(Host::Ip(IpAddr::V6(ip)) | Host::Cjdns(ip)) => Self::v6(*ip, 128),
            BanTarget::Host(host) => Self::Host(host.clone()),
        }
    }

    fn v4(ip: Ipv4Addr, length: u8) -> Self {
        Self::V4(ip.to_bits().prefix(length), length)
    }

    /// A subnet inside `::ffff:0:0/96` is IPv4; a wider one is not.
    fn v6(ip: Ipv6Addr, length: u8) -> Self {
        match (ip.to_ipv4_mapped(), length.checked_sub(96)) {
            (Some(ip), Some(length)) => Self::v4(ip, length),
            (Some(_), None) | (None, _) => Self::V6(ip.to_bits().prefix(length), length),
        }
    }

    fn target(&self) -> BanTarget {
        match self {
            Self::V4(bits, 32) => BanTarget::Host(Ipv4Addr::from_bits(*bits).into()),
            Self::V6(bits, 128) => BanTarget::Host(Host::Ip(Ipv6Addr::from_bits(*bits).into())),
            Self::V4(bits, length) => BanTarget::Subnet(Ipv4Net::new_assert((*bits).into(), *length).into()),
            Self::V6(bits, length) => BanTarget::Subnet(Ipv6Net::new_assert((*bits).into(), *length).into()),
            Self::Host(host) => BanTarget::Host(host.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mechanisms::rng::Rng;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    const ONION: &str = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";

    fn second(secs: u64) -> SteadySecond {
        SteadySecond::at(Time::from_secs(secs))
    }

    fn secs(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    fn host(text: &str) -> Host {
        text.parse().expect(text)
    }

    /// A subnet if the text has a slash, else a host.
    fn target(text: &str) -> BanTarget {
        match text.contains('/') {
            true => BanTarget::Subnet(text.parse().expect(text)),
            false => BanTarget::Host(host(text)),
        }
    }

    /// Bans from 0 s to 10 s.
    fn bans(targets: &[&str]) -> Bans {
        let mut bans = Bans::new(10, Keyed::new(1, 2));
        for text in targets {
            assert_eq!(bans.ban(&target(text), second(0), secs(10)), None);
        }
        assert_eq!(bans.check(), Ok(()));
        bans
    }

    fn list(bans: &Bans) -> Vec<String> {
        bans.iter().map(|(target, ban)| alloc::format!("{target} {}", ban.until.as_nanos() / 1_000_000_000)).collect()
    }

    /// A ban of `text` covers all of `inside` and none of `outside`.
    fn check(text: &str, inside: &[&str], outside: &[&str]) {
        let bans = bans(&[text]);
        let is_banned = |other: &&&str| bans.is_banned(&host(other), secs(5));
        assert_eq!(inside.iter().filter(is_banned).count(), inside.len(), "{text} covers {inside:?}");
        assert_eq!(outside.iter().filter(is_banned).count(), 0, "{text} covers none of {outside:?}");
    }

    #[test]
    fn a_ban_covers_its_target_and_nothing_else() {
        check("1.2.3.4", &["1.2.3.4", "::ffff:1.2.3.4"], &["1.2.3.5", "::102:304", "a.example", ONION]);
        check("1.2.3.4/24", &["1.2.3.0", "1.2.3.255"], &["1.2.4.0", "1.2.2.255"]);
        check("0.0.0.0/0", &["1.2.3.4", "255.0.0.1"], &["2a01::1", "::1", ONION]);
        check("::/0", &["2a01::1", "::1"], &["1.2.3.4", ONION]);
        check("2a01:1:2:3::9/64", &["2a01:1:2:3::1"], &["2a01:1:2:4::1"]);
        check("::ffff:1.2.0.0/112", &["1.2.3.4"], &["1.3.0.0"]);
        check("fc00::/8", &["fc00::1", "cjdns:fc00::1"], &["fd00::1"]);
        check("cjdns:fc00::1", &["cjdns:fc00::1", "fc00::1"], &["fc00::2", "cjdns:fc00::2"]);
        check(ONION, &[ONION], &["1.2.3.4"]);
    }

    #[test]
    fn a_ban_ends_on_time_however_late_it_is_taken() {
        let mut bans = bans(&["1.2.3.4"]);
        let last = Time::from_nanos(secs(10).as_nanos() - 1);
        assert!(bans.is_banned(&host("1.2.3.4"), last));
        assert!(!bans.is_banned(&host("1.2.3.4"), secs(10)));
        assert_eq!((bans.pop_expired(last), bans.next_expiry()), (None, Some(secs(10))));
        assert_eq!(bans.pop_expired(secs(10)), Some(target("1.2.3.4")));
        assert_eq!((bans.len(), bans.next_expiry(), bans.pop_expired(Time::MAX)), (0, None, None));
    }

    #[test]
    fn the_latest_end_of_all_covering_bans_counts() {
        let mut bans = bans(&["1.2.3.4"]);
        bans.ban(&target("1.2.0.0/16"), second(0), secs(99));
        assert_eq!(bans.until(&host("1.2.3.4"), secs(5)), Some(secs(99)));
        bans.unban(&target("1.2.0.0/16"));
        assert_eq!(bans.until(&host("1.2.3.4"), secs(5)), Some(secs(10)));
        assert_eq!(bans.until(&host("1.2.3.4"), secs(10)), None);
    }

    #[test]
    fn another_ban_extends_the_first_and_never_shortens_it() {
        let mut bans = bans(&["1.2.3.4"]);
        bans.ban(&target("1.2.3.4/32"), second(5), secs(9));
        assert_eq!(list(&bans), ["1.2.3.4 10"]);
        bans.ban(&target("1.2.3.4/32"), second(5), secs(11));
        assert_eq!(list(&bans), ["1.2.3.4 11"]);
        assert_eq!(bans.iter().next().map(|(_, ban)| ban.since), Some(second(5)));
        assert_eq!(bans.check(), Ok(()));
    }

    #[test]
    fn lifting_a_ban_lifts_no_other() {
        let mut bans = bans(&["1.2.3.4", "1.2.3.0/24"]);
        assert!(bans.unban(&target("1.2.3.99/24")));
        assert!(!bans.unban(&target("1.2.3.0/24")));
        assert_eq!(list(&bans), ["1.2.3.4 10"]);
        assert_eq!(bans.check(), Ok(()));
    }

    #[test]
    fn the_ban_that_ends_first_makes_room() {
        let mut bans = Bans::new(2, Keyed::new(1, 2));
        for (text, until, evicted) in
            [("1.1.1.1", 30, None), ("2.0.0.0/8", 20, None), ("3.3.3.3", 10, Some("2.0.0.0/8"))]
        {
            assert_eq!(bans.ban(&target(text), second(0), secs(until)), evicted.map(target));
        }
        assert_eq!(bans.ban(&target("3.3.3.3"), second(0), secs(40)), None, "an extended ban needs no room");
        assert_eq!(list(&bans), ["1.1.1.1 30", "3.3.3.3 40"]);
        assert_eq!(bans.check(), Ok(()));
    }

    #[test]
    fn without_room_no_ban_stands() {
        let mut bans = Bans::new(0, Keyed::new(1, 2));
        assert_eq!(bans.ban(&target("1.1.1.1"), second(0), secs(10)), Some(target("1.1.1.1")));
        assert_eq!(bans.len(), 0);
    }

    #[test]
    fn bans_are_listed_by_their_end() {
        let mut bans = bans(&[ONION, "1.2.3.4/16", "2a01::/32"]);
        bans.ban(&target("a.example"), second(0), secs(5));
        assert_eq!(list(&bans), ["a.example 5", "1.2.0.0/16 10", "2a01::/32 10", &(ONION.to_string() + " 10")]);
    }

    #[test]
    fn any_mix_of_bans_agrees_with_a_plain_list() {
        for seed in 0..20 {
            let mut rng = Rng::new([seed; 32], 0);
            let (mut bans, mut list) = (Bans::new(1000, Keyed::new(1, 2)), Vec::<(Ipv4Net, Time)>::new());
            let mut ip =
                |mask: u32| Ipv4Addr::from_bits(0x0102_0000 | u32::try_from(rng.below(8)).expect("small") & mask);
            for step in 0..200u32 {
                let length = u8::try_from(29 + step * 7 % 4).expect("at most 32");
                let net = Ipv4Net::new_assert(ip(7), length).trunc();
                list.retain(|(known, _)| *known != net);
                let target = BanTarget::Subnet(IpNet::V4(net));
                bans.unban(&target);
                if step % 3 > 0 {
                    list.push((net, secs(step.into())));
                    bans.ban(&target, second(0), secs(step.into()));
                }
                let asked = ip(7);
                let until = list.iter().filter(|(net, _)| net.contains(&asked)).map(|(_, until)| *until).max();
                assert_eq!(bans.until(&Host::from(asked), Time::ZERO), until, "seed {seed}, step {step}");
                assert_eq!(bans.check(), Ok(()), "seed {seed}, step {step}");
            }
        }
    }
}
