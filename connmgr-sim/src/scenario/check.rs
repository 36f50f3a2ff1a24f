//! Checks of a scenario that its types do not make.

use std::collections::BTreeSet;

use connmgr_check::Probe;
use connmgr_core::HostName;

use super::ban::has_subnets;
use super::{BanSpec, HostBehavior, Scenario, ScenarioError};
use crate::scenario::map::{NODES, name_of};
use crate::types::{Figure, Instant, Share};

/// Hosts of all populations, replacements of hosts that leave included.
const MOST_HOSTS: u64 = 1_000_000;
/// Managers.
const MOST_NODES: u32 = 100_000;
/// Addresses told or added at once: ten of Bitcoin's greatest messages, and more.
const MOST_TOLD: u32 = 100_000;
/// A century is enough.
const MOST_SECONDS: u64 = 100 * 365 * 86_400;
/// Populations, faults and the like: they are numbered in 16 bits.
const MOST_OF_A_SORT: usize = 1000;
/// Parts of all banned subnets that are let in: a manager keeps little more.
const MOST_LET_IN: u64 = 1000;

impl Scenario {
    /// Checks that a world can be made of it.
    ///
    /// # Errors
    /// [`ScenarioError`] says what is wrong.
    pub fn check(&self) -> Result<(), ScenarioError> {
        self.check_name()?;
        self.check_sizes()?;
        self.check_populations()?;
        self.check_references()?;
        self.check_people()?;
        self.check_bans()?;
        self.check_promises()?;
        let config = crate::scenario::config::merged(self).map_err(|error| wrong(format!("node.config: {error}")))?;
        config.check().map_err(|error| wrong(error.to_string()))
    }

    fn check_name(&self) -> Result<(), ScenarioError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        hold(!self.name.is_empty() && self.name.bytes().all(fits), || {
            format!("`{}` is no name: lower-case letters, digits and hyphens", self.name)
        })
    }

    fn check_sizes(&self) -> Result<(), ScenarioError> {
        let seconds = self.duration.0.as_secs();
        hold(!self.duration.0.is_zero() && seconds <= MOST_SECONDS, || {
            "`duration` must be more than nothing and at most a century".into()
        })?;
        hold(self.node.count <= MOST_NODES, || format!("`node.count` is more than {MOST_NODES}"))?;
        let hosts: u64 = self.hosts.iter().map(|spec| spec.at_most(self.duration)).sum();
        hold(hosts <= MOST_HOSTS, || {
            format!("there are more than {MOST_HOSTS} hosts, if each that may leave for good leaves each day")
        })?;
        let around = [self.peers.len(), self.inbound.len(), self.bans.len(), self.seeds.len()];
        hold(
            [self.hosts.len(), self.faults.len()].iter().chain(&around).all(|count| *count <= MOST_OF_A_SORT),
            || format!("there are more than {MOST_OF_A_SORT} populations, peers, strangers, bans, seeds or faults"),
        )?;
        hold(self.most_told() <= MOST_TOLD, || format!("more than {MOST_TOLD} addresses are told or added at once"))?;
        hold(self.node.ping_every.0.as_millis() >= 100, || "`node.ping-every` is less than 100 ms".into())
    }

    /// The greatest number of addresses told or added at once.
    fn most_told(&self) -> u32 {
        let gossip = self.hosts.iter().flat_map(|spec| [spec.gossip.answer, spec.gossip.unasked]);
        let seeds = self.seeds.iter().map(|spec| spec.answers);
        let strangers = self.inbound.iter().map(|spec| spec.tells);
        let peers = self.peers.iter().map(|spec| spec.count);
        let own = [self.book.application_tells, self.names.answers];
        gossip.chain(seeds).chain(strangers).chain(peers).chain(own).max().unwrap_or(0)
    }

    fn check_populations(&self) -> Result<(), ScenarioError> {
        let mut names = BTreeSet::from([NODES]);
        for spec in &self.hosts {
            hold(names.insert(&spec.name), || {
                format!("the population `{}` is there twice, or is `{NODES}`", spec.name)
            })?;
            hold(name_of(&spec.name, 0).is_ok(), || format!("`{}` can't be part of a host's name", spec.name))?;
            hold(spec.addresses != Some(0), || format!("a peer of `{}` has no address: `addresses` is 0", spec.name))?;
            hold(spec.groups != Some(0), || format!("the population `{}` has no group to live in", spec.name))?;
            hold(spec.gossip.every.is_none_or(|every| every.0.as_millis() >= 100), || {
                format!("`{}` tell addresses more often than every 100 ms", spec.name)
            })?;
            let behaviors = [Some(&spec.behavior), spec.turns.as_ref().map(|turn| &turn.into)];
            let is_endless =
                |it: &HostBehavior| matches!(it, HostBehavior::Windows { period, .. } if period.0.is_zero());
            hold(!behaviors.into_iter().flatten().any(is_endless), || {
                format!("the windows of `{}` have no period", spec.name)
            })?;
        }
        Ok(())
    }

    fn check_references(&self) -> Result<(), ScenarioError> {
        let gossip = self.hosts.iter().flat_map(|spec| &spec.gossip.about);
        let seeds = self.seeds.iter().flat_map(|spec| &spec.about);
        let told = self.inbound.iter().filter_map(|spec| spec.tells_about.as_ref());
        let peers = self.peers.iter().flat_map(|spec| spec.or.iter().chain([&spec.of]));
        let known = self.book.knows.iter().map(|known| &known.of);
        for name in gossip.chain(seeds).chain(told).chain(peers).chain(known) {
            let exists = name == NODES || self.hosts.iter().any(|spec| spec.name == *name);
            hold(exists, || format!("there is no population `{name}`"))?;
        }
        for seed in &self.seeds {
            hold(HostName::new(&seed.name).is_ok(), || format!("`{}` is no host's name", seed.name))?;
        }
        Ok(())
    }

    fn check_people(&self) -> Result<(), ScenarioError> {
        for spec in &self.inbound {
            hold(spec.hosts > 0, || format!("the strangers `{}` are nobody: `hosts` is 0", spec.name))?;
        }
        for spec in &self.faults {
            let spaced = spec.every.is_none_or(|every| every.0.as_millis() >= 1);
            hold(spaced, || "a fault comes again less than 1 ms after it began".into())?;
        }
        Ok(())
    }

    fn check_bans(&self) -> Result<(), ScenarioError> {
        for spec in &self.bans {
            let BanSpec { of, at, lasts, lifted_at, .. } = spec;
            let population = self.hosts.iter().find(|host| host.name == *of);
            let is_there =
                population.is_some() || of == NODES || self.inbound.iter().any(|inbound| inbound.name == *of);
            hold(is_there, || format!("there are no hosts and no inbound connections `{of}` to ban"))?;
            hold(population.is_none_or(has_subnets), || format!("`{of}` can't be banned: they have no IP addresses"))?;
            hold(spec.share > Share::NONE, || format!("a ban of `{of}` means nobody: `share` is 0 %"))?;
            hold(!lasts.0.is_zero(), || format!("a ban of `{of}` lasts for no time"))?;
            hold(lifted_at.is_none_or(|lifted| lifted > *at), || {
                format!("a ban of `{of}` is lifted before it begins")
            })?;
        }
        let let_in: u64 = self.bans.iter().map(|spec| u64::from(spec.except)).sum();
        hold(let_in <= MOST_LET_IN, || format!("more than {MOST_LET_IN} hosts are let in from banned subnets"))
    }

    /// Rejects promises that could never be seen broken.
    fn check_promises(&self) -> Result<(), ScenarioError> {
        let expect = &self.expect;
        for bound in &expect.bounds {
            bound.of.parse::<Figure>().map_err(|error| wrong(format!("`{}`: {error}", bound.of)))?;
            hold(bound.min.is_some() || bound.max.is_some(), || {
                format!("the bound of `{}` has neither `min` nor `max`", bound.of)
            })?;
        }
        for name in &expect.probes {
            name.parse::<Probe>().map_err(|error| wrong(format!("`{name}`: {error}")))?;
        }
        let Some(within) = expect.full_within else { return Ok(()) };
        let healed = self.healed_at().ok_or_else(|| {
            wrong("a fault without `for` lasts to the end, so that `full-within` needs `expect.healed-at`".into())
        })?;
        hold(healed.after(within.0) <= Instant::ZERO.after(self.duration.0), || {
            format!("`full-within` ends after the scenario, which is well from {healed} on and lasts {}", self.duration)
        })
    }
}

fn wrong(what: String) -> ScenarioError {
    ScenarioError::new(what)
}

fn hold(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), ScenarioError> {
    if holds { Ok(()) } else { Err(wrong(otherwise())) }
}

#[cfg(test)]
mod tests {
    use super::super::{Bound, Churn, Expect, FaultKind, FaultSpec, HostSpec, PeerSpec, Span};
    use super::*;
    fn error_of<T>(change: impl FnOnce(&mut Scenario) -> T) -> String {
        let mut scenario = Scenario::new("a", Span::hours(1));
        scenario.hosts.push(HostSpec::new("honest", 5));
        assert_eq!(scenario.check(), Ok(()));
        change(&mut scenario);
        scenario.check().expect_err("a mistake").to_string()
    }

    fn leaving() -> Churn {
        let (up, down) = (Span::days(1).into(), Span::days(1).into());
        Churn { up, down, leaves: Share::percent(1) }
    }

    #[test]
    fn every_mistake_has_its_own_words() {
        assert!(error_of(|s| s.name = "A b".into()).contains("is no name"));
        assert!(error_of(|s| s.duration = Span::default()).contains("duration"));
        assert!(error_of(|s| s.hosts.push(HostSpec::new("honest", 1))).contains("twice"));
        assert!(error_of(|s| s.hosts.push(HostSpec::new("many", 2_000_000))).contains("hosts"));
        assert!(error_of(|s| s.hosts[0].addresses = Some(0)).contains("no address"));
        assert!(error_of(|s| s.hosts[0].gossip.answer = 200_000).contains("told"));
        assert!(error_of(|s| s.hosts[0].gossip.every = Some(Span::millis(1))).contains("every 100 ms"));
        let leave = |s: &mut Scenario| s.hosts[0] = HostSpec { churn: Some(leaving()), ..HostSpec::new("a", 300_000) };
        assert!(error_of(|s| (leave(s), s.duration = Span::days(3))).contains("leaves each day"));
        assert!(error_of(|s| s.hosts[0].gossip.about = vec!["ghosts".into()]).contains("no population `ghosts`"));
        let peer = PeerSpec::new("ghosts", 1);
        assert!(error_of(|s| s.peers.push(peer)).contains("no population `ghosts`"));
        let ban = |of: &str| BanSpec::new(of, Span::hours(1));
        assert!(error_of(|s| s.bans.push(ban("ghosts"))).contains("no inbound connections `ghosts`"));
        let hide = |s: &mut Scenario| s.hosts[0].network = connmgr_core::NetworkKind::Onion;
        assert!(error_of(|s| (hide(s), s.bans.push(ban("honest")))).contains("no IP addresses"));
        let nobody = BanSpec { share: Share::NONE, ..ban("honest") };
        assert!(error_of(|s| s.bans.push(nobody)).contains("means nobody"));
        assert!(error_of(|s| s.bans.push(BanSpec::new("honest", Span::default()))).contains("no time"));
        let early = BanSpec { lifted_at: Some(Span::default()), ..ban("honest") };
        assert!(error_of(|s| s.bans.push(early)).contains("before it begins"));
        assert!(error_of(|s| s.bans.push(BanSpec { except: 1001, ..ban("honest") })).contains("more than 1000 hosts"));
        assert!(error_of(|s| s.expect.probes = vec!["luck".into()]).contains("no such probe; there are "));
        let bound = |of: &str| vec![Bound { of: of.into(), min: None, max: None }];
        assert!(
            error_of(|s| s.expect.bounds = bound("luck")).contains("no such figure; there are seconds-to-target, ")
        );
        assert!(error_of(|s| s.expect.bounds = bound("dials")).contains("neither"));
        assert!(error_of(|s| s.expect.full_within = Some(Span::hours(2))).contains("ends after the scenario"));
        let endless = FaultSpec {
            fault: FaultKind::Interface,
            at: Span::default(),
            lasts: None,
            every: None,
            times: None,
            share: Share::ALL,
            chance: Share::ALL,
        };
        let promised = Expect { full_within: Some(Span::millis(1)), ..Expect::default() };
        let error = error_of(|s| (s.faults, s.expect) = (vec![endless], promised));
        assert!(error.contains("healed-at"), "{error}");
        let limits = connmgr_core::Limits { total: 2_000_000, ..Default::default() };
        assert!(error_of(|s| s.node.limits = Some(limits)).contains("limits.total"));
        let config = toml::Table::from_iter([("colour".to_owned(), toml::Value::from(1))]);
        assert!(error_of(|s| s.node.config = config).contains("colour"));
    }
}
