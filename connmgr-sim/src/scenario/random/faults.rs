//! What goes wrong in a random world: nothing, one thing, or several.

use connmgr_core::NetworkKind;

use super::draw::{Chance, Draw};
use crate::scenario::{FaultKind, FaultSpec, Monotonic, OwnError, OwnFailures, ProxyFault, Scenario, ShareOf, Span};
use crate::types::Share;

/// A sort of fault.
#[derive(Clone, Copy, Debug)]
enum FaultSort {
    Interface,
    Silent,
    NoRoute,
    Reset,
    Partition,
    NatReset,
    OwnFailures,
    Proxy,
    NamesHang,
    NamesFail,
    Clock,
    Suspend,
    Crash,
    OutOfDescriptors,
    LateResults,
    DoubledResults,
    MissingResults,
    HalfHanging,
    Limits,
    Inactive,
    NetworkChanged,
}

const SORTS: [(u32, FaultSort); 21] = [
    (10, FaultSort::Interface),
    (12, FaultSort::Silent),
    (8, FaultSort::NoRoute),
    (6, FaultSort::Reset),
    (5, FaultSort::Partition),
    (8, FaultSort::NatReset),
    (12, FaultSort::OwnFailures),
    (12, FaultSort::Proxy),
    (2, FaultSort::NamesHang),
    (2, FaultSort::NamesFail),
    (2, FaultSort::Clock),
    (3, FaultSort::Suspend),
    (4, FaultSort::Crash),
    (6, FaultSort::OutOfDescriptors),
    (2, FaultSort::LateResults),
    (2, FaultSort::DoubledResults),
    (3, FaultSort::MissingResults),
    (5, FaultSort::HalfHanging),
    (3, FaultSort::Limits),
    (2, FaultSort::Inactive),
    (5, FaultSort::NetworkChanged),
];

/// Draws every fault. In nearly half of the worlds nothing goes wrong.
pub(super) fn draw(draw: &Draw, scenario: &mut Scenario) {
    let count = draw.dice("count").of(&[(45, 0), (35, 1), (12, 2), (8, 4)]);
    for number in 0..count {
        let spec = fault(&draw.part(number), scenario);
        scenario.faults.extend(spec);
    }
}

fn fault(draw: &Draw, scenario: &Scenario) -> Option<FaultSpec> {
    let mut dice = draw.dice("fault");
    let sort = dice.of(&SORTS);
    let fault = of_sort(sort, &mut dice, scenario)?;
    let mut dice = draw.dice("times");
    let millis = |part: u128| u32::try_from(scenario.duration.0.as_millis() * part / 4).unwrap_or(u32::MAX);
    let at = if dice.percent(30) { Span::default() } else { dice.time(1_000, millis(3)) };
    let must_end = matches!(fault, FaultKind::Suspend(_) | FaultKind::Inactive | FaultKind::Limits(_));
    // A jump is over at once, and a state may last to the end.
    let ends = !fault.is_jump() && (must_end || dice.percent(70));
    let lasts = ends.then(|| dice.time(1_000, millis(2)));
    let (mut every, mut times) = (None, None);
    if dice.percent(if fault.is_jump() { 50 } else { 15 }) {
        let least = lasts.map_or(1_000, |lasts| u32::try_from(lasts.0.as_millis() * 2).unwrap_or(u32::MAX));
        every = Some(dice.time(least, least.max(1_000_000)));
        times = Some(dice.sized(2, 50)).filter(|_| dice.percent(80));
    }
    Some(FaultSpec { fault, at, lasts, every, times, share: Share::ALL, chance: Share::ALL })
}

fn of_sort(sort: FaultSort, dice: &mut Chance, scenario: &Scenario) -> Option<FaultKind> {
    Some(match sort {
        FaultSort::Interface => FaultKind::Interface,
        FaultSort::Silent => FaultKind::Silent(networks(dice, scenario)),
        FaultSort::NoRoute => FaultKind::NoRoute(networks(dice, scenario)),
        FaultSort::Reset => FaultKind::Reset(networks(dice, scenario)),
        FaultSort::Partition => FaultKind::Partition(dice.share(10, 99)),
        FaultSort::NatReset => FaultKind::NatReset,
        FaultSort::OwnFailures => FaultKind::OwnFailures(own_failures(dice, scenario)),
        FaultSort::Proxy => FaultKind::Proxy(proxy(dice, scenario)?),
        FaultSort::NamesHang => FaultKind::NamesHang,
        FaultSort::NamesFail => FaultKind::NamesFail,
        FaultSort::Clock => clock(dice),
        FaultSort::Suspend => {
            FaultKind::Suspend(if dice.percent(50) { Monotonic::Stops } else { Monotonic::Continues })
        }
        FaultSort::Crash => {
            if dice.percent(50) {
                FaultKind::Crash
            } else {
                FaultKind::Restart
            }
        }
        FaultSort::OutOfDescriptors => FaultKind::OutOfDescriptors,
        FaultSort::LateResults => FaultKind::LateResults,
        FaultSort::DoubledResults => FaultKind::DoubledResults,
        FaultSort::MissingResults => FaultKind::MissingResults(dice.share(1, 100)),
        FaultSort::HalfHanging => FaultKind::HalfHanging(dice.share(10, 100)),
        FaultSort::Limits => {
            FaultKind::Limits(connmgr_core::Limits { full: dice.sized(1, 40), ..scenario.node.limits? })
        }
        FaultSort::Inactive => FaultKind::Inactive,
        FaultSort::NetworkChanged => FaultKind::NetworkChanged,
    })
}

/// One of the networks with hosts, or all of them.
fn networks(dice: &mut Chance, scenario: &Scenario) -> Vec<NetworkKind> {
    let mut networks: Vec<NetworkKind> = scenario.hosts.iter().map(|spec| spec.network).collect();
    networks.dedup();
    if networks.is_empty() || dice.percent(40) {
        return if networks.is_empty() { vec![NetworkKind::Ipv4] } else { networks };
    }
    let last = u32::try_from(networks.len()).expect("a handful") - 1;
    vec![networks[dice.between(0, last) as usize]]
}

fn proxy(dice: &mut Chance, scenario: &Scenario) -> Option<ProxyFault> {
    use ProxyFault::{Auth, Fails, FailsLate, Garbage, HostUnreachable, Refused, Silent, Unreachable};
    scenario.proxy?;
    let common = [(3, Refused), (3, Fails), (3, FailsLate), (3, Silent)];
    let rare = [(2, Unreachable), (2, HostUnreachable), (1, Auth), (1, Garbage)];
    Some(if dice.percent(65) { dice.of(&common) } else { dice.of(&rare) })
}

fn own_failures(dice: &mut Chance, scenario: &Scenario) -> OwnFailures {
    use OwnError::{AddressFamilyUnsupported, HostUnreachable, NetworkUnreachable, Other, OutOfResources};
    let networks = networks(dice, scenario);
    let errors =
        [(4, NetworkUnreachable), (1, AddressFamilyUnsupported), (2, OutOfResources), (2, HostUnreachable), (2, Other)];
    let error = dice.of(&errors);
    if error == OutOfResources {
        // A machine has no room for a dial whomever it is to.
        let mut all: Vec<NetworkKind> = scenario.hosts.iter().map(|spec| spec.network).collect();
        all.dedup();
        let networks = if all.is_empty() { networks } else { all };
        return OwnFailures { networks, error, share: Share::ALL, of: ShareOf::Dials };
    }
    let of = if dice.percent(60) { ShareOf::Addresses } else { ShareOf::Dials };
    let share = if dice.percent(40) { Share::ALL } else { Share::percent(dice.between(10, 99)) };
    OwnFailures { networks, error, share, of }
}

fn clock(dice: &mut Chance) -> FaultKind {
    let by = dice.time(1_000, 1_000_000_000);
    if dice.percent(50) { FaultKind::ClockForward(by) } else { FaultKind::ClockBack(by) }
}
