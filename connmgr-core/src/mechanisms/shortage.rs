//! A shortage: this machine has no descriptors, ports or memory for another dial.
//!
//! The network of the dial does not matter: all dials wait, and one at a time tests whether the shortage is over, at
//! the pace of probes.

use core::hash::{Hash, Hasher};
use core::time::Duration;

use crate::config::HealthConfig;
use crate::types::{ConnId, Time, nanos};

/// Whether the machine lacks what a dial needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shortage(Option<Short>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Short {
    /// The first dial that can have been made since the shortage was noticed.
    first: ConnId,
    /// No dial is made before this time.
    until: Time,
    /// Dials made since the shortage was noticed.
    tried: u32,
}

impl Shortage {
    /// When the next dial may be made; `None`: now.
    #[inline]
    pub(crate) fn until(&self, now: Time) -> Option<Time> {
        self.0.as_ref().map(|short| short.until).filter(|until| *until > now)
    }

    /// A dial failed for lack of resources. `next` is the id that the next dial will get.
    pub(crate) fn record_lack(&mut self, next: ConnId, config: &HealthConfig, now: Time) {
        self.0.get_or_insert_with(|| Short { first: next, until: now.after(wait(0, config)), tried: 0 });
    }

    /// A dial begins.
    pub(crate) fn record_dial(&mut self, config: &HealthConfig, now: Time) {
        if let Some(short) = &mut self.0 {
            short.tried = short.tried.saturating_add(1);
            short.until = now.after(wait(short.tried, config));
        }
    }

    /// A dial ended for another reason. Returns whether that ends a shortage; a dial made before it does not.
    pub(crate) fn record_other(&mut self, conn: ConnId) -> bool {
        let ends = self.0.as_ref().is_some_and(|short| conn >= short.first);
        if ends {
            self.0 = None;
        }
        ends
    }

    /// Hashes what decides the future, with times relative to `now`.
    pub(crate) fn fingerprint<H: Hasher>(&self, now: Time, to: &mut H) {
        self.0.as_ref().map(|short| (nanos(short.until.since(now)), short.tried.min(32))).hash(to);
    }
}

fn wait(tried: u32, config: &HealthConfig) -> Duration {
    let factor = 1u32.checked_shl(tried).unwrap_or(u32::MAX);
    config.first_probe.saturating_mul(factor).min(config.max_probe)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    const FIRST: ConnId = ConnId::FIRST;
    const LATER: ConnId = ConnId::from_u64(9);

    #[test]
    fn dials_wait_twice_as_long_each_time_up_to_the_longest() {
        let (mut shortage, config, mut now) = (Shortage::default(), HealthConfig::default(), Time::ZERO);
        shortage.record_lack(FIRST, &config, now);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let until = shortage.until(now).expect("it is short");
            waits.push(until.since(now).as_secs());
            now = until;
            assert_eq!(shortage.until(now), None);
            shortage.record_dial(&config, now);
            shortage.record_lack(LATER, &config, now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 32, 32]);
    }

    #[test]
    fn only_a_dial_made_since_ends_it() {
        let (mut shortage, config) = (Shortage::default(), HealthConfig::default());
        shortage.record_lack(LATER, &config, Time::ZERO);
        assert!(!shortage.record_other(FIRST));
        assert!(shortage.record_other(LATER));
        assert_eq!(shortage.until(Time::ZERO), None);
    }
}
