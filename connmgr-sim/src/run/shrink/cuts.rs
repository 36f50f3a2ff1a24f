//! What can be taken out of a scenario.
//!
//! Some promises (such as recovery) are broken by any world without useful peers. For these only hindrances are
//! removed, so that the small world still allows what it promises. For all other failures, anything may be removed.

use connmgr_check::Property;

use crate::run::failure::{Failure, RunVerdict};
use crate::scenario::{FaultKind, Gossip, HostBehavior, HostSpec, NamesSpec, NodeSpec, Scenario, Span, TimeSpread};
use crate::types::Share;

/// How much may be taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Everything,
    /// What hinders the managers; all that helps them stays.
    Hindrances,
}

impl Scope {
    pub(super) fn of(failure: &Failure) -> Self {
        // Who is compared with others has less to do when they have.
        let needs_help = match failure.property() {
            Some(property) => property == Property::Recovery,
            None => failure.verdict == RunVerdict::Threshold,
        };
        if needs_help { Self::Hindrances } else { Self::Everything }
    }

    /// The lists that may be thinned, those first that no other list refers to.
    pub(super) const fn lists(self) -> &'static [List] {
        match self {
            Self::Everything => {
                &[List::Faults, List::Bans, List::Inbound, List::Peers, List::Seeds, List::Knows, List::Hosts]
            }
            Self::Hindrances => &[List::Faults, List::Bans, List::Inbound, List::Adversaries],
        }
    }
}

/// A list of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Faults,
    Bans,
    Inbound,
    Peers,
    Seeds,
    Knows,
    Hosts,
    /// Of the hosts, the adversaries.
    Adversaries,
}

impl List {
    /// The places in the list that may be taken out.
    pub(super) fn places(self, scenario: &Scenario) -> Vec<usize> {
        let len = match self {
            Self::Faults => scenario.faults.len(),
            Self::Bans => scenario.bans.len(),
            Self::Inbound => scenario.inbound.len(),
            Self::Peers => scenario.peers.len(),
            Self::Seeds => scenario.seeds.len(),
            Self::Knows => scenario.book.knows.len(),
            Self::Hosts | Self::Adversaries => scenario.hosts.len(),
        };
        (0..len).filter(|place| self != Self::Adversaries || scenario.hosts[*place].adversary).collect()
    }

    /// The scenario with only these of the removable places. References to a removed population go
    /// with it.
    pub(super) fn only(self, whole: &Scenario, kept: &[usize]) -> Scenario {
        let mut scenario = whole.clone();
        match self {
            Self::Faults => keep(&mut scenario.faults, kept),
            Self::Bans => keep(&mut scenario.bans, kept),
            Self::Inbound => {
                let gone = (0..whole.inbound.len()).filter(|place| !kept.contains(place));
                gone.for_each(|place| scenario.bans.retain(|ban| ban.of != whole.inbound[place].name));
                keep(&mut scenario.inbound, kept);
            }
            Self::Peers => keep(&mut scenario.peers, kept),
            Self::Seeds => keep(&mut scenario.seeds, kept),
            Self::Knows => keep(&mut scenario.book.knows, kept),
            Self::Hosts => {
                let gone = (0..whole.hosts.len()).filter(|place| !kept.contains(place));
                gone.for_each(|place| forget(&mut scenario, &whole.hosts[place].name));
                keep(&mut scenario.hosts, kept);
            }
            Self::Adversaries => {
                let honest = (0..whole.hosts.len()).filter(|place| !whole.hosts[*place].adversary);
                return Self::Hosts.only(whole, &honest.chain(kept.iter().copied()).collect::<Vec<_>>());
            }
        }
        scenario
    }
}

fn keep<T>(list: &mut Vec<T>, kept: &[usize]) {
    let mut place = 0;
    list.retain(|_| {
        place += 1;
        kept.contains(&(place - 1))
    });
}

fn forget(scenario: &mut Scenario, name: &str) {
    scenario.bans.retain(|ban| ban.of != name);
    scenario.peers.retain(|peer| peer.of != name);
    scenario.peers.iter_mut().for_each(|peer| peer.or.retain(|other| other != name));
    scenario.book.knows.retain(|known| known.of != name);
    scenario
        .inbound
        .iter_mut()
        .for_each(|spec| spec.tells_about = spec.tells_about.take().filter(|about| about != name));
    scenario.seeds.iter_mut().for_each(|spec| spec.about.retain(|about| about != name));
    scenario.hosts.iter_mut().for_each(|spec| spec.gossip.about.retain(|about| about != name));
}

/// Every count of a scenario that may be lowered, in a fixed order.
pub(super) fn numbers(scenario: &mut Scenario, scope: Scope) -> Vec<&mut u32> {
    let all = scope == Scope::Everything;
    let mut numbers = Vec::new();
    for spec in scenario.hosts.iter_mut().filter(|spec| all || spec.adversary) {
        numbers.extend([&mut spec.count, &mut spec.gossip.answer, &mut spec.gossip.unasked]);
    }
    for spec in &mut scenario.inbound {
        numbers.extend([&mut spec.hosts, &mut spec.groups, &mut spec.tells]);
    }
    numbers.extend(scenario.faults.iter_mut().filter_map(|spec| spec.times.as_mut()));
    if all {
        numbers.extend([&mut scenario.node.count, &mut scenario.book.application_tells, &mut scenario.names.answers]);
        numbers.extend(scenario.bans.iter_mut().map(|spec| &mut spec.except));
        numbers.extend(scenario.peers.iter_mut().map(|spec| &mut spec.count));
        numbers.extend(scenario.seeds.iter_mut().map(|spec| &mut spec.answers));
        numbers.extend(scenario.book.knows.iter_mut().filter_map(|spec| spec.count.as_mut()));
    }
    numbers
}

/// One simplification.
pub(super) type Cut = Box<dyn Fn(&mut Scenario)>;

/// All simplifications of a scenario.
pub(super) fn simpler(scenario: &Scenario, scope: Scope) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = PROMISES.iter().map(|cut| -> Cut { Box::new(cut) }).collect();
    if scope == Scope::Everything {
        cuts.extend(NODE.iter().map(|cut| -> Cut { Box::new(cut) }));
        for key in scenario.node.config.keys() {
            let key = key.clone();
            cuts.push(Box::new(move |scenario| drop(scenario.node.config.remove(&key))));
        }
    }
    for place in 0..scenario.hosts.len() {
        let of = |cut: fn(&mut HostSpec)| -> Cut { Box::new(move |scenario| cut(&mut scenario.hosts[place])) };
        if scope == Scope::Everything {
            cuts.extend(HELP.iter().copied().map(of));
        }
        cuts.extend(HOST.iter().copied().map(of));
    }
    for place in 0..scenario.faults.len() {
        cuts.push(Box::new(move |scenario| scenario.faults[place].every = None));
        cuts.push(Box::new(move |scenario| scenario.faults[place].share = Share::ALL));
        cuts.push(Box::new(move |scenario| scenario.faults[place].chance = Share::ALL));
        if scope == Scope::Everything {
            cuts.push(Box::new(move |scenario| scenario.faults[place].fault = FaultKind::Interface));
        }
    }
    for place in 0..scenario.inbound.len() {
        cuts.push(Box::new(move |scenario| scenario.inbound[place].stays = None));
        cuts.push(Box::new(move |scenario| scenario.inbound[place].until = None));
    }
    for place in 0..scenario.bans.len() {
        cuts.push(Box::new(move |scenario| scenario.bans[place].lifted_at = None));
    }
    cuts
}

const PROMISES: &[fn(&mut Scenario)] = &[
    |scenario| scenario.expect.bounds.clear(),
    |scenario| scenario.expect.probes.clear(),
    |scenario| scenario.expect.full_within = None,
];

const NODE: &[fn(&mut Scenario)] = &[
    |scenario| {
        let node = &mut scenario.node;
        *node = NodeSpec { config: std::mem::take(&mut node.config), base: node.base, ..NodeSpec::default() };
    },
    |scenario| scenario.node.limits = None,
    |scenario| scenario.node.base = crate::scenario::Base::Plain,
    |scenario| scenario.node.listens = false,
    |scenario| scenario.node.is_known = false,
    |scenario| scenario.node.has_identity = false,
    |scenario| scenario.peers.iter_mut().for_each(|peer| peer.or.clear()),
    |scenario| scenario.peers.iter_mut().for_each(|peer| peer.identified = false),
    |scenario| scenario.peers.iter_mut().for_each(|peer| peer.bannable = false),
    |scenario| scenario.node.prefers_v2 = false,
    |scenario| scenario.node.connect_only = false,
    |scenario| scenario.node.start_within = Span::default(),
    |scenario| scenario.node.handshake = NodeSpec::default().handshake,
    |scenario| scenario.node.save_takes = NodeSpec::default().save_takes,
    |scenario| scenario.node.ping_every = Span::days(365),
    |scenario| scenario.names = NamesSpec::default(),
    |scenario| scenario.proxy = None,
];

/// What hosts do for the managers.
const HELP: &[fn(&mut HostSpec)] = &[
    |host| {
        *host = HostSpec { network: host.network, ..HostSpec::new(&host.name, host.count) };
    },
    |host| host.gossip = Gossip { answer: 0, unasked: 0, ..Gossip::default() },
];

const HOST: &[fn(&mut HostSpec)] = &[
    |host| host.behavior = HostBehavior::Accept,
    |host| host.turns = None,
    |host| host.churn = None,
    |host| host.session = None,
    |host| host.full = Share::NONE,
    |host| host.reachable = Share::ALL,
    |host| host.latency = TimeSpread::Fixed(Span::millis(100)),
    |host| host.answers_in = Some(TimeSpread::Fixed(Span::millis(100))),
    |host| host.shakes_in = Some(TimeSpread::Fixed(Span::millis(100))),
    |host| host.closes_in = None,
    |host| host.addresses = None,
    |host| host.v1_only = false,
    |host| host.private = false,
    |host| host.groups = None,
];
