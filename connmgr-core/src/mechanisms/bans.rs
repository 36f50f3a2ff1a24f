//! Bans: which hosts and subnets are refused, and until when.
//!
//! This file knows neither the reason of a ban nor its effects. Bitcoin Core scans its list of subnets for every
//! connection; here a look-up costs one hash for each prefix length in use, whatever the number of bans.

mod target;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::IpAddr;

use hashbrown::HashMap;

use crate::mechanisms::hasher::Folding;
use crate::mechanisms::nets::Nets;
use crate::types::{BanTarget, Host, SavedBan, SteadySecond, Time, UnixTime};
use target::TargetKey;

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
    hosts: HashMap<Host, Time, Folding>,
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

impl Bans {
    /// No bans; at most `max` at once. With 0 no ban is ever in force.
    pub(crate) const fn new(max: u32, keyed: Folding) -> Self {
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
        if self.by_end.is_empty() {
            return None;
        }
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
        self.list().map(|(target, ban, _)| (target, ban))
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

#[cfg(test)]
mod tests;
