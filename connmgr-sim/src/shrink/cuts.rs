//! What can be taken out of a scenario.

use crate::dice::Share;
use crate::scenario::{Behavior, Expect, Fault, Gossip, HostSpec, NamesSpec, NodeSpec, Scenario, Span, Spread};

/// A list of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Faults,
    Inbound,
    Peers,
    Seeds,
    Knows,
    Hosts,
}

/// Every list, those first that nobody else speaks of.
pub(super) const LISTS: [List; 6] = [List::Faults, List::Inbound, List::Peers, List::Seeds, List::Knows, List::Hosts];

impl List {
    pub(super) fn len(self, scenario: &Scenario) -> usize {
        match self {
            Self::Faults => scenario.faults.len(),
            Self::Inbound => scenario.inbound.len(),
            Self::Peers => scenario.peers.len(),
            Self::Seeds => scenario.seeds.len(),
            Self::Knows => scenario.book.knows.len(),
            Self::Hosts => scenario.hosts.len(),
        }
    }

    /// The scenario with only these of the list. Who speaks of a population that is gone goes with it.
    pub(super) fn only(self, whole: &Scenario, kept: &[usize]) -> Scenario {
        let mut scenario = whole.clone();
        match self {
            Self::Faults => keep(&mut scenario.faults, kept),
            Self::Inbound => keep(&mut scenario.inbound, kept),
            Self::Peers => keep(&mut scenario.peers, kept),
            Self::Seeds => keep(&mut scenario.seeds, kept),
            Self::Knows => keep(&mut scenario.book.knows, kept),
            Self::Hosts => {
                let gone = (0..whole.hosts.len()).filter(|place| !kept.contains(place));
                gone.for_each(|place| forget(&mut scenario, &whole.hosts[place].name));
                keep(&mut scenario.hosts, kept);
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
    scenario.peers.retain(|peer| peer.of != name);
    scenario.book.knows.retain(|known| known.of != name);
    scenario
        .inbound
        .iter_mut()
        .for_each(|spec| spec.tells_about = spec.tells_about.take().filter(|about| about != name));
    scenario.seeds.iter_mut().for_each(|spec| spec.about.retain(|about| about != name));
    scenario.hosts.iter_mut().for_each(|spec| spec.gossip.about.retain(|about| about != name));
}

/// Every count of a scenario, in a fixed order.
pub(super) fn numbers(scenario: &mut Scenario) -> Vec<&mut u32> {
    let mut numbers = vec![&mut scenario.node.count, &mut scenario.book.application_tells, &mut scenario.names.answers];
    for spec in &mut scenario.hosts {
        numbers.extend([&mut spec.count, &mut spec.gossip.answer, &mut spec.gossip.unasked]);
    }
    numbers.extend(scenario.peers.iter_mut().map(|spec| &mut spec.count));
    for spec in &mut scenario.inbound {
        numbers.extend([&mut spec.hosts, &mut spec.groups, &mut spec.tells]);
    }
    numbers.extend(scenario.seeds.iter_mut().map(|spec| &mut spec.answers));
    numbers.extend(scenario.book.knows.iter_mut().filter_map(|spec| spec.count.as_mut()));
    numbers.extend(scenario.faults.iter_mut().filter_map(|spec| spec.times.as_mut()));
    numbers
}

/// One simplification.
pub(super) type Cut = Box<dyn Fn(&mut Scenario)>;

/// Everything of a scenario that can be made simpler by itself.
pub(super) fn simpler(scenario: &Scenario) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = NODE.iter().map(|cut| -> Cut { Box::new(move |scenario| cut(scenario)) }).collect();
    for key in scenario.node.config.keys().cloned() {
        cuts.push(Box::new(move |scenario| drop(scenario.node.config.remove(&key))));
    }
    for place in 0..scenario.hosts.len() {
        let of = |cut: fn(&mut HostSpec)| -> Cut { Box::new(move |scenario| cut(&mut scenario.hosts[place])) };
        cuts.extend(HOST.iter().copied().map(of));
    }
    for place in 0..scenario.faults.len() {
        cuts.push(Box::new(move |scenario| scenario.faults[place].every = None));
        cuts.push(Box::new(move |scenario| scenario.faults[place].share = Share::ALL));
        cuts.push(Box::new(move |scenario| scenario.faults[place].chance = Share::ALL));
        cuts.push(Box::new(move |scenario| scenario.faults[place].fault = Fault::Interface));
    }
    for place in 0..scenario.inbound.len() {
        cuts.push(Box::new(move |scenario| scenario.inbound[place].stays = None));
        cuts.push(Box::new(move |scenario| scenario.inbound[place].until = None));
    }
    cuts
}

const NODE: &[fn(&mut Scenario)] = &[
    |scenario| {
        let Scenario { node, expect, .. } = scenario;
        *expect = Expect { bounds: Vec::new(), probes: Vec::new(), ..expect.clone() };
        *node = NodeSpec { config: std::mem::take(&mut node.config), base: node.base, ..NodeSpec::default() };
    },
    |scenario| scenario.expect.bounds.clear(),
    |scenario| scenario.expect.probes.clear(),
    |scenario| scenario.node.limits = None,
    |scenario| scenario.node.base = crate::scenario::Base::Plain,
    |scenario| scenario.node.listens = false,
    |scenario| scenario.node.is_known = false,
    |scenario| scenario.node.has_identity = false,
    |scenario| scenario.node.prefers_v2 = false,
    |scenario| scenario.node.connect_only = false,
    |scenario| scenario.node.start_within = Span::default(),
    |scenario| scenario.node.handshake = NodeSpec::default().handshake,
    |scenario| scenario.node.save_takes = NodeSpec::default().save_takes,
    |scenario| scenario.node.ping_every = Span::days(365),
    |scenario| scenario.names = NamesSpec::default(),
    |scenario| scenario.proxy = None,
];

const HOST: &[fn(&mut HostSpec)] = &[
    |host| {
        *host = HostSpec { network: host.network, ..HostSpec::new(&host.name, host.count) };
    },
    |host| host.behavior = Behavior::Accept,
    |host| host.turns = None,
    |host| host.churn = None,
    |host| host.session = None,
    |host| host.full = Share::NONE,
    |host| host.reachable = Share::ALL,
    |host| host.latency = Spread::Fixed(Span::millis(100)),
    |host| host.gossip = Gossip { answer: 0, unasked: 0, every: None, about: Vec::new(), invented: Share::NONE },
    |host| host.gossip.every = None,
    |host| host.v1_only = false,
    |host| host.groups = None,
];
