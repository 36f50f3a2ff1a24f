//! Whether any manager could fill its pool in a world, so that no check asks for the impossible.

use std::collections::{BTreeMap, BTreeSet};

use connmgr_core::{Config, Group, Groups, Limits, NetworkKind, NetworkSet, PeerAddress, Split};

use super::prospect::{self, Prospect};
use super::times::is_hidden;
use crate::scenario::known::known_at_start;
use crate::scenario::map::{Who, WorldMap};
use crate::scenario::{BanSpec, BannedSubnet, FaultKind, FaultSpec, OwnFailures, Scenario, ShareOf, Span};
use crate::types::{Instant, Share};

/// Whether the pool of automatic connections can be filled in a world. In doubt: [`Outlook::Unsure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Many good peers are known from the start, at least a quarter of all addresses, and every fault is over
    /// five minutes before the end: any sensible manager fills its pool.
    Fills,
    /// Fewer peers than slots can keep a connection ready for as long as
    /// `stable_after`: no manager can hold a full pool.
    Cannot,
    /// Neither is certain.
    Unsure,
}

/// The time that a manager needs after the last fault.
const TO_RECOVER: Span = Span::minutes(5);

/// Whether the pool of the first manager of a world can be filled: with automatic connections up to its target, and,
/// for [`Outlook::Fills`], with every peer that was added.
pub fn outlook(plan: &WorldMap) -> Outlook {
    let config = crate::scenario::config::of(&plan.scenario);
    let added = plan.scenario.peers.iter().map(|spec| spec.count).sum();
    let slots = |limits: &Limits| {
        let split = Split::new(limits, config.mode, config.dial.max_hedged, added);
        split.full + split.block_relay
    };
    let target = slots(&config.limits);
    let lowered = plan.scenario.faults.iter().filter_map(|spec| match &spec.fault {
        FaultKind::Limits(limits) => Some(slots(limits)),
        _ => None,
    });
    let lowest = lowered.fold(target, u32::min);
    if lowest == 0 {
        return Outlook::Unsure;
    }
    let prospects: Vec<Prospect> = (0..plan.scenario.hosts.len()).map(|at| prospect::of(plan, at, &config)).collect();
    let census = PeerCounts::of(plan, &config, &prospects);
    if census.perhaps < lowest {
        return Outlook::Cannot;
    }
    let plenty = census.good >= target + target / 4 + 2 && census.good.saturating_mul(4) >= census.all;
    let is_sure = plenty && heals_in_time(&plan.scenario) && all_friends_are_good(&plan.scenario, &prospects);
    if is_sure { Outlook::Fills } else { Outlook::Unsure }
}

/// Whether the pool needs nearly all useful peers of the world: there are at most 1.5 times as many as slots. Then the
/// rest of a single address can decide when the pool is full.
pub fn needs_nearly_all(plan: &WorldMap, slots: u32) -> bool {
    let config = crate::scenario::config::of(&plan.scenario);
    let prospects: Vec<Prospect> = (0..plan.scenario.hosts.len()).map(|at| prospect::of(plan, at, &config)).collect();
    PeerCounts::of(plan, &config, &prospects).perhaps <= slots + slots / 2
}

/// Whether every added peer can be reached by its address from the start, so that no slot waits for one.
fn all_friends_are_good(scenario: &Scenario, prospects: &[Prospect]) -> bool {
    scenario.peers.iter().all(|peer| {
        let of = scenario.hosts.iter().position(|spec| spec.name == peer.of);
        let is_one_address = !peer.by_name && peer.or.is_empty() && !peer.identified;
        let is_plain = scenario.bans.is_empty()
            && is_one_address
            && !peer.once
            && peer.at == Span::default()
            && peer.removed_at.is_none();
        let all_open = |at: usize| {
            let spec = &scenario.hosts[at];
            spec.reachable == Share::ALL && spec.full == Share::NONE && prospects[at] == Prospect::Good
        };
        is_plain && of.is_some_and(all_open)
    })
}

/// How many peers there are of each prospect, limited by address groups.
struct PeerCounts {
    /// Known from the start, and good.
    good: u32,
    /// Good or perhaps useful, if any gossip tells of them.
    perhaps: u32,
    /// All addresses.
    all: u32,
}

impl PeerCounts {
    fn of(plan: &WorldMap, config: &Config, prospects: &[Prospect]) -> Self {
        let known = known_at_start(plan, 0);
        let forever = Forever::of(plan);
        let bans = Bans::of(plan);
        let prospect = |host: u32| {
            let resident = plan.resident(host);
            let is_open = resident.is_reachable && !resident.is_full && !forever.fails(plan, host);
            let prospect = prospects[usize::from(resident.population)];
            if is_open { prospect.min(bans.prospect(&resident.address)) } else { Prospect::Never }
        };
        let hosts = |addresses: &[PeerAddress]| -> Vec<u32> {
            let host = |address| match plan.at(address) {
                Some(Who::Host(host)) => Some(host),
                Some(Who::Node(_)) | None => None,
            };
            addresses.iter().filter_map(host).collect()
        };
        let all = 0..u32::try_from(plan.residents.len()).expect("fewer than a million");
        let known = hosts(&known);
        let heard = if is_told(&plan.scenario) { all.clone().collect() } else { known.clone() };
        let count = |of: &[u32], least| apart(plan, config, of.iter().copied().filter(|host| prospect(*host) >= least));
        Self { good: count(&known, Prospect::Good), perhaps: count(&heard, Prospect::Perhaps), all: all.end }
    }
}

/// How many connections these hosts allow at most: address groups have limits, and a peer has one connection.
fn apart(plan: &WorldMap, config: &Config, hosts: impl Iterator<Item = u32>) -> u32 {
    let grouping = Groups::new(config);
    let (mut free, mut groups, mut peers) = (0u32, BTreeMap::<Group, u32>::new(), BTreeSet::new());
    for host in hosts {
        let resident = plan.resident(host);
        peers.insert((resident.population, plan.peer_of(host).unwrap_or(host)));
        let exempt = config.groups.exempt_overlays && plan.spec(host).network.is_overlay();
        match (grouping.of(resident.address.host()), config.groups.max_per_group) {
            (Some(group), Some(_)) if !exempt => *groups.entry(group).or_default() += 1,
            _ => free += 1,
        }
    }
    let room = config.groups.max_per_group.unwrap_or(u32::MAX);
    let in_groups = groups.into_values().fold(0u32, |sum, count| sum.saturating_add(count.min(room)));
    free.saturating_add(in_groups).min(u32::try_from(peers.len()).unwrap_or(u32::MAX))
}

/// Whether hosts that are unknown at the start can be learned of.
fn is_told(scenario: &Scenario) -> bool {
    let gossips = scenario.hosts.iter().any(|spec| spec.gossip.answer + spec.gossip.unasked > 0);
    let strangers = scenario.inbound.iter().any(|spec| spec.tells > 0);
    gossips || strangers || !scenario.seeds.is_empty() || scenario.book.application_tells > 0
}

/// The bans of the operator.
struct Bans {
    /// With each, whether it certainly holds throughout.
    bans: Vec<(BannedSubnet, bool)>,
}

impl Bans {
    fn of(plan: &WorldMap) -> Self {
        let scenario = &plan.scenario;
        // After a crash, a jump of the clock or a night asleep a ban may be forgotten, or over. A later ban may be
        // lifted or have exceptions of its own, and either may end an earlier one.
        let is_sure = scenario.bans.len() == 1 && scenario.faults.iter().all(is_traceless);
        let ban = |spec: &BanSpec| Some((BannedSubnet::of(plan, spec)?, is_sure && spec.lasts_throughout(scenario)));
        Self { bans: scenario.bans.iter().filter_map(ban).collect() }
    }

    /// What dials can lead to at best: a ban that does not hold throughout closes connections.
    fn prospect(&self, address: &PeerAddress) -> Prospect {
        let Some(ip) = address.socket_addr().map(|address| address.ip()) else { return Prospect::Good };
        let around = self.bans.iter().filter(|(ban, _)| ban.covers(ip));
        let best = |throughout: &bool| if *throughout { Prospect::Never } else { Prospect::Perhaps };
        around.map(|(_, throughout)| best(throughout)).min().unwrap_or(Prospect::Good)
    }
}

/// What fails from the beginning to the end.
struct Forever {
    networks: NetworkSet,
    addresses: Vec<OwnFailures>,
}

impl Forever {
    fn of(plan: &WorldMap) -> Self {
        let mut forever = Self { networks: NetworkSet::EMPTY, addresses: Vec::new() };
        let lasting = plan.scenario.faults.iter().filter(|spec| lasts_throughout(spec));
        lasting.for_each(|spec| forever.add(&spec.fault, &plan.scenario));
        forever
    }

    fn add(&mut self, fault: &FaultKind, scenario: &Scenario) {
        let none = [].as_slice();
        let proxied = |kind: &NetworkKind| is_hidden(*kind) || scenario.proxy.is_some_and(|proxy| proxy.for_all);
        let through_proxy: Vec<NetworkKind> = NetworkKind::ALL.into_iter().filter(proxied).collect();
        let dead = match fault {
            FaultKind::Interface | FaultKind::OutOfDescriptors | FaultKind::Inactive => &NetworkKind::ALL[..],
            FaultKind::Partition(Share::ALL) | FaultKind::MissingResults(Share::ALL) => &NetworkKind::ALL[..],
            FaultKind::Silent(networks) | FaultKind::NoRoute(networks) | FaultKind::Reset(networks) => networks,
            FaultKind::OwnFailures(failures) if failures.share == Share::ALL => &failures.networks,
            FaultKind::OwnFailures(failures) => {
                self.addresses.extend(Some(failures.clone()).filter(|failures| failures.of == ShareOf::Addresses));
                none
            }
            FaultKind::Proxy(_) => &through_proxy,
            _ => none,
        };
        self.networks = dead.iter().fold(self.networks, |networks, kind| networks.with(*kind));
    }

    fn fails(&self, plan: &WorldMap, host: u32) -> bool {
        let (network, address) = (plan.spec(host).network, &plan.resident(host).address);
        let is_hit =
            |failures: &OwnFailures| failures.networks.contains(&network) && failures.strike(plan.seed, address);
        self.networks.contains(network) || self.addresses.iter().any(is_hit)
    }
}

/// Whether a fault has no lasting effect.
const fn is_traceless(spec: &FaultSpec) -> bool {
    match &spec.fault {
        FaultKind::Interface
        | FaultKind::Silent(_)
        | FaultKind::NoRoute(_)
        | FaultKind::Reset(_)
        | FaultKind::Partition(_)
        | FaultKind::NatReset
        | FaultKind::OwnFailures(_)
        | FaultKind::Proxy(_)
        | FaultKind::NamesHang
        | FaultKind::NamesFail
        | FaultKind::OutOfDescriptors
        | FaultKind::NetworkChanged => true,
        FaultKind::ClockForward(_)
        | FaultKind::ClockBack(_)
        | FaultKind::Suspend(_)
        | FaultKind::Crash
        | FaultKind::CrashToOldState
        | FaultKind::LateResults
        | FaultKind::DoubledResults
        | FaultKind::MissingResults(_)
        | FaultKind::HalfHanging(_)
        | FaultKind::Limits(_)
        | FaultKind::Inactive
        | FaultKind::Restart => false,
    }
}

/// Whether every fault has no lasting effect and is over in time, as is every ban.
fn heals_in_time(scenario: &Scenario) -> bool {
    // Some addresses may fail for ever: those are not counted as good.
    let of_addresses = |fault: &FaultKind| matches!(fault, FaultKind::OwnFailures(own) if own.of == ShareOf::Addresses);
    let mut passing = scenario.clone();
    passing.faults.retain(|spec| !(lasts_throughout(spec) && of_addresses(&spec.fault)));
    let end = Instant::ZERO.after(scenario.duration.0);
    let healed = passing.healed_at().map(|healed| healed.after(TO_RECOVER.0));
    scenario.faults.iter().all(is_traceless) && healed.is_some_and(|healed| healed <= end)
}

/// Whether a fault is there from the beginning to the end.
fn lasts_throughout(spec: &FaultSpec) -> bool {
    let once = spec.lasts.is_none() && spec.every.is_none() && !spec.fault.is_jump();
    once && spec.at == Span::default() && spec.share == Share::ALL && spec.chance == Share::ALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Acquaintance, HostBehavior, HostSpec, HostTurn, OwnError};

    /// Twenty of a behavior, all of them known, for a pool of ten.
    fn world(behavior: HostBehavior) -> Scenario {
        let mut scenario = Scenario::new("world", Span::minutes(10));
        scenario.hosts.push(HostSpec { behavior, ..HostSpec::new("hosts", 20) });
        let of = "hosts".to_owned();
        scenario.book.knows.push(Acquaintance { of, count: None, seen_within: Span::days(1), tried: false });
        scenario
    }

    fn seen(scenario: Scenario) -> Outlook {
        outlook(&WorldMap::new(scenario, 1))
    }

    fn throughout(fault: FaultKind) -> FaultSpec {
        let (at, lasts, every, times) = (Span::default(), None, None, None);
        FaultSpec { fault, at, lasts, every, times, share: Share::ALL, chance: Share::ALL }
    }

    fn own_failures(share: Share) -> FaultKind {
        let (networks, error, of) = (vec![NetworkKind::Ipv4], OwnError::Other, ShareOf::Addresses);
        FaultKind::OwnFailures(OwnFailures { networks, error, share, of })
    }

    #[test]
    fn who_accepts_fills_and_who_refuses_cannot() {
        let brief = |secs| HostBehavior::ReadyThenClose(Span::secs(secs).into());
        for (behavior, expected) in [
            (HostBehavior::Accept, Outlook::Fills),
            (HostBehavior::Slow(Span::secs(1).into()), Outlook::Fills),
            (HostBehavior::SlowHandshake(Span::secs(20).into()), Outlook::Fills),
            (HostBehavior::SlowHandshake(Span::secs(60).into()), Outlook::Cannot),
            (HostBehavior::Slow(Span::secs(5).into()), Outlook::Cannot),
            (HostBehavior::Slow("1s .. 10s".parse().expect("a spread")), Outlook::Unsure),
            (HostBehavior::Refuse, Outlook::Cannot),
            (HostBehavior::Mute, Outlook::Cannot),
            (HostBehavior::Unreachable, Outlook::Cannot),
            (HostBehavior::Useless, Outlook::Cannot),
            (brief(1), Outlook::Cannot),
            (brief(3600), Outlook::Unsure),
            (HostBehavior::Flaky(Share::percent(50)), Outlook::Unsure),
        ] {
            assert_eq!(seen(world(behavior.clone())), expected, "{behavior:?}");
        }
    }

    #[test]
    fn a_turn_is_as_good_as_the_worse_of_what_it_turns_from_and_into() {
        let turning = |from: HostBehavior, into: HostBehavior, hang_up| {
            let mut scenario = world(from);
            scenario.hosts[0].turns = Some(HostTurn { at: Span::minutes(1), into, hang_up });
            seen(scenario)
        };
        let slow = || HostBehavior::Slow(Span::secs(1).into());
        assert_eq!(turning(HostBehavior::Accept, slow(), false), Outlook::Fills);
        assert_eq!(turning(HostBehavior::Accept, slow(), true), Outlook::Unsure);
        assert_eq!(turning(HostBehavior::Refuse, HostBehavior::Accept, false), Outlook::Unsure);
        assert_eq!(turning(HostBehavior::Refuse, HostBehavior::Mute, false), Outlook::Cannot);
    }

    #[test]
    fn groups_and_peers_count_and_not_addresses() {
        let changed = |change: fn(&mut HostSpec)| {
            let mut scenario = world(HostBehavior::Accept);
            change(&mut scenario.hosts[0]);
            seen(scenario)
        };
        assert_eq!(changed(|hosts| hosts.groups = Some(9)), Outlook::Cannot);
        assert_eq!(changed(|hosts| hosts.addresses = Some(3)), Outlook::Cannot);
        assert_eq!(changed(|hosts| hosts.network = NetworkKind::Onion), Outlook::Cannot, "there is no proxy");
        assert_eq!(changed(|hosts| hosts.full = Share::ALL), Outlook::Cannot);
        assert_eq!(changed(|hosts| hosts.count = 12), Outlook::Unsure);
    }

    #[test]
    fn who_is_never_heard_of_does_not_count() {
        let mut scenario = world(HostBehavior::Accept);
        scenario.book.knows[0].count = Some(9);
        assert_eq!(seen(scenario.clone()), Outlook::Unsure, "they may tell of the others");
        (scenario.hosts[0].gossip.answer, scenario.hosts[0].gossip.unasked) = (0, 0);
        assert_eq!(seen(scenario), Outlook::Cannot);
    }

    #[test]
    fn what_fails_throughout_leaves_nobody_and_what_passes_leaves_all() {
        let under = |spec: FaultSpec| {
            let mut scenario = world(HostBehavior::Accept);
            scenario.faults.push(spec);
            seen(scenario)
        };
        assert_eq!(under(throughout(FaultKind::Silent(vec![NetworkKind::Ipv4]))), Outlook::Cannot);
        assert_eq!(under(throughout(FaultKind::Silent(vec![NetworkKind::Ipv6]))), Outlook::Unsure);
        assert_eq!(under(throughout(own_failures(Share::percent(90)))), Outlook::Cannot);
        assert_eq!(under(throughout(own_failures(Share::percent(10)))), Outlook::Fills);
        let passing = |fault| FaultSpec { lasts: Some(Span::minutes(2)), ..throughout(fault) };
        assert_eq!(under(passing(FaultKind::Interface)), Outlook::Fills);
        assert_eq!(under(FaultSpec { at: Span::minutes(5), ..passing(FaultKind::Interface) }), Outlook::Unsure);
        assert_eq!(under(passing(FaultKind::Inactive)), Outlook::Unsure);
    }

    #[test]
    fn who_is_banned_does_not_count_and_who_is_let_in_does() {
        let under = |spec: BanSpec| {
            let mut scenario = world(HostBehavior::Accept);
            scenario.bans.push(spec);
            seen(scenario)
        };
        let ban = |lasts| BanSpec::new("hosts", lasts);
        assert_eq!(under(ban(Span::hours(9))), Outlook::Cannot);
        assert_eq!(under(ban(Span::minutes(1))), Outlook::Unsure, "they are free then");
        assert_eq!(under(BanSpec { lifted_at: Some(Span::minutes(1)), ..ban(Span::hours(9)) }), Outlook::Unsure);
        assert_eq!(under(BanSpec { at: Span::minutes(1), ..ban(Span::hours(9)) }), Outlook::Unsure);
        assert_eq!(under(BanSpec { except: 9, ..ban(Span::hours(9)) }), Outlook::Cannot, "ten are needed");
        assert_eq!(under(BanSpec { except: 15, ..ban(Span::hours(9)) }), Outlook::Fills);
        let late = BanSpec { except: 15, at: Span::minutes(6), ..ban(Span::hours(9)) };
        assert_eq!(under(late), Outlook::Unsure, "too late to recover");
    }

    #[test]
    fn nearly_all_are_needed_up_to_half_as_many_again_as_there_are_slots() {
        let needed = |scenario: Scenario, slots| needs_nearly_all(&WorldMap::new(scenario, 1), slots);
        assert!(needed(world(HostBehavior::Accept), 14), "20 of at most 21");
        assert!(!needed(world(HostBehavior::Accept), 13), "20 of at most 19");
        assert!(needed(world(HostBehavior::Refuse), 1), "who refuses is of no use");
        let mut scenario = world(HostBehavior::Accept);
        scenario.hosts[0].groups = Some(5);
        assert!(needed(scenario, 4), "and groups have room for one each");
    }
}
