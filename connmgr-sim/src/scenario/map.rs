//! The map of a world, made of a scenario and a seed: which host or manager is at which address.
//!
//! It never changes; cloned worlds share it.

use std::ops::Range;
use std::time::Duration;

use connmgr_core::{AddressInfo, HostName, NetworkKind, PeerAddress, Services, UnixTime};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::scenario::land::Land;
use crate::scenario::stays::{Stay, stays};
use crate::scenario::{HostBehavior, HostSpec, Scenario, TimeSpread, published};
use crate::types::{Dice, DrawPurpose, Instant};

pub use crate::scenario::land::PORT;

/// The wall clock when the world begins: 2026-01-01.
pub const BEGINNING: UnixTime = UnixTime::from_secs(1_767_225_600);

/// What managers offer, and what gossip says of addresses without a host: the network and witnesses.
pub const USUAL_SERVICES: Services = Services::from_bits(9);

/// The name that scenarios use for the world's managers.
pub const NODES: &str = "nodes";

/// Address groups a population is spread over by default.
const MOST_GROUPS: u32 = 2000;

/// Who is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A host of a population.
    Host(u32),
    /// A manager.
    Node(u32),
}

/// A host.
#[derive(Clone, Debug)]
pub struct Resident {
    /// Its address.
    pub address: PeerAddress,
    /// Its population.
    pub population: u16,
    /// It answers dials.
    pub is_reachable: bool,
    /// It has no free slot.
    pub is_full: bool,
    /// The round trip to it.
    pub round_trip: Duration,
    /// From when until when it exists, churn apart.
    pub stay: Range<Instant>,
    /// The services that gossip says it offers.
    pub offers: Services,
}

impl Resident {
    /// Whether it exists from the beginning, and did not replace another host.
    pub fn is_first(&self) -> bool {
        self.stay.start == Instant::ZERO
    }

    /// What gossip tells of it.
    const fn told(&self) -> (&PeerAddress, Services) {
        (&self.address, self.offers)
    }
}

/// How long the hosts of a population take: as specified, or as published for its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostTimes {
    /// To answer a dial.
    pub answer: TimeSpread,
    /// To shake hands.
    pub handshake: TimeSpread,
    /// To close a connection they do not want.
    pub close: TimeSpread,
}

impl HostTimes {
    fn of(spec: &HostSpec) -> Self {
        let or_usual = |said: &Option<TimeSpread>| said.clone().unwrap_or_else(|| published::answer(spec.network));
        Self {
            answer: or_usual(&spec.answers_in),
            handshake: or_usual(&spec.shakes_in),
            close: or_usual(&spec.closes_in),
        }
    }
}

/// The map of a world.
#[derive(Debug)]
pub struct WorldMap {
    /// The scenario it was made of.
    pub scenario: Scenario,
    /// The seed.
    pub seed: u64,
    /// Every host, population by population.
    pub residents: Vec<Resident>,
    /// Where each manager can be reached.
    pub nodes: Vec<PeerAddress>,
    populations: Vec<Range<u32>>,
    times: Vec<HostTimes>,
    by_address: FxHashMap<PeerAddress, Who>,
    names: FxHashMap<HostName, Range<u32>>,
}

impl WorldMap {
    /// The map of a scenario.
    pub fn new(scenario: Scenario, seed: u64) -> Self {
        let mut land = Land::default();
        let mut residents = Vec::new();
        let mut populations = Vec::new();
        for (number, spec) in scenario.hosts.iter().enumerate() {
            let first = index(residents.len());
            let stays = stays(spec, seed, Instant::ZERO.after(scenario.duration.0));
            settle(spec, number, seed, stays, &mut land, &mut residents);
            populations.push(first..index(residents.len()));
        }
        let nodes: Vec<PeerAddress> = land.claim(
            (NetworkKind::Ipv4, false),
            scenario.node.count,
            scenario.node.count,
            &Dice::new(seed, DrawPurpose::Address, 0),
        );
        let hosts = residents.iter().zip(0..).map(|(resident, number)| (resident.address.clone(), Who::Host(number)));
        let mut by_address: FxHashMap<PeerAddress, Who> = hosts.collect();
        // What lives in CJDNS is dialed by its IPv6 address.
        let plain = |(address, who): (&PeerAddress, &Who)| Some((PeerAddress::from(address.socket_addr()?), *who));
        let in_cjdns = by_address.iter().filter(|(address, _)| address.network() == Some(NetworkKind::Cjdns));
        let in_cjdns: Vec<(PeerAddress, Who)> = in_cjdns.filter_map(plain).collect();
        by_address.extend(in_cjdns);
        by_address.extend(nodes.iter().cloned().zip((0..).map(Who::Node)));
        let names = names(&scenario, &populations);
        let times = scenario.hosts.iter().map(HostTimes::of).collect();
        // Where hosts share an address, gossip tells of the one that is found there.
        for place in 0..residents.len() {
            if let Some(Who::Host(found)) = by_address.get(&residents[place].address) {
                residents[place].offers = scenario.hosts[usize::from(residents[*found as usize].population)].offered();
            }
        }
        Self { scenario, seed, residents, nodes, populations, times, by_address, names }
    }

    /// Who is at an address.
    pub fn at(&self, address: &PeerAddress) -> Option<Who> {
        self.by_address.get(address).copied()
    }

    /// A host.
    pub fn resident(&self, host: u32) -> &Resident {
        &self.residents[host as usize]
    }

    /// The specification of a host's population.
    pub fn spec(&self, host: u32) -> &HostSpec {
        &self.scenario.hosts[usize::from(self.resident(host).population)]
    }

    /// The times of a host's population.
    pub fn times(&self, host: u32) -> &HostTimes {
        &self.times[usize::from(self.resident(host).population)]
    }

    /// The times of the `number`-th population.
    pub fn times_of(&self, number: usize) -> &HostTimes {
        &self.times[number]
    }

    /// The number of the peer that a host is an address of; `None` where each peer has one address.
    pub fn peer_of(&self, host: u32) -> Option<u32> {
        let each = self.spec(host).addresses?;
        let first = self.populations[usize::from(self.resident(host).population)].start;
        (host - first).checked_div(each)
    }

    /// The hosts of a population; empty for an unknown name.
    pub fn population(&self, name: &str) -> Range<u32> {
        let number = self.scenario.hosts.iter().position(|spec| spec.name == name);
        number.map_or(0..0, |number| self.populations[number].clone())
    }

    /// The hosts that a name resolves to.
    pub fn named(&self, name: &HostName) -> Option<Range<u32>> {
        self.names.get(name).cloned()
    }

    /// The address of the `number`-th first host of a population, or of a manager.
    pub fn address(&self, of: &str, number: u32) -> Option<&PeerAddress> {
        if of == NODES {
            return self.nodes.get(number as usize);
        }
        let first = self.population(of).map(|host| self.resident(host)).filter(|resident| resident.is_first());
        first.map(|resident| &resident.address).nth(number as usize)
    }

    /// The addresses of the first hosts of a population, or of the managers.
    pub fn addresses(&self, of: &str) -> Vec<&PeerAddress> {
        if of == NODES {
            return self.nodes.iter().collect();
        }
        let first = self.population(of).map(|host| self.resident(host)).filter(|resident| resident.is_first());
        first.map(|resident| &resident.address).collect()
    }

    /// The addresses of adversaries.
    pub fn adversaries(&self) -> FxHashSet<PeerAddress> {
        let is_adversary = |resident: &&Resident| self.scenario.hosts[usize::from(resident.population)].adversary;
        self.residents.iter().filter(is_adversary).map(|resident| resident.address.clone()).collect()
    }

    /// The address and services of one host of the named populations, or of all, the managers included if they are
    /// known. `None` if the host drawn does not exist yet.
    pub fn draw(&self, about: &[String], now: Instant, dice: &mut Dice) -> Option<(&PeerAddress, Services)> {
        let come = |resident: &&Resident| resident.stay.start <= now;
        if about.is_empty() {
            let nodes = if self.scenario.node.is_known { self.nodes.len() } else { 0 };
            let number = dice.index(self.residents.len() + nodes);
            let Some(resident) = self.residents.get(number) else {
                return self.node(number - self.residents.len());
            };
            return Some(resident).filter(come).map(Resident::told);
        }
        let name = &about[dice.index(about.len())];
        if name == NODES {
            return self.node(dice.index(self.nodes.len()));
        }
        let range = self.population(name);
        let host = range.start + index(dice.index(range.len()));
        let resident = self.residents.get(host as usize).filter(|_| !range.is_empty());
        resident.filter(come).map(Resident::told)
    }

    fn node(&self, number: usize) -> Option<(&PeerAddress, Services)> {
        self.nodes.get(number).map(|address| (address, USUAL_SERVICES))
    }

    /// What gossip says of an address.
    pub fn info(&self, address: PeerAddress, last_seen: UnixTime) -> AddressInfo {
        let services = match self.at(&address) {
            Some(Who::Host(host)) => self.resident(host).offers,
            Some(Who::Node(_)) | None => USUAL_SERVICES,
        };
        AddressInfo::new(address).services(services).last_seen(last_seen)
    }

    /// What a host's population does with a connection at a moment of the world.
    pub fn behavior(&self, host: u32, now: Instant) -> &HostBehavior {
        self.turned(host, now).unwrap_or(&self.spec(host).behavior)
    }

    /// The behavior a host turned to, if it has turned by now.
    pub fn turned(&self, host: u32, now: Instant) -> Option<&HostBehavior> {
        let turn = self.spec(host).turns.as_ref()?;
        (now >= Instant::ZERO.after(turn.at.0)).then_some(&turn.into)
    }
}

fn settle(spec: &HostSpec, number: usize, seed: u64, stays: Vec<Stay>, land: &mut Land, residents: &mut Vec<Resident>) {
    let entity = crate::types::text_key(&spec.name);
    let groups = spec.groups.unwrap_or_else(|| spec.count.min(MOST_GROUPS));
    let homes = land.claim(
        (spec.network, spec.private),
        index(stays.len()),
        groups,
        &Dice::new(seed, DrawPurpose::Address, entity),
    );
    let population = u16::try_from(number).expect("a scenario has fewer populations than that, as was checked");
    let characters = Dice::new(seed, DrawPurpose::Character, entity);
    let latencies = Dice::new(seed, DrawPurpose::Latency, entity);
    residents.extend(homes.into_iter().zip(stays).zip(0..).map(|((address, stay), host)| {
        let mut character = characters.part(host);
        Resident {
            address,
            population,
            is_reachable: character.happens(spec.reachable),
            is_full: character.happens(spec.full),
            round_trip: spec.latency.draw(&mut latencies.part(host)),
            stay,
            offers: spec.offered(),
        }
    }));
}

fn names(scenario: &Scenario, populations: &[Range<u32>]) -> FxHashMap<HostName, Range<u32>> {
    let mut names = FxHashMap::default();
    for (spec, range) in scenario.hosts.iter().zip(populations) {
        for (number, host) in range.clone().enumerate() {
            if let Ok(name) = name_of(&spec.name, index(number)) {
                names.insert(name, host..range.end.min(host.saturating_add(scenario.names.answers)));
            }
        }
    }
    names
}

/// The name of the `number`-th host of a population.
///
/// # Errors
/// When the population's name can't be part of a host's name.
pub fn name_of(population: &str, number: u32) -> Result<HostName, connmgr_core::HostError> {
    HostName::new(&format!("n{number}.{population}.example"))
}

fn index(number: usize) -> u32 {
    u32::try_from(number).expect("a scenario has fewer hosts than that, as was checked")
}
