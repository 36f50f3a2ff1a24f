//! What the operator bans, and what he lets in all the same.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::map::WorldMap;
use super::{HostSpec, InboundSpec, Scenario, Span};
use crate::types::{Instant, Share};

/// A subnet that the operator bans, once, at each manager; parts of it he lets in right after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BanSpec {
    /// Whose: a population in a network with IP addresses, `nodes` for the managers of the world, or inbound
    /// connections by their name.
    pub of: String,
    /// The share of these hosts that is meant, the first ones. The smallest subnet with all of them is banned, and
    /// every other host in it.
    #[serde(default = "all")]
    pub share: Share,
    /// When.
    #[serde(default)]
    pub at: Span,
    /// For how long.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// How many of the hosts that are meant are let in, the first ones.
    #[serde(default)]
    pub except: u32,
    /// When the ban is lifted; absent: never, it ends by itself.
    #[serde(default)]
    pub lifted_at: Option<Span>,
}

const fn all() -> Share {
    Share::ALL
}

impl BanSpec {
    /// The hosts of a population, banned from the beginning on for so long.
    pub fn new(of: impl Into<String>, lasts: Span) -> Self {
        Self { of: of.into(), share: Share::ALL, at: Span::default(), lasts, except: 0, lifted_at: None }
    }

    /// When it begins and, where the world lasts as long, when it ends.
    pub(crate) fn changes(&self, end: Instant) -> impl Iterator<Item = Instant> + use<> {
        let begins = Instant::ZERO.after(self.at.0);
        let by_itself = begins.after(self.lasts.0);
        let lifted = self.lifted_at.map(|at| Instant::ZERO.after(at.0)).filter(|at| *at < by_itself);
        [begins, lifted.unwrap_or(by_itself)].into_iter().filter(move |at| *at < end)
    }

    /// Whether it is in force from the beginning of the world to its end.
    pub(crate) fn lasts_throughout(&self, scenario: &Scenario) -> bool {
        self.at == Span::default() && self.lifted_at.is_none() && self.lasts >= scenario.duration
    }
}

/// Whether a population lives in subnets.
pub(crate) const fn has_subnets(spec: &HostSpec) -> bool {
    use connmgr_core::NetworkKind::{Cjdns, I2p, Ipv4, Ipv6, Onion};
    match spec.network {
        Ipv4 | Ipv6 | Cjdns => true,
        Onion | I2p => false,
    }
}

/// A subnet that is banned, and who is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BannedSubnet {
    /// All of it is banned, …
    pub subnet: IpNet,
    /// … except these.
    pub let_in: Vec<IpAddr>,
}

impl BannedSubnet {
    /// What a ban covers on a map; `None` if it means nobody.
    pub fn of(plan: &WorldMap, spec: &BanSpec) -> Option<Self> {
        let stream = |(sort, inbound): (u16, &InboundSpec)| (inbound.name == spec.of).then(|| inbound.homes(sort));
        let addresses = plan.addresses(&spec.of);
        let mut hosts: Vec<IpAddr> = addresses.iter().filter_map(|it| Some(it.socket_addr()?.ip())).collect();
        if hosts.is_empty() {
            hosts = (0..).zip(&plan.scenario.inbound).find_map(stream)?;
        }
        let count = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        hosts.truncate(spec.share.of(count).max(1) as usize);
        let subnet = around(&hosts)?;
        // A subnet of one host has no part: letting it in would lift the ban.
        let has_parts = subnet.prefix_len() < subnet.max_prefix_len();
        hosts.truncate(if has_parts { spec.except as usize } else { 0 });
        Some(Self { subnet, let_in: hosts })
    }

    /// Whether a host is banned by it.
    pub fn covers(&self, ip: IpAddr) -> bool {
        self.subnet.contains(&ip) && !self.let_in.contains(&ip)
    }
}

/// The smallest subnet with all of these addresses, which are of one family.
fn around(hosts: &[IpAddr]) -> Option<IpNet> {
    let first = *hosts.first()?;
    let length = match first {
        IpAddr::V4(first) => {
            let bits = hosts.iter().filter_map(|ip| if let IpAddr::V4(ip) = ip { Some(ip.to_bits()) } else { None });
            bits.fold(0, |differ, bits| differ | (bits ^ first.to_bits())).leading_zeros()
        }
        IpAddr::V6(first) => {
            let bits = hosts.iter().filter_map(|ip| if let IpAddr::V6(ip) = ip { Some(ip.to_bits()) } else { None });
            bits.fold(0, |differ, bits| differ | (bits ^ first.to_bits())).leading_zeros()
        }
    };
    let length = u8::try_from(length).expect("at most 128");
    Some(IpNet::new(first, length).expect("no longer than the address").trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(groups: u32) -> WorldMap {
        let mut scenario = Scenario::new("world", Span::minutes(10));
        scenario.hosts.push(HostSpec { groups: Some(groups), ..HostSpec::new("hosts", 8) });
        WorldMap::new(scenario, 1)
    }

    fn banned(plan: &WorldMap, share: u32, except: u32) -> BannedSubnet {
        let spec = BanSpec { share: Share::percent(share), except, ..BanSpec::new("hosts", Span::hours(1)) };
        BannedSubnet::of(plan, &spec).expect("somebody is meant")
    }

    #[test]
    fn the_smallest_subnet_around_the_hosts_is_banned() {
        let subnet = |groups, share| banned(&world(groups), share, 0).subnet.to_string();
        assert_eq!(subnet(8, 100), "11.0.0.0/13");
        assert_eq!(subnet(8, 25), "11.0.0.0/15");
        assert_eq!(subnet(1, 100), "11.0.0.0/28", "numbered from 1 on");
        assert_eq!(subnet(8, 1), "11.0.0.1/32", "at least one host");
    }

    #[test]
    fn who_is_let_in_is_not_covered_and_a_single_host_is_not_let_in() {
        let plan = world(8);
        let covered = |ban: BannedSubnet| {
            let ips = plan.residents.iter().filter_map(|it| Some(it.address.socket_addr()?.ip()));
            ips.map(|ip| ban.covers(ip)).collect::<Vec<_>>()
        };
        let (yes, no) = (true, false);
        assert_eq!(covered(banned(&plan, 50, 1)), [no, yes, yes, yes, no, no, no, no]);
        assert_eq!(covered(banned(&plan, 1, 1)), [yes, no, no, no, no, no, no, no]);
    }

    #[test]
    fn strangers_are_banned_where_they_come_from() {
        let mut scenario = Scenario::new("world", Span::minutes(10));
        for (name, behind_nat) in [("office", true), ("crowd", false)] {
            let text = format!("name = \"{name}\"\nevery = \"1s\"\nhosts = 3\nbehind-nat = {behind_nat}");
            scenario.inbound.push(toml::from_str(&text).expect("inbound connections"));
        }
        let plan = WorldMap::new(scenario, 1);
        let of = |name| BannedSubnet::of(&plan, &BanSpec { except: 1, ..BanSpec::new(name, Span::hours(1)) });
        let office = of("office").expect("they come from somewhere");
        assert_eq!((office.subnet.to_string(), office.let_in.len()), ("150.0.0.1/32".into(), 0));
        let crowd = of("crowd").expect("they come from somewhere");
        assert_eq!((crowd.subnet.to_string(), crowd.let_in.len()), ("150.16.0.0/30".into(), 1));
        assert_eq!(of("ghosts"), None);
    }
}
