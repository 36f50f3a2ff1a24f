//! The hosts of a random world: its networks, and how the hosts of each answer.

use connmgr_core::{NetworkKind, Penalty};

use super::draw::{Chance, Draw};
use super::times::{answer, spread};
use crate::scenario::{Acquaintance, Churn, Gossip, HostBehavior, HostSpec, HostTurn, Scenario, Span, TimeSpread};
use crate::types::Share;

/// The most hosts of a world.
const MOST: u32 = 20_000;
/// The longest time that hosts take to answer or shake hands, in milliseconds: longer than every deadline.
const LONGEST: u32 = 90_000;

/// A way of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HostWay {
    Accept,
    Refuse,
    BlackHole,
    Unreachable,
    AcceptThenClose,
    ReadyThenClose,
    Mute,
    Slow,
    SlowHandshake,
    Full,
    Flaky,
    Misbehave,
    Windows,
    Useless,
    Mirror,
}

const WAYS: [(u32, HostWay); 15] = [
    (60, HostWay::Accept),
    (10, HostWay::Refuse),
    (12, HostWay::BlackHole),
    (6, HostWay::Unreachable),
    (8, HostWay::AcceptThenClose),
    (8, HostWay::ReadyThenClose),
    (8, HostWay::Mute),
    (8, HostWay::Slow),
    (6, HostWay::SlowHandshake),
    (6, HostWay::Full),
    (3, HostWay::Flaky),
    (2, HostWay::Misbehave),
    (2, HostWay::Windows),
    (2, HostWay::Useless),
    (1, HostWay::Mirror),
];

/// Draws every population.
pub(super) fn draw(draw: &Draw, scenario: &mut Scenario) {
    let networks = networks(&mut draw.dice("networks"));
    let total = draw.dice("total").sized(1, MOST + 1) - 1;
    let sizes = parts(total, networks.len(), &mut draw.dice("sizes"));
    for (network, size) in networks.into_iter().zip(sizes) {
        let place = draw.part(u32::try_from(network.index()).expect("a handful"));
        settle(&place, network, size, scenario);
    }
}

fn networks(dice: &mut Chance) -> Vec<NetworkKind> {
    use NetworkKind::{Cjdns, I2p, Ipv4, Ipv6, Onion};
    let count = dice.of(&[(55, 1), (30, 2), (10, 3), (5, 4)]);
    let mut networks = Vec::new();
    while networks.len() < count {
        let next = dice.of(&[(50, Ipv4), (20, Ipv6), (22, Onion), (4, I2p), (4, Cjdns)]);
        if !networks.contains(&next) {
            networks.push(next);
        }
    }
    networks.sort_unstable();
    networks
}

/// A whole split into this many parts of random size.
fn parts(whole: u32, count: usize, dice: &mut Chance) -> Vec<u32> {
    let weights: Vec<u64> = (0..count).map(|_| dice.sized(1, 100).into()).collect();
    let sum: u64 = weights.iter().sum();
    let part = |weight: u64| u32::try_from(u64::from(whole) * weight / sum).expect("a part of 32 bits");
    weights.into_iter().map(part).collect()
}

fn settle(draw: &Draw, network: NetworkKind, size: u32, scenario: &mut Scenario) {
    let mut dice = draw.dice("ways");
    let count = dice.of(&[(45, 1), (30, 2), (15, 3), (10, 4)]);
    let ways: Vec<HostWay> = (0..count).map(|_| dice.of(&WAYS)).collect();
    let sizes = parts(size, ways.len(), &mut draw.dice("sizes"));
    for ((number, way), count) in (0..).zip(ways).zip(sizes).filter(|(_, count)| *count > 0) {
        let name = format!("{network}-{number}");
        // A private group has no more than 254 hosts.
        let may = matches!(network, NetworkKind::Ipv4 | NetworkKind::Ipv6) && count <= 5000;
        let private = may && draw.part(number).dice("private").percent(8);
        let spec = HostSpec { network, private, ..HostSpec::new(&name, count) };
        scenario.hosts.push(population(&draw.part(number), way, spec, scenario.duration));
    }
}

fn population(draw: &Draw, way: HostWay, spec: HostSpec, duration: Span) -> HostSpec {
    let behavior = behavior(draw, way);
    let mut dice = draw.dice("character");
    let full = match way {
        HostWay::Full => Share::ALL,
        _ if dice.percent(12) => dice.share(5, 80),
        _ => Share::NONE,
    };
    let reachable = if dice.percent(20) { dice.share(3, 100) } else { Share::ALL };
    let groups = dice.percent(10).then(|| dice.sized(1, spec.count)).filter(|_| !spec.private);
    let session = dice.percent(10).then(|| spread(&draw.part(1), 1, 7_200_000));
    let churn = dice.percent(6).then(|| churn(draw));
    let turns = dice.percent(12).then(|| turn(draw, duration));
    let addresses = dice.percent(5).then(|| dice.between(2, 5));
    let v1_only = dice.percent(7);
    let [answers_in, shakes_in, closes_in] = [6, 7, 8].map(|part| answer(&draw.part(part), spec.network, LONGEST));
    let gossip = gossip(draw);
    let spec = HostSpec { behavior, full, reachable, groups, session, churn, turns, ..spec };
    HostSpec { addresses, v1_only, answers_in, shakes_in, closes_in, gossip, ..spec }
}

fn behavior(draw: &Draw, way: HostWay) -> HostBehavior {
    let mut dice = draw.dice("behavior");
    let time = |most| spread(&draw.part(2), 1, most);
    match way {
        HostWay::Accept | HostWay::Full => HostBehavior::Accept,
        HostWay::Refuse => HostBehavior::Refuse,
        HostWay::BlackHole => HostBehavior::BlackHole,
        HostWay::Unreachable => HostBehavior::Unreachable,
        HostWay::ReadyThenClose => HostBehavior::ReadyThenClose(life(draw)),
        HostWay::AcceptThenClose => HostBehavior::AcceptThenClose(time(LONGEST)),
        HostWay::Mute => HostBehavior::Mute,
        HostWay::Slow => HostBehavior::Slow(time(LONGEST)),
        HostWay::SlowHandshake => HostBehavior::SlowHandshake(time(LONGEST)),
        HostWay::Flaky => HostBehavior::Flaky(dice.share(1, 90)),
        HostWay::Misbehave => HostBehavior::Misbehave {
            after: time(LONGEST),
            penalty: Penalty { persistent: dice.between(0, 60), transient: dice.between(1, 60) },
        },
        HostWay::Windows => {
            let period = dice.time(10_000, 600_000);
            HostBehavior::Windows { period, open: Span(period.0 / dice.between(2, 20)) }
        }
        HostWay::Useless => HostBehavior::Useless,
        HostWay::Mirror => HostBehavior::Mirror,
    }
}

/// How long a ready connection lasts: often for a moment only.
fn life(draw: &Draw) -> TimeSpread {
    let mut dice = draw.dice("life");
    if dice.percent(30) { TimeSpread::default() } else { spread(&draw.part(9), 1, 3_600_000) }
}

fn churn(draw: &Draw) -> Churn {
    let [up, down] = [3, 4].map(|part| spread(&draw.part(part), 10_000, 7_200_000));
    Churn { up, down, leaves: Share::NONE }
}

/// A change of behavior in the first three quarters of the world, often for the better.
fn turn(draw: &Draw, duration: Span) -> HostTurn {
    let mut dice = draw.dice("turn");
    let most = u32::try_from(duration.0.as_millis() * 3 / 4).unwrap_or(u32::MAX);
    let at = dice.time(1_000, most);
    let way = if dice.percent(50) { HostWay::Accept } else { dice.of(&WAYS) };
    HostTurn { at, into: behavior(&draw.part(5), way), hang_up: dice.percent(30) }
}

fn gossip(draw: &Draw) -> Gossip {
    let mut dice = draw.dice("gossip");
    let usual = Gossip::default();
    match dice.of(&[(60, 0), (25, 1), (15, 2)]) {
        0 => usual,
        1 => Gossip { answer: 0, unasked: 0, ..usual },
        _ => Gossip { invented: dice.share(1, 100), ..usual },
    }
}

/// Which hosts are known at the start: mostly all.
pub(super) fn acquaint(draw: &Draw, scenario: &mut Scenario) {
    let mut dice = draw.dice("who");
    if dice.percent(12) {
        return;
    }
    for (number, spec) in (0..).zip(&scenario.hosts) {
        let mut dice = draw.part(number).dice("known");
        let count = dice.percent(20).then(|| dice.sized(1, spec.count));
        let (seen_within, tried) = (Span(dice.time(3_600_000, 1_000_000_000).0), dice.percent(30));
        scenario.book.knows.push(Acquaintance { of: spec.name.clone(), count, seen_within, tried });
    }
    if draw.dice("application").percent(10) {
        scenario.book.application_tells = draw.dice("tells").sized(1, 100);
    }
}
