//! The list of bans.

use std::net::IpAddr;

use connmgr_core::{BanTarget, Host, Time};

use super::Model;

#[derive(Clone, Debug)]
pub(super) struct RBan {
    pub(super) target: BanTarget,
    /// It may be in the past, until its end is reported.
    pub(super) until: Time,
}

impl Model {
    pub(super) fn is_banned(&self, host: &Host) -> bool {
        self.bans.iter().any(|ban| ban.until > self.now && covers(&ban.target, host))
    }

    /// Adds a ban. A longer one of the same target stays.
    pub(super) fn impose(&mut self, target: &BanTarget, until: Time) {
        match self.bans.iter_mut().find(|ban| ban.target == *target) {
            Some(ban) => ban.until = ban.until.max(until),
            None => self.bans.push(RBan { target: target.clone(), until }),
        }
    }

    /// The end of a ban was reported.
    pub(super) fn end_of_ban(&mut self, target: &BanTarget) {
        let stands = self.bans.iter().any(|ban| ban.target == *target && ban.until > self.now);
        self.hold(!stands, "the end of a ban that stands");
        self.bans.retain(|ban| ban.target != *target);
        self.feed();
    }
}

fn covers(target: &BanTarget, host: &Host) -> bool {
    match (target, host) {
        (BanTarget::Host(banned), host) => banned == host,
        (BanTarget::Subnet(net), Host::Ip(ip)) => match (net.network(), ip) {
            (IpAddr::V4(net_ip), IpAddr::V4(ip)) => same_bits(&net_ip.octets(), &ip.octets(), net.prefix_len()),
            (IpAddr::V6(net_ip), IpAddr::V6(ip)) => same_bits(&net_ip.octets(), &ip.octets(), net.prefix_len()),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        },
        (BanTarget::Subnet(_), _) => false,
    }
}

/// Whether the first bits are the same, bit by bit.
fn same_bits(a: &[u8], b: &[u8], count: u8) -> bool {
    let bit = |bytes: &[u8], n: usize| bytes[n / 8] >> (7 - n % 8) & 1;
    (0..usize::from(count)).all(|n| bit(a, n) == bit(b, n))
}
