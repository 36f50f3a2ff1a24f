//! A first boot while the names can't be resolved: how soon the pool is full once they can be.

use std::time::Duration;

use connmgr_sim::scenario::{
    Acquaintance, Base, FaultKind, FaultSpec, HostBehavior, HostSpec, Scenario, SeedBehavior, SeedSpec, SeedTurn, Span,
};
use connmgr_sim::types::Share;
use connmgr_sim::{Instant, Real, Scrutiny, World};

/// How the names fail.
#[derive(Clone, Copy, Debug)]
enum Away {
    /// The resolver reports that it failed.
    Fails,
    /// The resolver does not answer.
    Hangs,
    /// The interface is down: the resolver fails, and so does every dial.
    Offline,
    /// Every name is said not to exist.
    Unknown,
}

const AWAY: [Away; 4] = [Away::Fails, Away::Hangs, Away::Offline, Away::Unknown];

/// Outages of each sort: each has another seed, and ends at another moment.
const OUTAGES: u64 = 18;

/// The seeds of mainnet and of signet.
const MAINNET: u32 = 8;
const SIGNET: u32 = 2;

fn first_boot(seeds: u32, dead: u32, away: Away, outage: Span) -> Scenario {
    let mut scenario = Scenario::new("dns-away", Span::hours(3));
    scenario.node.base = Base::Bitcoin;
    let network =
        HostSpec { reachable: Share::percent(60), full: Share::percent(30), ..HostSpec::new("network", 1000) };
    scenario.hosts.push(network);
    if dead > 0 {
        scenario.hosts.push(HostSpec { behavior: HostBehavior::BlackHole, ..HostSpec::new("dead", dead) });
        let known = Acquaintance { of: "dead".into(), count: None, seen_within: Span::days(3), tried: false };
        scenario.book.knows.push(known);
    }
    for number in 0..seeds {
        let mut seed = SeedSpec::new(&format!("seed{number}.example"));
        seed.about = vec!["network".into()];
        if let Away::Unknown = away {
            seed.behavior = SeedBehavior::NotFound;
            seed.turns = Some(SeedTurn { at: outage, into: SeedBehavior::Answer });
        }
        scenario.seeds.push(seed);
    }
    let fault = match away {
        Away::Fails => FaultKind::NamesFail,
        Away::Hangs => FaultKind::NamesHang,
        Away::Offline => FaultKind::Interface,
        Away::Unknown => return scenario,
    };
    let (at, all) = (Span::default(), Share::ALL);
    scenario.faults.push(FaultSpec {
        fault,
        at,
        lasts: Some(outage),
        every: None,
        times: None,
        share: all,
        chance: all,
    });
    scenario
}

fn seconds_to_fill(scenario: Scenario, outage: Span, seed: u64) -> u64 {
    let mut world = World::<Real>::new(scenario, seed, Scrutiny::USUAL).expect("a good scenario");
    let healed = Instant::ZERO.after(outage.0);
    world.run_until(healed).expect("no promise is broken");
    for second in 1..5400 {
        world.run_until(healed.after(Duration::from_secs(second))).expect("no promise is broken");
        if world.nodes()[0].is_full() {
            return second;
        }
    }
    panic!("not full after an hour and a half, seed {seed}")
}

/// Seconds from the end of the outage until the pool is full, of every outage, in order.
fn recoveries(seeds: u32, dead: u32) -> Vec<u64> {
    let mut took = Vec::new();
    for away in AWAY {
        for seed in 1..=OUTAGES {
            let outage = Span::secs(3600 + 7 * seed);
            let scenario = first_boot(seeds, dead, away, outage);
            took.push((seconds_to_fill(scenario, outage, seed), away, seed));
        }
    }
    took.sort_by_key(|(took, ..)| *took);
    took.into_iter().map(|(took, ..)| took).collect()
}

#[test]
fn the_pool_is_full_soon_after_the_names_are_back() {
    for (seeds, dead) in [(MAINNET, 0), (MAINNET, 50), (SIGNET, 0), (SIGNET, 50)] {
        let took = recoveries(seeds, dead);
        let (median, worst) = (took[took.len() / 2], *took.last().expect("outages"));
        println!("{seeds} seeds, {dead} dead known: median {median} s, worst {worst} s of {}", took.len());
        assert!(median <= 30 && worst <= 60, "{seeds} seeds, {dead} dead known: median {median} s, worst {worst} s");
    }
}
