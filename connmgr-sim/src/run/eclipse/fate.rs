//! What comes of a dial in a trial, and how long a connection lasts.

use std::net::IpAddr;
use std::time::Duration;

use connmgr_core::PeerAddress;

use crate::attack::is_attackers;
use crate::types::{Dice, DrawPurpose, Share, text_key};

/// Slots for outbound connections: 8 full and 2 block-relay.
pub(super) const SLOTS: u32 = 10;
/// How long the attacker's nodes, and honest ones that answer, take to answer.
pub(super) const LATENCY: Duration = Duration::from_millis(100);

/// An honest node that was never connected to: of the gossiped addresses a quarter is reachable, and half of these have
/// no free slot.
const NEW_ANSWER: Share = Share::percent(12);
/// One that was connected to half a day ago.
const TRIED_ANSWER: Share = Share::percent(50);
/// The mean time until an honest node leaves, or is restarted.
const HONEST_STAY: Duration = Duration::from_secs(6 * 3600);

/// The fates of one life.
#[derive(Clone, Debug)]
pub(super) struct Fates {
    dice: Dice,
    ended: u64,
}

impl Fates {
    pub(super) const fn new(seed: u64, life: u32) -> Self {
        Self { dice: Dice::new(seed, DrawPurpose::Attack, 1000 + life as u64), ended: 0 }
    }

    /// Whether a dial is answered: the attacker's always. An honest node's answer is the same all day.
    pub(super) fn answers(&self, address: &PeerAddress, was_ready: bool) -> bool {
        let share = if was_ready { TRIED_ANSWER } else { NEW_ANSWER };
        is_attackers(address) || self.dice.part(key(address)).happens(share)
    }

    /// How long a connection lasts; the attacker's have no end.
    pub(super) fn stay(&mut self, address: &PeerAddress) -> Option<Duration> {
        self.ended += 1;
        (!is_attackers(address)).then(|| self.dice.part(u64::MAX - self.ended).exponential(HONEST_STAY))
    }
}

fn key(address: &PeerAddress) -> u64 {
    match address.host().ip() {
        Some(IpAddr::V4(ip)) => ip.to_bits().into(),
        Some(IpAddr::V6(_)) | None => text_key(&address.to_string()),
    }
}
