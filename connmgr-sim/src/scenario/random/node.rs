//! The manager of a random world, and what lies around it: seeds, a proxy, added peers, strangers.

use connmgr_core::Limits;

use super::draw::{Chance, Draw};
use super::times::{is_hidden, spread};
use crate::scenario::{
    Base, InboundSpec, NamesSpec, NodeSpec, PeerSpec, ProxySpec, Scenario, SeedBehavior, SeedSpec, Span,
};
use crate::types::Share;

/// Draws the manager: targets, room, and how it hedges.
pub(super) fn draw(draw: &Draw, scenario: &mut Scenario) {
    let mut dice = draw.dice("limits");
    let full = dice.sized(1, 40);
    let block_relay = dice.of(&[(40, 0), (20, 1), (40, 2)]);
    let total = if dice.percent(25) { full + block_relay + dice.sized(1, 40) } else { 200 };
    let (feeler, added) = (dice.of(&[(30, 0), (70, 1)]), 30);
    let limits = Limits { total, full, block_relay, feeler, added, ..Limits::default() };
    let mut node = NodeSpec { limits: Some(limits), ..NodeSpec::default() };
    let mut dice = draw.dice("character");
    node.base = dice.of(&[(85, Base::Bitcoin), (15, Base::Plain)]);
    node.connect_only = dice.percent(4);
    node.prefers_v2 = dice.percent(8);
    node.has_identity = dice.percent(10);
    if let Some(hedged) = hedged(draw) {
        let dial = toml::Table::from_iter([("max_hedged".to_owned(), toml::Value::from(i64::from(hedged)))]);
        node.config.insert("dial".to_owned(), dial.into());
    }
    scenario.node = node;
}

/// None leaves hedging as it is by default.
fn hedged(draw: &Draw) -> Option<u32> {
    let mut dice = draw.dice("hedged");
    match dice.of(&[(65, 0), (15, 1), (20, 2)]) {
        0 => None,
        1 => Some(0),
        _ => Some(dice.sized(1, 80)),
    }
}

/// Draws seeds: always some if no address is known.
pub(super) fn draw_seeds(draw: &Draw, scenario: &mut Scenario) {
    let mut dice = draw.dice("count");
    // A seed's answer needs a port, and only Bitcoin's configuration has one.
    if scenario.node.base == Base::Plain {
        return;
    }
    let least = u32::from(scenario.book.knows.is_empty());
    for number in 0..dice.of(&[(50, least), (25, 1), (25, 3)]) {
        let behavior = server(&mut draw.part(number).dice("seed"));
        let mut dice = draw.part(number).dice("by services");
        let by_services = dice.percent(50).then(|| server(&mut dice));
        let spec = SeedSpec::new(&format!("seed{number}.example"));
        scenario.seeds.push(SeedSpec { behavior, by_services, latency: spread(&draw.part(number), 1, 40_000), ..spec });
    }
}

/// How a name server behaves: mostly it answers.
fn server(dice: &mut Chance) -> SeedBehavior {
    use SeedBehavior::{Answer, Empty, Fail, Hang, Junk, Late, NotFound, Twice};
    let ills = [(5, NotFound), (5, Fail), (5, Hang), (5, Empty), (4, Junk), (3, Late), (3, Twice)];
    if dice.percent(70) { Answer } else { dice.of(&ills) }
}

/// Draws a proxy: mostly if some network can't be reached without one.
pub(super) fn draw_proxy(draw: &Draw, scenario: &mut Scenario) {
    let mut dice = draw.dice("proxy");
    let hidden = scenario.hosts.iter().any(|spec| is_hidden(spec.network));
    if dice.percent(if hidden { 97 } else { 4 }) {
        scenario.proxy = Some(ProxySpec {
            for_all: dice.percent(if hidden { 15 } else { 100 }),
            resolves: dice.percent(80),
            adds: if dice.percent(70) { Span::default() } else { dice.time(1, 3_000) },
        });
    }
}

/// Draws added peers, good and bad ones.
pub(super) fn draw_peers(draw: &Draw, scenario: &mut Scenario) {
    let mut dice = draw.dice("peers");
    let connect_only = scenario.node.connect_only;
    if scenario.hosts.is_empty() || !(connect_only || dice.percent(25)) {
        return;
    }
    let mut left = dice.sized(1, 30);
    for number in 0..dice.between(1, 3) {
        let mut dice = draw.part(number).dice("peer");
        let last = u32::try_from(scenario.hosts.len()).expect("a handful") - 1;
        let of = &scenario.hosts[dice.between(0, last) as usize];
        let count = left.min(of.count).min(dice.sized(1, 30));
        left -= count;
        // A name leads to an IP address, and not to a network laid over another.
        let by_name = dice.percent(20) && !of.network.is_overlay();
        let once = dice.percent(10);
        let at = if dice.percent(70) { Span::default() } else { dice.time(1_000, 600_000) };
        let removed_at = dice.percent(10).then(|| Span(at.0 + dice.time(1_000, 600_000).0));
        let mut dice = draw.part(number).dice("other addresses");
        let others = if dice.percent(25) { dice.between(1, 2) } else { 0 };
        let or = (0..others).map(|_| scenario.hosts[dice.between(0, last) as usize].name.clone()).collect();
        let identified = of.addresses.is_some() && dice.percent(50);
        let bannable = dice.percent(50);
        let of = of.name.clone();
        scenario.peers.push(PeerSpec { of, count, by_name, or, identified, bannable, once, at, removed_at });
    }
    scenario.peers.retain(|spec| spec.count > 0);
    if scenario.peers.iter().any(|spec| spec.by_name) {
        let mut dice = draw.dice("names");
        let behavior = server(&mut dice);
        scenario.names = NamesSpec { behavior, latency: spread(draw, 1, 40_000), answers: dice.sized(1, 20) };
    }
}

/// Draws inbound connections.
pub(super) fn draw_inbound(draw: &Draw, scenario: &mut Scenario) {
    let mut dice = draw.dice("inbound");
    if !dice.percent(15) {
        return;
    }
    scenario.node.listens = true;
    let hosts = dice.sized(1, 3_000);
    scenario.inbound.push(InboundSpec {
        name: "strangers".to_owned(),
        every: spread(&draw.part(1), 500, 30_000),
        from: Span::default(),
        until: None,
        hosts,
        groups: dice.sized(1, hosts),
        behind_nat: dice.percent(10),
        handshake: dice.percent(80).then(|| spread(&draw.part(2), 10, 5_000)),
        stays: dice.percent(60).then(|| spread(&draw.part(3), 1_000, 1_200_000)),
        misbehaves: if dice.percent(15) { dice.share(1, 50) } else { Share::NONE },
        tells: 0,
        tells_about: None,
    });
}
