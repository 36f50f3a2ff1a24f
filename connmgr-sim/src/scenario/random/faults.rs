//! What goes wrong in a random world: nothing, one thing, or several.

use connmgr_core::NetworkKind;

use super::draw::{Chance, Draw};
use crate::scenario::{Fault, FaultSpec, Monotonic, OwnError, OwnFailures, ProxyFault, Scenario, ShareOf, Span};
use crate::types::Share;

/// A sort of fault.
#[derive(Clone, Copy, Debug)]
enum Sort {
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

const SORTS: [(u32, Sort); 21] = [
    (10, Sort::Interface),
    (12, Sort::Silent),
    (8, Sort::NoRoute),
    (6, Sort::Reset),
    (5, Sort::Partition),
    (8, Sort::NatReset),
    (12, Sort::OwnFailures),
    (12, Sort::Proxy),
    (2, Sort::NamesHang),
    (2, Sort::NamesFail),
    (2, Sort::Clock),
    (3, Sort::Suspend),
    (4, Sort::Crash),
    (6, Sort::OutOfDescriptors),
    (2, Sort::LateResults),
    (2, Sort::DoubledResults),
    (3, Sort::MissingResults),
    (5, Sort::HalfHanging),
    (3, Sort::Limits),
    (2, Sort::Inactive),
    (5, Sort::NetworkChanged),
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
    let must_end = matches!(fault, Fault::Suspend(_) | Fault::Inactive | Fault::Limits(_));
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

fn of_sort(sort: Sort, dice: &mut Chance, scenario: &Scenario) -> Option<Fault> {
    Some(match sort {
        Sort::Interface => Fault::Interface,
        Sort::Silent => Fault::Silent(networks(dice, scenario)),
        Sort::NoRoute => Fault::NoRoute(networks(dice, scenario)),
        Sort::Reset => Fault::Reset(networks(dice, scenario)),
        Sort::Partition => Fault::Partition(dice.share(10, 99)),
        Sort::NatReset => Fault::NatReset,
        Sort::OwnFailures => Fault::OwnFailures(own_failures(dice, scenario)),
        Sort::Proxy => Fault::Proxy(proxy(dice, scenario)?),
        Sort::NamesHang => Fault::NamesHang,
        Sort::NamesFail => Fault::NamesFail,
        Sort::Clock => clock(dice),
        Sort::Suspend => Fault::Suspend(if dice.percent(50) { Monotonic::Stops } else { Monotonic::Continues }),
        Sort::Crash => {
            if dice.percent(50) {
                Fault::Crash
            } else {
                Fault::Restart
            }
        }
        Sort::OutOfDescriptors => Fault::OutOfDescriptors,
        Sort::LateResults => Fault::LateResults,
        Sort::DoubledResults => Fault::DoubledResults,
        Sort::MissingResults => Fault::MissingResults(dice.share(1, 100)),
        Sort::HalfHanging => Fault::HalfHanging(dice.share(10, 100)),
        Sort::Limits => Fault::Limits(connmgr_core::Limits { full: dice.sized(1, 40), ..scenario.node.limits? }),
        Sort::Inactive => Fault::Inactive,
        Sort::NetworkChanged => Fault::NetworkChanged,
    })
}

/// One of the networks that somebody lives in, or all of them.
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

fn clock(dice: &mut Chance) -> Fault {
    let by = dice.time(1_000, 1_000_000_000);
    if dice.percent(50) { Fault::ClockForward(by) } else { Fault::ClockBack(by) }
}
