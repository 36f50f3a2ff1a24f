//! Bans: which hosts and subnets are refused, and until when.
//!
//! This file knows neither the reason of a ban nor its effects. Bitcoin Core scans its list of subnets for every
//! connection; here a look-up costs one hash for each prefix length in use, whatever the number of bans.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hashbrown::HashMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::mechanisms::hasher::Keyed;
use crate::mechanisms::nets::{Bits as _, Nets};
use crate::types::{BanTarget, Host, SavedBan, SteadySecond, Time, UnixTime};

/// The span of a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ban {
    /// When it began; it may have been in an earlier run.
    pub(crate) since: SteadySecond,
    /// The first moment at which it is no longer in force.
    pub(crate) until: Time,
    /// Its dates in the file that it was restored from.
    pub(crate) saved: Option<SavedSpan>,
}

/// The dates of a ban in a file.
///
/// They are written back as they were read: the wall clock may be wrong at a boot, and what is in force in this run may
/// be shorter or longer for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SavedSpan {
    pub(crate) since: UnixTime,
    pub(crate) until: UnixTime,
}

/// What a ban is besides its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BanOrigin {
    since: SteadySecond,
    saved: Option<SavedSpan>,
}

/// The bans in force, at most `max`. Beyond that, the ban that ends first is lifted.
///
/// A ban ends by itself: [`Bans::is_banned`] takes the time, so it does not matter how late [`Bans::pop_expired`] is
/// called. Targets that cover the same are the same: a host with an IP address, CJDNS included, is its /32 or /128,
/// IPv4-mapped IPv6 is IPv4, and the bits after a subnet's prefix are ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bans {
    max: usize,
    /// Every ban: its end and target, and where it comes from.
    by_end: BTreeMap<(Time, TargetKey), BanOrigin>,
    /// The ends again, small and by target, because a look-up mostly costs fetching memory.
    v4: Nets<u32>,
    v6: Nets<u128>,
    hosts: HashMap<Host, Time, Keyed>,
    /// Parts of banned subnets that are not banned, at most [`MAX_EXCEPTIONS`]. Their ends mean nothing.
    exceptions_v4: Nets<u32>,
    exceptions_v6: Nets<u128>,
    exceptions: BTreeSet<TargetKey>,
}

/// The most exceptions. Another one is refused.
pub(crate) const MAX_EXCEPTIONS: usize = 1024;

/// What came of a request to lift a ban.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifted {
    /// The target was not banned.
    Nothing,
    /// Exactly this target was banned.
    Ban,
    /// The target is an exception of a wider ban now.
    Exception,
    /// There are [`MAX_EXCEPTIONS`] already.
    Full,
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
            exceptions_v4: Nets::new(keyed),
            exceptions_v6: Nets::new(keyed),
            exceptions: BTreeSet::new(),
        }
    }

    /// Bans a target. If it is banned longer already, nothing changes; to shorten a ban, lift it first.
    ///
    /// Returns the target of the ban that made room; `target` itself if `max` is 0.
    pub(crate) fn ban(&mut self, target: &BanTarget, since: SteadySecond, until: Time) -> Option<BanTarget> {
        self.put(target, Ban { since, until, saved: None })
    }

    /// As [`Bans::ban`], for a ban of an earlier run.
    pub(crate) fn restore(
        &mut self,
        target: &BanTarget,
        since: SteadySecond,
        until: Time,
        saved: Option<SavedSpan>,
    ) -> Option<BanTarget> {
        self.put(target, Ban { since, until, saved })
    }

    /// Takes every ban out that has dates of a file, with them.
    pub(crate) fn take_restored(&mut self) -> Vec<SavedBan> {
        let dated = |(target, ban, exceptions): (BanTarget, Ban, Vec<BanTarget>)| {
            ban.saved.map(|SavedSpan { since, until }| SavedBan { target, since, until, exceptions })
        };
        let restored: Vec<SavedBan> = self.list().filter_map(dated).collect();
        for ban in &restored {
            self.remove(&TargetKey::of(&ban.target));
        }
        self.drop_idle_exceptions();
        restored
    }

    fn put(&mut self, target: &BanTarget, ban: Ban) -> Option<BanTarget> {
        let (key, until) = (TargetKey::of(target), ban.until);
        match self.end(&key) {
            Some(known) if known >= until => return None,
            // A ban that is renewed keeps its exceptions.
            Some(_) => {}
            None => self.remove_exceptions(|exception| key.contains(exception)),
        }
        if self.max == 0 {
            return Some(key.target());
        }
        self.remove(&key);
        let evicted = if self.by_end.len() == self.max { self.pop_first() } else { None };
        self.insert(key, ban);
        evicted
    }

    /// Lifts the ban of exactly this target; bans of wider subnets stay. If there is none, but a wider one covers it, makes
    /// the target an exception of that. Bans inside the target stay.
    pub(crate) fn unban(&mut self, target: &BanTarget, now: Time) -> Lifted {
        let key = TargetKey::of(target);
        if self.remove(&key) {
            self.drop_idle_exceptions();
            return Lifted::Ban;
        }
        if self.end_around(target).is_none_or(|until| until <= now) {
            return Lifted::Nothing;
        }
        if self.exceptions.len() >= MAX_EXCEPTIONS { Lifted::Full } else { self.insert_exception(key) }
    }

    /// Makes a target an exception of the bans that cover it, if any does and there is room.
    pub(crate) fn except(&mut self, target: &BanTarget) {
        if self.exceptions.len() < MAX_EXCEPTIONS && self.end_around(target).is_some() {
            self.insert_exception(TargetKey::of(target));
        }
    }

    /// Whether any ban covers a host.
    pub(crate) fn is_banned(&self, host: &Host, now: Time) -> bool {
        self.until(host, now).is_some()
    }

    /// The latest end of the bans that cover a host; `None` if none does.
    pub(crate) fn until(&self, host: &Host, now: Time) -> Option<Time> {
        let latest = match host.ip().map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) if self.exceptions.is_empty() => self.v4.latest_end(ip.to_bits()),
            Some(IpAddr::V6(ip)) if self.exceptions.is_empty() => self.v6.latest_end(ip.to_bits()),
            Some(IpAddr::V4(ip)) => self.latest_v4(ip.to_bits(), 32),
            Some(IpAddr::V6(ip)) => self.latest_v6(ip.to_bits(), 128),
            None => self.hosts.get(host).copied(),
        };
        latest.filter(|until| *until > now)
    }

    /// The latest end of the bans that cover a whole target; `None` if none does.
    pub(crate) fn end_around(&self, target: &BanTarget) -> Option<Time> {
        match TargetKey::of(target) {
            TargetKey::V4(bits, length) => self.latest_v4(bits, length),
            TargetKey::V6(bits, length) => self.latest_v6(bits, length),
            TargetKey::Host(host) => self.hosts.get(&host).copied(),
        }
    }

    /// The latest end among the bans around a subnet that are narrower than every exception around it.
    fn latest_v4(&self, bits: u32, length: u8) -> Option<Time> {
        let exception = self.exceptions_v4.lengths_around(bits).rfind(|other| *other <= length);
        self.v4.latest_end_of(bits, exception.map_or(0, |other| other + 1)..=length)
    }

    fn latest_v6(&self, bits: u128, length: u8) -> Option<Time> {
        let exception = self.exceptions_v6.lengths_around(bits).rfind(|other| *other <= length);
        self.v6.latest_end_of(bits, exception.map_or(0, |other| other + 1)..=length)
    }

    fn insert_exception(&mut self, key: TargetKey) -> Lifted {
        match key {
            TargetKey::V4(bits, length) => self.exceptions_v4.insert(bits, length, Time::MAX),
            TargetKey::V6(bits, length) => self.exceptions_v6.insert(bits, length, Time::MAX),
            // Only exactly this host can be banned.
            TargetKey::Host(_) => return Lifted::Nothing,
        }
        self.exceptions.insert(key);
        Lifted::Exception
    }

    /// Removes the exceptions that `goes` selects.
    fn remove_exceptions(&mut self, goes: impl Fn(&TargetKey) -> bool) {
        let gone: Vec<TargetKey> = self.exceptions.iter().filter(|key| goes(key)).cloned().collect();
        for key in gone {
            match key {
                TargetKey::V4(bits, length) => _ = self.exceptions_v4.remove(bits, length),
                TargetKey::V6(bits, length) => _ = self.exceptions_v6.remove(bits, length),
                TargetKey::Host(_) => {}
            }
            self.exceptions.remove(&key);
        }
    }

    /// Removes the exceptions that no ban covers any more.
    fn drop_idle_exceptions(&mut self) {
        if self.exceptions.is_empty() {
            return;
        }
        let is_idle = |key: &TargetKey| self.lengths_around(key).next().is_none();
        let idle: BTreeSet<TargetKey> = self.exceptions.iter().filter(|key| is_idle(key)).cloned().collect();
        self.remove_exceptions(|key| idle.contains(key));
    }

    /// The prefix lengths of the banned subnets around an exception.
    fn lengths_around(&self, key: &TargetKey) -> Box<dyn Iterator<Item = u8> + '_> {
        match *key {
            TargetKey::V4(bits, length) => Box::new(self.v4.lengths_around(bits).filter(move |l| *l < length)),
            TargetKey::V6(bits, length) => Box::new(self.v6.lengths_around(bits).filter(move |l| *l < length)),
            TargetKey::Host(_) => Box::new(core::iter::empty()),
        }
    }

    /// The exceptions of each ban that has any.
    fn exceptions_by_ban(&self) -> BTreeMap<TargetKey, Vec<BanTarget>> {
        let mut by_ban: BTreeMap<TargetKey, Vec<BanTarget>> = BTreeMap::new();
        for key in &self.exceptions {
            for length in self.lengths_around(key) {
                by_ban.entry(key.widened(length)).or_default().push(key.target());
            }
        }
        by_ban
    }

    /// Like [`iter`](Self::iter), each ban with the exceptions inside it.
    pub(crate) fn list(&self) -> impl Iterator<Item = (BanTarget, Ban, Vec<BanTarget>)> {
        let mut exceptions = self.exceptions_by_ban();
        self.by_end.iter().map(move |((until, key), origin)| {
            let BanOrigin { since, saved } = *origin;
            let ban = Ban { since, until: *until, saved };
            (key.target(), ban, exceptions.remove(key).unwrap_or_default())
        })
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
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (BanTarget, Ban)> {
        self.by_end.iter().map(|((until, key), origin)| {
            let BanOrigin { since, saved } = *origin;
            (key.target(), Ban { since, until: *until, saved })
        })
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
        let is_idle = |key: &TargetKey| self.lengths_around(key).next().is_none();
        if self.exceptions.len() > MAX_EXCEPTIONS || self.exceptions.iter().any(is_idle) {
            return Err("bans: too many exceptions, or one of no ban");
        }
        if self.exceptions_v4.len() + self.exceptions_v6.len() != self.exceptions.len() {
            return Err("bans: the exceptions differ from their list");
        }
        self.v4.check().and(self.v6.check()).and(self.exceptions_v4.check()).and(self.exceptions_v6.check())
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
        self.by_end.insert((ban.until, key), BanOrigin { since: ban.since, saved: ban.saved });
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
        self.drop_idle_exceptions();
        Some(key.target())
    }
}

impl TargetKey {
    /// Whether all of another target is inside this one.
    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(bits, length), Self::V4(other, other_length)) => {
                length <= other_length && other.prefix(*length) == *bits
            }
            (Self::V6(bits, length), Self::V6(other, other_length)) => {
                length <= other_length && other.prefix(*length) == *bits
            }
            (one, other) => one == other,
        }
    }

    /// The subnet with a shorter prefix around this one.
    fn widened(&self, length: u8) -> Self {
        match self {
            Self::V4(bits, _) => Self::V4(bits.prefix(length), length),
            Self::V6(bits, _) => Self::V6(bits.prefix(length), length),
            Self::Host(host) => Self::Host(host.clone()),
        }
    }

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
    use alloc::vec;

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
        assert_eq!(bans.unban(&target("1.2.0.0/16"), Time::ZERO), Lifted::Ban);
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
        assert_eq!(bans.unban(&target("1.2.3.99/24"), Time::ZERO), Lifted::Ban);
        assert_eq!(bans.unban(&target("1.2.3.0/24"), Time::ZERO), Lifted::Nothing);
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
    fn a_part_of_a_banned_subnet_is_let_in_and_the_rest_is_not() {
        check_except("1.2.0.0/16", "1.2.3.4", &["1.2.3.5", "1.2.0.1"]);
        check_except("1.2.0.0/16", "1.2.3.0/24", &["1.2.4.0"]);
        check_except("2a01::/32", "2a01:0:5::/48", &["2a01:0:6::1"]);
    }

    fn check_except(banned: &str, part: &str, others: &[&str]) {
        let mut bans = bans(&[banned]);
        assert_eq!(bans.unban(&target(part), secs(10)), Lifted::Nothing, "the ban is over");
        assert_eq!(bans.unban(&target(part), secs(1)), Lifted::Exception);
        assert_eq!(bans.unban(&target(part), secs(1)), Lifted::Nothing, "it is let in already");
        let inside = host(part.split('/').next().expect("a part"));
        assert!(!bans.is_banned(&inside, secs(1)), "{part}");
        assert!(others.iter().all(|other| bans.is_banned(&host(other), secs(1))), "{part}");
        let listed: Vec<_> = bans.list().flat_map(|(_, _, exceptions)| exceptions).collect();
        assert_eq!((listed, bans.check()), (vec![target(part)], Ok(())));
        // A renewal keeps it; a ban of its own ends it; and none outlives its ban.
        bans.ban(&target(banned), second(0), secs(20));
        assert!(!bans.is_banned(&inside, secs(1)));
        bans.ban(&target(part), second(0), secs(5));
        assert_eq!(bans.until(&inside, secs(1)), Some(secs(20)));
        bans.unban(&target(part), secs(1));
        bans.unban(&target(part), secs(1));
        assert_eq!((bans.unban(&target(banned), secs(1)), bans.exceptions.len()), (Lifted::Ban, 0));
    }

    #[test]
    fn exceptions_are_bounded() {
        let mut bans = bans(&["1.0.0.0/8"]);
        let part = |n: usize| target(&alloc::format!("1.1.{}.{}", n / 256, n % 256));
        assert!((0..MAX_EXCEPTIONS).all(|n| bans.unban(&part(n), Time::ZERO) == Lifted::Exception));
        assert_eq!(bans.unban(&part(MAX_EXCEPTIONS), Time::ZERO), Lifted::Full);
        bans.except(&part(MAX_EXCEPTIONS));
        assert_eq!((bans.exceptions.len(), bans.check()), (MAX_EXCEPTIONS, Ok(())));
    }

    /// Bans and exceptions, as plain lists.
    #[derive(Default)]
    struct PlainBans {
        bans: Vec<(Ipv4Net, Time)>,
        exceptions: Vec<Ipv4Net>,
    }

    impl PlainBans {
        fn ban(&mut self, net: Ipv4Net, until: Time) {
            match self.bans.iter_mut().find(|(known, _)| *known == net) {
                Some((_, end)) => *end = until.max(*end),
                None => {
                    self.exceptions.retain(|exception| !net.contains(exception));
                    self.bans.push((net, until));
                }
            }
        }

        fn unban(&mut self, net: Ipv4Net) {
            let count = self.bans.len();
            self.bans.retain(|(known, _)| *known != net);
            if self.bans.len() == count && self.until(net).is_some() {
                self.exceptions.push(net);
            }
            let Self { bans, exceptions } = self;
            exceptions.retain(|exception| bans.iter().any(|(net, _)| net != exception && net.contains(exception)));
        }

        fn until(&self, part: Ipv4Net) -> Option<Time> {
            let around = self.exceptions.iter().filter(|net| net.contains(&part));
            let exception = around.map(Ipv4Net::prefix_len).max();
            let counts =
                |net: &Ipv4Net| net.contains(&part) && exception.is_none_or(|length| net.prefix_len() > length);
            self.bans.iter().filter(|(net, _)| counts(net)).map(|(_, until)| *until).max()
        }
    }

    #[test]
    fn any_mix_of_bans_and_exceptions_agrees_with_plain_lists() {
        for seed in 0..40 {
            let mut rng = Rng::new([seed; 32], 0);
            let (mut bans, mut plain) = (Bans::new(1000, Keyed::new(1, 2)), PlainBans::default());
            let mut below = |n: u64| u32::try_from(rng.below(n)).expect("small");
            for step in 0..300u32 {
                let length = u8::try_from(29 + below(4)).expect("at most 32");
                let net = Ipv4Net::new_assert(Ipv4Addr::from_bits(0x0102_0000 | below(8)), length).trunc();
                let (target, until) = (BanTarget::Subnet(IpNet::V4(net)), secs((step + 1).into()));
                if below(5) < 2 {
                    plain.ban(net, until);
                    bans.ban(&target, second(0), until);
                } else {
                    plain.unban(net);
                    bans.unban(&target, Time::ZERO);
                }
                for ip in (0..8).map(|n| Ipv4Addr::from_bits(0x0102_0000 | n)) {
                    let expected = plain.until(Ipv4Net::from(ip));
                    assert_eq!(bans.until(&Host::from(ip), Time::ZERO), expected, "{ip}, seed {seed}, step {step}");
                }
                assert_eq!(bans.check(), Ok(()), "seed {seed}, step {step}");
            }
        }
    }
}
